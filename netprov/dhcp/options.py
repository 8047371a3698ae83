"""The DHCP options: one row each (code, name, type, RFC), and values to octets and back."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from netprov.errors import PeerError

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
    """What an option holds: (the Python value's type in words, encode, decode)."""

    IP = ("IPv4Address", lambda value: value.packed, _read_ip)
    IPS = ("list of IPv4Address", *_many(4, lambda value: value.packed, _read_ip))
    IP_PAIRS = ("list of pairs of IPv4Address", *_many(
        8, lambda pair: pair[0].packed + pair[1].packed, lambda data: (_read_ip(data[:4]), _read_ip(data[4:]))
    ))  # fmt: skip
    U8 = ("int", *_fixed("!B"))
    U16 = ("int", *_fixed("!H"))
    U16S = ("list of int", *_many(2, *_fixed("!H")))
    U32 = ("int", *_fixed("!I"))
    I32 = ("int", *_fixed("!i"))
    BOOL = ("bool", *_fixed("!?"))
    TEXT = ("str", lambda value: value.encode(), _read_text)
    OCTETS = ("bytes", bytes, bytes)
    CODES = ("list of option codes", bytes, tuple)
    NAMES = ("list of domain names", _write_names, _read_names)
    ROUTES = ("list of (network, gateway)", _write_routes, _read_routes)
    CLASSES = ("list of bytes", _write_user_class, _read_user_class)

    def __init__(self, holds: str, write: Callable[[Value], bytes], read: Callable[[bytes], Value]) -> None:
        self.holds = holds
        self.write = write
        self.read = read


@dataclass(frozen=True, slots=True)
class Option:
    code: int
    name: str
    type: Type
    rfc: int  # 0: no RFC, see the row


_ROWS: tuple[tuple[int, str, Type, int], ...] = (
    (1, "subnet-mask", Type.IP, 2132), (2, "time-offset", Type.I32, 2132), (3, "router", Type.IPS, 2132),
    (4, "time-servers", Type.IPS, 2132), (5, "name-servers", Type.IPS, 2132), (6, "dns", Type.IPS, 2132),
    (7, "log-servers", Type.IPS, 2132), (8, "cookie-servers", Type.IPS, 2132), (9, "lpr-servers", Type.IPS, 2132),
    (10, "impress-servers", Type.IPS, 2132), (11, "rlp-servers", Type.IPS, 2132), (12, "hostname", Type.TEXT, 2132),
    (13, "boot-size", Type.U16, 2132), (14, "merit-dump", Type.TEXT, 2132), (15, "domain", Type.TEXT, 2132),
    (16, "swap-server", Type.IP, 2132), (17, "root-path", Type.TEXT, 2132), (18, "extensions-path", Type.TEXT, 2132),
    (19, "ip-forwarding", Type.BOOL, 2132), (20, "non-local-source-routing", Type.BOOL, 2132),
    (21, "policy-filter", Type.IP_PAIRS, 2132), (22, "max-reassembly", Type.U16, 2132), (23, "ttl", Type.U8, 2132),
    (24, "mtu-aging", Type.U32, 2132), (25, "mtu-plateaus", Type.U16S, 2132), (26, "mtu", Type.U16, 2132),
    (27, "all-subnets-local", Type.BOOL, 2132), (28, "broadcast", Type.IP, 2132),
    (29, "mask-discovery", Type.BOOL, 2132), (30, "mask-supplier", Type.BOOL, 2132),
    (31, "router-discovery", Type.BOOL, 2132), (32, "router-solicitation", Type.IP, 2132),
    (33, "static-routes", Type.IP_PAIRS, 2132), (34, "trailers", Type.BOOL, 2132), (35, "arp-timeout", Type.U32, 2132),
    (36, "ethernet-encapsulation", Type.BOOL, 2132), (37, "tcp-ttl", Type.U8, 2132),
    (38, "tcp-keepalive", Type.U32, 2132), (39, "tcp-keepalive-garbage", Type.BOOL, 2132),
    (40, "nis-domain", Type.TEXT, 2132), (41, "nis-servers", Type.IPS, 2132), (42, "ntp", Type.IPS, 2132),
    (43, "vendor", Type.OCTETS, 2132), (44, "netbios-ns", Type.IPS, 2132), (45, "netbios-dd", Type.IPS, 2132),
    (46, "netbios-node-type", Type.U8, 2132), (47, "netbios-scope", Type.TEXT, 2132), (48, "x-font", Type.IPS, 2132),
    (49, "x-display", Type.IPS, 2132), (50, "requested-address", Type.IP, 2132), (51, "lease-time", Type.U32, 2132),
    (52, "overload", Type.U8, 2132), (53, "message-type", Type.U8, 2132), (54, "server-id", Type.IP, 2132),
    (55, "parameter-request-list", Type.CODES, 2132), (56, "message", Type.TEXT, 2132),
    (57, "max-message-size", Type.U16, 2132), (58, "renewal-time", Type.U32, 2132),
    (59, "rebinding-time", Type.U32, 2132), (60, "vendor-class", Type.TEXT, 2132), (61, "client-id", Type.OCTETS, 2132),
    (64, "nisplus-domain", Type.TEXT, 2132), (65, "nisplus-servers", Type.IPS, 2132),
    (66, "tftp-server-name", Type.TEXT, 2132), (67, "bootfile-name", Type.TEXT, 2132),
    (68, "mobile-ip-agents", Type.IPS, 2132), (69, "smtp", Type.IPS, 2132), (70, "pop3", Type.IPS, 2132),
    (71, "nntp", Type.IPS, 2132), (72, "www", Type.IPS, 2132), (73, "finger", Type.IPS, 2132),
    (74, "irc", Type.IPS, 2132),
    (77, "user-class", Type.CLASSES, 3004), (80, "rapid-commit", Type.OCTETS, 4039), (81, "fqdn", Type.OCTETS, 4702),
    (82, "relay-agent", Type.OCTETS, 3046), (93, "client-arch", Type.U16S, 4578), (94, "client-ndi", Type.OCTETS, 4578),
    (97, "client-uuid", Type.OCTETS, 4578), (100, "tz-posix", Type.TEXT, 4833), (101, "tz-name", Type.TEXT, 4833),
    (108, "ipv6-only-preferred", Type.U32, 8925), (114, "captive-portal", Type.TEXT, 8910),
    (116, "auto-config", Type.U8, 2563), (118, "subnet-selection", Type.IP, 3011),
    (119, "domain-search", Type.NAMES, 3397),
    (121, "classless-routes", Type.ROUTES, 3442), (124, "vi-vendor-class", Type.OCTETS, 3925),
    (125, "vi-vendor", Type.OCTETS, 3925), (150, "tftp-servers", Type.IPS, 5859),
    (175, "ipxe", Type.OCTETS, 0),  # encapsulated options of Etherboot/iPXE (ipxe.org/howto/dhcpd)
    (209, "pxelinux-configfile", Type.TEXT, 5071), (210, "pxelinux-pathprefix", Type.TEXT, 5071),
    (211, "pxelinux-reboottime", Type.U32, 5071), (249, "ms-classless-routes", Type.ROUTES, 0),  # MS-DHCPE §2.2.8
    (252, "wpad", Type.TEXT, 0),  # draft-ietf-wrec-wpad
)  # fmt: skip

OPTIONS: Mapping[int, Option] = {row[0]: Option(*row) for row in _ROWS}
BY_NAME: Mapping[str, Option] = {option.name: option for option in OPTIONS.values()}


def encode_option(code: int, value: Value) -> bytes:
    """The octets of option `code`; bytes for one the table does not have."""
    option = OPTIONS.get(code)
    return option.type.write(value) if option is not None else bytes(value)


def decode_option(code: int, data: bytes) -> Value:
    """The value in option `code`; the octets for one the table does not have. Raises PeerError if it is malformed."""
    option = OPTIONS.get(code)
    if option is None:
        return data
    try:
        return option.type.read(data)
    except (ValueError, IndexError, struct.error) as error:
        raise PeerError(f"option {code} ({option.name}) is malformed: {error}") from None
