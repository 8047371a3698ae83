"""What the recorder keeps: a packet, or the head of an HTTP message, and whose it was. As octets, too."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from netprov.errors import PeerError
from netprov.quick import quick


class What(IntEnum):
    """What an entry is, and which way it went. The numbers are stored."""

    DHCP_HEARD = 1
    DHCP_SENT = 2
    TFTP_HEARD = 3
    TFTP_SENT = 4  # of DATA the header alone
    TFTP_SCRIPT = 5  # a rendered script as the DATA packets of its conversation carried it; `length`: their blksize
    HTTP_REQUEST = 6  # its head; `length` counts the body, too
    HTTP_ANSWER = 7  # its head, a rendered script's body with it; `length` counts what was sent of the body
    HTTP_DONE = 8  # the answer has gone out
    HTTP_CLOSED = 9  # the client went away before that

    @property
    def heard(self) -> bool:
        """Whether it came from the machine."""
        return self in _HEARD


_HEARD = (What.DHCP_HEARD, What.TFTP_HEARD, What.HTTP_REQUEST, What.HTTP_CLOSED)


@quick
@dataclass(frozen=True, slots=True)
class Entry:
    """One packet between a machine and us, at `at` (seconds since the epoch).

    `ip` and `port` are the machine's (or its relay's), `local` and `local_port` ours, addresses packed. Where `data` is
    not the whole payload, `length` says how long that was, and `checksum` is the Internet checksum of it, 0 unknown.
    `mac` and `claim`: the machine and its address where the packet tells them. `secret` is an install's token that may
    be in `data`; it is blanked there, and stored nowhere.
    """

    at: float
    what: What
    ip: bytes
    port: int
    local: bytes
    local_port: int
    data: bytes
    length: int
    checksum: int = 0
    mac: str = ""
    claim: str = ""
    secret: str = ""
    declared: bool = False  # a system of the inventory


MAX_DATA = 24_576
"""The most octets of an entry: four datagrams of an Ethernet with jumbo frames. What is longer is cut."""

_HEAD = struct.Struct("!dBBHHHIHBBBBB")
_WORD = 255  # octets a text may have


def encode(entry: Entry) -> bytes:
    """`entry` as octets, which say themselves where they end."""
    mac, claim, secret = entry.mac.encode(), entry.claim.encode(), entry.secret.encode("utf-8", "replace")[:_WORD]
    ip, local = entry.ip, entry.local
    data = entry.data if len(entry.data) <= MAX_DATA else entry.data[:MAX_DATA]
    head = _HEAD.pack(
        entry.at, entry.what, entry.declared, entry.port, entry.local_port, entry.checksum, entry.length, len(data),
        len(ip), len(local), len(mac), len(claim), len(secret),
    )  # fmt: skip
    return b"".join((head, ip, local, mac, claim, secret, data))


def decode(octets: bytes) -> Iterator[Entry]:
    """The entries that stand one after the other in `octets`. Raises PeerError where they are none."""
    return (entry for entry, _ in decoded(octets))


def decoded(octets: bytes) -> Iterator[tuple[Entry, bytes]]:
    """Likewise, each with the octets that it was."""
    at = 0
    while at < len(octets):
        begin = at
        try:
            entry, at = _entry(octets, at)
        except (struct.error, ValueError) as error:
            raise PeerError(f"not a recorded packet: {error}") from None
        yield entry, octets[begin:at]


def _entry(octets: bytes, at: int) -> tuple[Entry, int]:
    when, what, declared, port, local_port, checksum, length, size, *sizes = _HEAD.unpack_from(octets, at)
    at += _HEAD.size
    parts = []
    for count in (*sizes, size):
        parts.append(octets[at : at + count])
        at += count
    if at > len(octets):
        raise ValueError("its end is missing")
    ip, local, mac, claim, secret, data = parts
    if len(ip) not in (4, 16) or len(local) not in (4, 16) or declared > 1 or not -1e11 < when < 1e11:
        raise ValueError("its fields are not those of a packet")
    texts = (mac.decode("ascii"), claim.decode("ascii"), secret.decode())
    entry = Entry(when, What(what), ip, port, local, local_port, data, length, checksum, *texts, bool(declared))
    return entry, at
