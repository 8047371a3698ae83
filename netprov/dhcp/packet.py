"""The DHCP and BOOTP packet: bytes to fields and back (RFC 951, 1542, 2131, 2132, 3396).

Reading is tolerant where the world is (a missing END, pads, a last option cut short, overloaded fields, an option in
several pieces), and strict on what is no DHCP at all: then, and only then, `parse` raises PeerError.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address
from socket import inet_ntoa

from netprov.errors import PeerError
from netprov.mac import Mac, mac_of
from netprov.quick import quick

ANY = IPv4Address(0)
COOKIE = b"\x63\x82\x53\x63"
BOOTREQUEST, BOOTREPLY = 1, 2
ETHERNET, INFINIBAND = 1, 32  # htype
BROADCAST_FLAG = 0x8000

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
TYPE_NAMES: Mapping[int | None, str] = {
    None: "bootp",
    DISCOVER: "discover",
    OFFER: "offer",
    REQUEST: "request",
    DECLINE: "decline",
    ACK: "ack",
    NAK: "nak",
    RELEASE: "release",
    INFORM: "inform",
}

PAD, END = 0, 255
MIN_BOOTP = 300  # RFC 951 §3: relays and clients drop less
MIN_MESSAGE = 548  # what every client takes: a 576-octet datagram (RFC 2131 §2) without its IP and UDP headers
MAX_MESSAGE = 1472  # what an Ethernet frame carries; a client that claims more still sits on Ethernet

_HEADER = struct.Struct("!4BIHH4I16s64s128s")
_OPTIONS_AT = _HEADER.size + len(COOKIE)
_PADDED = frozenset((66, 67))
"""Options a pad follows. ROMs from Intel's of 2000 to a Lenovo T460 read 67 as a C string and ask TFTP for the name
plus the next octet (netboot.xyz#1198: an FF, the END), and edk2 writes a NUL over the octet behind it. A NUL inside the
option would break the Raspberry Pi (raspberrypi/firmware#871); a pad behind it suits them all."""
_ESSENTIAL = frozenset((1, 3, 43, 51, 53, 54, 60, 61, 66, 67, 82, 97))  # never left out for want of room

_address = lru_cache(maxsize=8192)(IPv4Address)
_dotted = lru_cache(maxsize=8192)(lambda number: inet_ntoa(number.to_bytes(4, "big")))


def dotted(ip: IPv4Address) -> str:
    """`ip` as text. Writing an address takes a microsecond, and each packet's event names several."""
    return _dotted(int(ip))


@quick
@dataclass(frozen=True, slots=True)
class Packet:
    """One packet, by the RFC's names. `chaddr` has its 16 octets; `sname` and `file` end before the first NUL.

    `options` is code → value in the order they stand; pieces of one option are joined (RFC 3396). `forced`: which of
    them the operator wants sent, whatever else there is no room for.
    """

    op: int = BOOTREQUEST
    htype: int = ETHERNET
    hlen: int = 6
    hops: int = 0
    xid: int = 0
    secs: int = 0
    flags: int = 0
    ciaddr: IPv4Address = ANY
    yiaddr: IPv4Address = ANY
    siaddr: IPv4Address = ANY
    giaddr: IPv4Address = ANY
    chaddr: bytes = bytes(16)
    sname: bytes = b""
    file: bytes = b""
    options: Mapping[int, bytes] = field(default_factory=dict)
    forced: frozenset[int] = frozenset()

    @property
    def type(self) -> int | None:
        """The DHCP message type; None: BOOTP."""
        value = self.options.get(53)
        return value[0] if value else None

    @property
    def mac(self) -> Mac | None:
        """The client's Ethernet address; None where chaddr holds something else or nothing.

        Infiniband has hlen 0 (RFC 4390); edk2 may put the machine's GUID there, hlen 16.
        """
        if self.hlen == 6 and self.htype == ETHERNET:
            return mac_of(self.chaddr)
        return None

    @property
    def hardware(self) -> str:
        """chaddr as text: a MAC, or "htype-octets" for other hardware; "" where it is empty or all zero."""
        octets = self.chaddr[: self.hlen]
        if octets.count(0) == self.hlen:
            return ""
        return mac_of(octets) if self.hlen == 6 and self.htype == ETHERNET else f"{self.htype}-{octets.hex()}"

    @property
    def client_id(self) -> bytes:
        return self.options.get(61, b"")

    @property
    def broadcast(self) -> bool:
        return bool(self.flags & BROADCAST_FLAG)

    def address(self, code: int) -> IPv4Address | None:
        """The address in option `code`; None where it is absent, too short or 0.0.0.0."""
        value = self.options.get(code, b"")
        return _address(value[:4]) if len(value) >= 4 and value[:4] != b"\0\0\0\0" else None


def parse(data: bytes) -> Packet:
    """The packet in `data`. Raises PeerError if it is neither DHCP nor BOOTP."""
    if len(data) < _HEADER.size:
        raise PeerError(f"{len(data)} octets are too few for a BOOTP packet")
    op, htype, hlen, hops, xid, secs, flags, ci, yi, si, gi, chaddr, sname, file = _HEADER.unpack_from(data)
    if op not in (BOOTREQUEST, BOOTREPLY):
        raise PeerError(f"op {op} is neither a request nor a reply")
    if hlen > 16:
        raise PeerError(f"a hardware address of {hlen} octets does not fit chaddr")
    options: dict[int, bytes] = {}
    if data[_HEADER.size : _OPTIONS_AT] == COOKIE:
        _read_options(data, _OPTIONS_AT, options)
        if 52 in options:
            sname, file = _read_overload(options, sname, file)
    elif len(data) < MIN_BOOTP:
        raise PeerError("neither DHCP's magic cookie nor the length of a BOOTP packet")
    return Packet(
        op, htype, hlen, hops, xid, secs, flags, _address(ci), _address(yi), _address(si), _address(gi), chaddr,
        sname.partition(b"\0")[0], file.partition(b"\0")[0], options,
    )  # fmt: skip


def _read_options(data: bytes, at: int, options: dict[int, bytes]) -> None:
    """Adds the options from `at` on. One cut short by the end of the data is left out."""
    end = len(data)
    while at < end:
        code = data[at]
        if code == PAD:
            at += 1
            continue
        if code == END or at + 1 >= end:
            return
        start = at + 2
        at = start + data[at + 1]
        if at > end:
            return
        value = data[start:at]
        options[code] = options[code] + value if code in options else value


def _read_overload(options: dict[int, bytes], sname: bytes, file: bytes) -> tuple[bytes, bytes]:
    """Reads the options in `file` and `sname` (RFC 2132 §9.3; the order is RFC 3396 §5's); the fields left over."""
    overload = options.pop(52)[:1]
    which = overload[0] if overload else 0
    if which & 1:
        _read_options(file, 0, options)
        file = b""
    if which & 2:
        _read_options(sname, 0, options)
        sname = b""
    return sname, file


def encode(packet: Packet, limit: int = MIN_MESSAGE) -> bytes:
    """The octets of `packet`, at least 300 (RFC 951) and at most `limit`.

    What does not fit is left out, and nothing else, options a client cannot do without excepted; the operator's come
    before those that stand first. The fields are never overloaded with options, as PXE ROMs do not read those. Values
    over 255 octets go in pieces (RFC 3396).
    """
    body = b"".join([_tlv(code, value) for code, value in packet.options.items()])
    room = limit - _OPTIONS_AT - 1
    if len(body) > room:
        body = _fitting(packet.options, packet.forced, room)
    head = _HEADER.pack(
        packet.op, packet.htype, packet.hlen, packet.hops, packet.xid, packet.secs, packet.flags,
        int(packet.ciaddr), int(packet.yiaddr), int(packet.siaddr), int(packet.giaddr),
        packet.chaddr, packet.sname[:63], packet.file[:127],
    )  # fmt: skip
    return (head + COOKIE + body + b"\xff").ljust(MIN_BOOTP, b"\0")


def _fitting(options: Mapping[int, bytes], forced: frozenset[int], room: int) -> bytes:
    """The options that fit in `room` octets, in their order: the essential ones, of the others `forced` before all."""
    pieces = {code: _tlv(code, value) for code, value in options.items()}
    kept = {code for code in pieces if code in _ESSENTIAL}
    room -= sum(len(pieces[code]) for code in kept)
    for code in sorted((code for code in pieces if code not in kept), key=lambda code: code not in forced):
        if len(pieces[code]) <= room:
            room -= len(pieces[code])
            kept.add(code)
    return b"".join(piece for code, piece in pieces.items() if code in kept)


@lru_cache(maxsize=4096)  # most of what is sent is the same for all machines
def _tlv(code: int, value: bytes) -> bytes:
    if len(value) > 255:
        return b"".join(_tlv(code, value[i : i + 255]) for i in range(0, len(value), 255))
    if code in _PADDED:
        return bytes((code, len(value))) + value + b"\0"
    return bytes((code, len(value))) + value


def message_limit(packet: Packet) -> int:
    """The longest reply, in octets of UDP payload, that the sender of `packet` takes (RFC 2132 §9.10).

    Option 57 counts the IP and UDP headers in (as ISC's and dnsmasq's servers read it); less than the minimum every
    client must take is ignored.
    """
    value = packet.options.get(57, b"")
    if len(value) < 2:
        return MIN_MESSAGE
    return min(max(int.from_bytes(value[:2], "big") - 28, MIN_MESSAGE), MAX_MESSAGE)
