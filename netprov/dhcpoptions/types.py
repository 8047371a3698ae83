"""What DHCP options hold: values to octets and back."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from enum import Enum
from ipaddress import IPv4Address, IPv4Network
from typing import Any

Value = Any
"""What a Type decodes to: see its row. The type of an option's value is only known from its code."""


def _fixed(form: str) -> tuple[Callable[[Value], bytes], Callable[[bytes], Value]]:
    packer = struct.Struct(form)
    # longer than it should be: an option sent twice is joined (RFC 3396), and the first copy counts
    return packer.pack, lambda data: packer.unpack_from(data)[0]


def _many(size: int, write: Callable[[Value], bytes], read: Callable[[bytes], Value]) -> Any:
    def encode(values: Sequence[Value]) -> bytes:
        return b"".join(map(write, values))

    def decode(data: bytes) -> tuple[Value, ...]:
        if not data or len(data) % size:
            raise ValueError(f"{len(data)} octets are not a list of {size} each")
        return tuple(read(data[i : i + size]) for i in range(0, len(data), size))

    return encode, decode


def _read_ip(data: bytes) -> IPv4Address:
    return IPv4Address(data[:4])  # raises for fewer than four octets


def _read_text(data: bytes) -> str:
    return data.rstrip(b"\0").decode("utf-8", "replace")  # RFC 2132 §2: trailing NULs must be tolerated


def _write_names(names: Sequence[str]) -> bytes:
    """Domain names of RFC 3397, not compressed."""
    out = bytearray()
    for name in names:
        for label in name.rstrip(".").split("."):
            octets = label.encode("idna")
            out += bytes((len(octets),)) + octets
        out.append(0)
    return bytes(out)


def _read_names(data: bytes) -> tuple[str, ...]:
    names, at = [], 0
    while at < len(data):
        labels, at = _labels(data, at)
        names.append(".".join(labels))
    return tuple(names)


def _labels(data: bytes, at: int) -> tuple[list[str], int]:
    """The labels of the name at `at`, and where the next one begins. Each pointer must lead backwards: no loops."""
    labels: list[str] = []
    after, before = -1, at
    while True:
        length = data[at]
        if length >= 0xC0:
            after = at + 2 if after < 0 else after
            at = (length & 0x3F) << 8 | data[at + 1]
            if at >= before:
                raise ValueError("a compression pointer that leads forward")
            before = at
            continue
        if length > 63 or at + 1 + length > len(data):
            raise ValueError("a label that leads outside")
        at += 1
        if not length:
            return labels, after if after >= 0 else at
        labels.append(data[at : at + length].decode("ascii", "replace"))
        at += length


Route = tuple[IPv4Network, IPv4Address]


def _write_routes(routes: Sequence[Route]) -> bytes:
    """RFC 3442: only the significant octets of each destination."""
    return b"".join(
        bytes((net.prefixlen,)) + net.network_address.packed[: (net.prefixlen + 7) // 8] + via.packed
        for net, via in routes
    )


def _read_routes(data: bytes) -> tuple[Route, ...]:
    routes, at = [], 0
    while at < len(data):
        width = data[at]
        octets = (width + 7) // 8
        if width > 32 or at + 5 + octets > len(data):
            raise ValueError("a route that leads outside")
        net = IPv4Network((data[at + 1 : at + 1 + octets].ljust(4, b"\0"), width), strict=False)
        routes.append((net, IPv4Address(data[at + 1 + octets : at + 5 + octets])))
        at += 5 + octets
    return tuple(routes)


def _read_user_class(data: bytes) -> tuple[bytes, ...]:
    """RFC 3004 has a length before each class; iPXE and most other firmware send one bare class."""
    classes, at = [], 0
    while at < len(data):
        length = data[at]
        if not length or at + 1 + length > len(data):
            return (data,) if data else ()
        classes.append(data[at + 1 : at + 1 + length])
        at += 1 + length
    return tuple(classes)


def _write_user_class(classes: Sequence[bytes]) -> bytes:
    return b"".join(bytes((len(c),)) + c for c in classes)


class Type(Enum):
    """What an option holds: (in words, encode, decode)."""

    IP = ("IPv4 address", lambda value: value.packed, _read_ip)
    IPS = ("list of IPv4 addresses", *_many(4, lambda value: value.packed, _read_ip))
    IP_PAIRS = ("list of pairs of IPv4 addresses", *_many(
        8, lambda pair: pair[0].packed + pair[1].packed, lambda data: (_read_ip(data[:4]), _read_ip(data[4:]))
    ))  # fmt: skip
    U8 = ("whole number", *_fixed("!B"))
    U16 = ("whole number", *_fixed("!H"))
    U16S = ("list of whole numbers", *_many(2, *_fixed("!H")))
    U32 = ("whole number", *_fixed("!I"))
    I32 = ("whole number", *_fixed("!i"))
    BOOL = ("true or false", *_fixed("!?"))
    TEXT = ("text", lambda value: value.encode(), _read_text)
    OCTETS = ("octets", bytes, bytes)
    CODES = ("list of option codes", bytes, tuple)
    NAMES = ("list of domain names", _write_names, _read_names)
    ROUTES = ("list of (network, gateway)", _write_routes, _read_routes)
    CLASSES = ("list of octets", _write_user_class, _read_user_class)

    def __init__(self, holds: str, write: Callable[[Value], bytes], read: Callable[[bytes], Value]) -> None:
        self.holds = holds
        self.write = write
        self.read = read
