"""Ethernet addresses, in one spelling."""

from __future__ import annotations

import re
from typing import NewType

Mac = NewType("Mac", str)
"""Lower case, colons: `52:54:00:12:34:56`."""

_SPELLINGS = re.compile(r"[0-9a-f]{2}([:-][0-9a-f]{2}){5}|[0-9a-f]{4}(\.[0-9a-f]{4}){2}|[0-9a-f]{12}", re.ASCII)


def parse_mac(text: str) -> Mac:
    """The address that `text` spells: with colons, dashes, Cisco's dots or nothing between, in any case.

    Raises ValueError for anything else.
    """
    spelled = text.strip().lower()
    if not _SPELLINGS.fullmatch(spelled):
        raise ValueError(f"{text!r} is not a MAC address; write it like 52:54:00:12:34:56")
    digits = re.sub(r"[^0-9a-f]", "", spelled)
    return Mac(":".join(digits[i : i + 2] for i in range(0, 12, 2)))


def mac_of(chaddr: bytes) -> Mac:
    """The address in the first six octets of a packet's chaddr."""
    return Mac(chaddr[:6].hex(":"))


def dashed(mac: Mac) -> str:
    """`52-54-00-12-34-56`: in names of files, where a colon would part a server or a drive from a path."""
    return mac.replace(":", "-")


def bootif(mac: Mac) -> str:
    """`01-52-54-00-12-34-56`: PXELINUX's spelling, ARP's hardware type before it (syslinux, doc/pxelinux.txt)."""
    return f"01-{dashed(mac)}"


def octets_of(mac: Mac | str) -> bytes:
    """The six octets of an address in our spelling: what chaddr and an Ethernet header hold. Raises ValueError."""
    return bytes.fromhex(mac.replace(":", ""))
