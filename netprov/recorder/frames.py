"""Ethernet frames made of payloads: IPv4 or IPv6, UDP or TCP, with the lengths and checksums that the wire had.

The workers see payloads, not frames: link addresses are made up where nobody told them, and so are TTL and IP's id.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from netprov.datagram import checksum

_IP4 = struct.Struct("!BBHHHBBH4s4s")
_IP6 = struct.Struct("!IHBB16s16s")
_UDP = struct.Struct("!HHHH")
_TCP = struct.Struct("!HHIIBBHHH")
_TTL = 64
_DONT_FRAGMENT = 0x4000
_WINDOW = 0xFFFF
UDP, TCP = 17, 6
_EVERYBODY4 = b"\xff\xff\xff\xff"

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


@dataclass(frozen=True, slots=True)
class End:
    """One end of a conversation: `mac` 6 octets, `ip` packed."""

    mac: bytes
    ip: bytes
    port: int


@dataclass(frozen=True, slots=True)
class Frame:
    """An Ethernet frame at `at` (seconds since the epoch); on the wire it had `length` octets, `data` the first."""

    at: float
    data: bytes
    length: int


def link_address(ip: bytes) -> bytes:
    """An Ethernet address for who has `ip` and told none: locally administered, its end the address' end."""
    return b"\xff" * 6 if ip == _EVERYBODY4 else b"\x02\x00" + ip[-4:]


def udp(at: float, source: End, to: End, payload: bytes, length: int = 0, total: int = 0) -> Frame:
    """The frame of a datagram. Of a longer one than `payload`: `length` octets, whose Internet checksum is `total`."""
    length = max(length, len(payload))
    size = _UDP.size + length
    pseudo = _pseudo(source.ip, to.ip, UDP, size) + _UDP.pack(source.port, to.port, size, 0)
    if length == len(payload):
        value = checksum(pseudo + payload) or 0xFFFF
    elif total:
        # of the parts the whole's sum is made: RFC 1071 §2
        value = checksum(pseudo + (0xFFFF - total).to_bytes(2, "big")) or 0xFFFF
    else:
        value = 0  # RFC 768: none
    head = _UDP.pack(source.port, to.port, size, value)
    return _frame(at, source, to, UDP, head + payload, size)


def tcp(
    at: float, source: End, to: End, sequence: int, acknowledged: int, flags: int, payload: bytes = b"", length: int = 0
) -> Frame:
    """The frame of a segment. Of a longer one than `payload`: `length` octets, the rest counted as zeros."""
    length = max(length, len(payload))
    numbers = (source.port, to.port, sequence & 0xFFFFFFFF, acknowledged & 0xFFFFFFFF, _TCP.size // 4 << 4, flags)
    bare = _TCP.pack(*numbers, _WINDOW, 0, 0)
    value = checksum(_pseudo(source.ip, to.ip, TCP, len(bare) + length) + bare + payload) % 0xFFFF  # of 0's forms, 0
    return _frame(at, source, to, TCP, _TCP.pack(*numbers, _WINDOW, value, 0) + payload, _TCP.size + length)


def _pseudo(source: bytes, to: bytes, protocol: int, size: int) -> bytes:
    if len(source) == 4:
        return source + to + struct.pack("!BBH", 0, protocol, size)
    return source + to + struct.pack("!IxxxB", size, protocol)


def _frame(at: float, source: End, to: End, protocol: int, data: bytes, size: int) -> Frame:
    """`data` is the beginning of the `size` octets that IP carries."""
    if len(source.ip) == 4:
        kind = b"\x08\x00"
        head = _IP4.pack(
            0x45, 0, _IP4.size + size, 0, _DONT_FRAGMENT, _TTL, protocol, 0, source.ip, to.ip
        )  # fmt: skip
        head = head[:10] + (checksum(head) % 0xFFFF).to_bytes(2, "big") + head[12:]
    else:
        kind = b"\x86\xdd"
        head = _IP6.pack(6 << 28, size, protocol, _TTL, source.ip, to.ip)
    front = to.mac + source.mac + kind + head
    return Frame(at, front + data, len(front) + size)
