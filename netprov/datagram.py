"""An IPv4 datagram with UDP in it, made by hand: for a client that has no address yet and answers no ARP."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

_IP = struct.Struct("!BBHHHBBH4s4s")
_UDP = struct.Struct("!HHHH")
_PSEUDO = struct.Struct("!4s4sBBH")
_UDP_PROTOCOL = 17
_TTL = 64


def checksum(data: bytes) -> int:
    """The Internet checksum of `data` (RFC 1071). As 2^16 ≡ 1 modulo 2^16-1, the sum of the words is one remainder."""
    if len(data) % 2:
        data += b"\0"
    return 0xFFFF - int.from_bytes(data, "big") % 0xFFFF


def datagram(source: IPv4Address, port: int, destination: IPv4Address, to_port: int, payload: bytes) -> bytes:
    """The IPv4 packet that carries `payload` by UDP, whole: what Ethernet's header goes before."""
    length = _UDP.size + len(payload)
    pseudo = _PSEUDO.pack(source.packed, destination.packed, 0, _UDP_PROTOCOL, length)
    udp = _UDP.pack(port, to_port, length, 0)
    # RFC 768: a sum of 0 is sent as all ones, 0 means "none"
    total = checksum(pseudo + udp + payload) or 0xFFFF
    head = _IP.pack(
        0x45, 0, _IP.size + length, 0, 0, _TTL, _UDP_PROTOCOL, 0, source.packed, destination.packed
    )  # fmt: skip
    head = head[:10] + checksum(head).to_bytes(2, "big") + head[12:]
    return head + _UDP.pack(port, to_port, length, total) + payload


@dataclass(frozen=True, slots=True)
class Datagram:
    source: IPv4Address
    port: int
    destination: IPv4Address
    to_port: int
    payload: bytes


def parse_datagram(packet: bytes) -> Datagram | None:
    """The UDP datagram in an IPv4 packet; None for anything else, fragments too.

    The UDP checksum is not looked at: the kernel leaves it unfinished on packets that never leave the host.
    """
    if len(packet) < _IP.size or packet[0] >> 4 != 4:
        return None
    head = (packet[0] & 0xF) * 4
    fields = _IP.unpack_from(packet)
    fragment, protocol = fields[4] & 0x3FFF, fields[6]
    if protocol != _UDP_PROTOCOL or fragment or head < _IP.size or len(packet) < head + _UDP.size:
        return None
    port, to_port, length, _sum = _UDP.unpack_from(packet, head)
    if length < _UDP.size or len(packet) < head + length:
        return None
    payload = packet[head + _UDP.size : head + length]
    return Datagram(IPv4Address(fields[8]), port, IPv4Address(fields[9]), to_port, payload)
