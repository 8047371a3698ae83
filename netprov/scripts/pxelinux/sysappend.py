"""SYSAPPEND: what PXELINUX adds to a kernel's command line about the machine."""

from __future__ import annotations

import re
from ipaddress import IPv4Address

from netprov.mac import bootif
from netprov.scripts.facts import MachineFacts

_ZERO = IPv4Address(0)

TABLE: tuple[tuple[int, str], ...] = (
    (0x00001, "ip"), (0x00002, "BOOTIF"), (0x00004, "SYSUUID"), (0x00008, "CPU"),
    (0x00010, "SYSVENDOR"), (0x00020, "SYSPRODUCT"), (0x00040, "SYSVERSION"), (0x00080, "SYSSERIAL"),
    (0x00100, "SYSSKU"), (0x00200, "SYSFAMILY"), (0x00400, "MBVENDOR"), (0x00800, "MBPRODUCT"),
    (0x01000, "MBVERSION"), (0x02000, "MBSERIAL"), (0x04000, "MBASSET"), (0x08000, "BIOSVENDOR"),
    (0x10000, "BIOSVERSION"), (0x20000, "SYSFF"), (0x40000, "FSUUID"),
)  # fmt: skip
"""The bits of SYSAPPEND and IPAPPEND, and the words they add, in order (syslinux: SYSAPPEND directive)."""


def sysappend(mask: int, facts: MachineFacts) -> str:
    """The words for the bits of `mask`; those of which nothing is known are left out."""
    values = {
        "ip": _ip(facts),
        "BOOTIF": bootif(facts.mac) if facts.mac is not None else "",
        "SYSUUID": facts.uuid.lower(),
        "CPU": facts.cpu,
        **facts.dmi,
    }
    wanted = (name for bit, name in TABLE if mask & bit and values.get(name))
    return " ".join(f"{name}={_one_word(values[name])}" for name in wanted)


def _ip(facts: MachineFacts) -> str:
    """PXELINUX 6.04 writes what it does not know as 0.0.0.0."""
    if facts.ip is None:
        return ""
    return ":".join(str(value or _ZERO) for value in (facts.ip, facts.server, facts.gateway, facts.netmask))


def _one_word(text: str) -> str:
    return re.sub(r"[\x00-\x20\x7f]+", "_", text.strip())
