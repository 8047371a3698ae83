"""The host's interfaces and their IPv4 addresses, from the kernel by rtnetlink, and word of their changes."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

_HEADER = struct.Struct("=IHHII")  # nlmsghdr
_ADDRESS = struct.Struct("=BBBBi")  # ifaddrmsg
_ATTRIBUTE = struct.Struct("=HH")  # rtattr
_GETADDR, _NEWADDR, _DONE, _ERROR = 22, 20, 3, 2
_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_GROUPS = 0x1 | 0x10  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR


@dataclass(frozen=True, slots=True)
class Interface:
    index: int
    name: str
    addresses: tuple[IPv4Interface, ...]


def interfaces() -> dict[int, Interface]:
    """Every interface that has an IPv4 address, by index; each one's addresses in the kernel's order."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        body = _ADDRESS.pack(socket.AF_INET, 0, 0, 0, 0)
        netlink.send(_HEADER.pack(_HEADER.size + len(body), _GETADDR, _DUMP, 1, 0) + body)
        found: dict[int, list[IPv4Interface]] = {}
        while _read(netlink.recv(1 << 16), found):
            pass
    names = dict(socket.if_nameindex())
    return {i: Interface(i, names[i], tuple(addresses)) for i, addresses in found.items() if i in names}


def _read(data: bytes, found: dict[int, list[IPv4Interface]]) -> bool:
    """Adds the addresses in one answer of the kernel; whether more are to come."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, _flags, _sequence, _port = _HEADER.unpack_from(data, at)
        if kind in (_DONE, _ERROR):
            return False
        if kind == _NEWADDR:
            family, width, _, _, index = _ADDRESS.unpack_from(data, at + _HEADER.size)
            address = _address(data[at + _HEADER.size + _ADDRESS.size : at + length])
            if family == socket.AF_INET and address is not None:
                found.setdefault(index, []).append(IPv4Interface((address, width)))
        at += (length + 3) & ~3
    return True


def _address(attributes: bytes) -> IPv4Address | None:
    """The local address; on a point-to-point link IFA_ADDRESS is the other end's."""
    values: dict[int, bytes] = {}
    at = 0
    while at + _ATTRIBUTE.size <= len(attributes):
        length, kind = _ATTRIBUTE.unpack_from(attributes, at)
        if length < _ATTRIBUTE.size:
            break
        values[kind] = attributes[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    octets = values.get(_IFA_LOCAL) or values.get(_IFA_ADDRESS)
    return IPv4Address(octets) if octets is not None and len(octets) == 4 else None


def changes() -> socket.socket:
    """A socket that turns readable when an interface or an address comes, goes or changes."""
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
    netlink.bind((0, _GROUPS))
    return netlink
