"""TFTP packets (RFC 1350, option extension RFC 2347): bytes to values and back."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from netprov.errors import PeerError


class Op(IntEnum):
    RRQ = 1
    WRQ = 2
    DATA = 3
    ACK = 4
    ERROR = 5
    OACK = 6


class Code(IntEnum):
    """Error codes: RFC 1350 appendix, 8 by RFC 2347."""

    UNDEFINED = 0
    NOT_FOUND = 1
    ACCESS = 2
    DISK_FULL = 3
    ILLEGAL = 4
    UNKNOWN_TID = 5
    EXISTS = 6
    NO_USER = 7
    OPTION = 8


class Mode(StrEnum):
    OCTET = "octet"
    NETASCII = "netascii"


Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """RRQ, or WRQ where `write`. `name` holds octets that are not UTF-8 as surrogate escapes, ready for os.fsencode."""

    name: str
    mode: Mode = Mode.OCTET
    options: Options = ()
    write: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    block: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ack:
    block: int


@dataclass(frozen=True, slots=True)
class Error:
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Oack:
    options: Options


Packet = Request | Data | Ack | Error | Oack

ERROR_TEXT_MAX = 500  # octets: an ERROR stays within the 512 of RFC 1350 whatever a template's error says


_pack = struct.Struct("!HH").pack
_ACK = int(Op.ACK)  # a plain int: an enum's member costs more than the packing


def ack(block: int) -> bytes:
    """The ACK of `block`, whose number wraps from 65535 to 0."""
    return _pack(_ACK, block & 0xFFFF)


def error(code: int, text: str) -> bytes:
    """An ERROR packet; a text too long is cut, NUL and what is not ASCII becomes "?"."""
    line = text.replace("\0", "?").encode("ascii", "replace")[:ERROR_TEXT_MAX]
    return struct.pack("!HH", Op.ERROR, code) + line + b"\0"


def encode(packet: Packet) -> bytes:
    match packet:
        case Request(name, mode, options, write):
            head = struct.pack("!H", Op.WRQ if write else Op.RRQ) + name.encode("utf-8", "surrogateescape") + b"\0"
            return head + mode.value.encode() + b"\0" + _join(options)
        case Data(block, data):
            return struct.pack("!HH", Op.DATA, block & 0xFFFF) + data
        case Ack(block):
            return ack(block)
        case Error(code, text):
            return error(code, text)
        case Oack(options):
            return struct.pack("!H", Op.OACK) + _join(options)


def decode(datagram: bytes) -> Packet:
    """The packet in `datagram`.

    Strict where a guess could send wrong octets, tolerant where field clients are sloppy and the meaning is plain: an
    option list cut short keeps its whole pairs (RFC 2347 lets a server ignore an option), empty option names (a ROM
    that pads with zeros) fall out, an ERROR may lack its NUL, octets after an ACK do not count.

    Raises PeerError (code 4) for everything else.
    """
    if len(datagram) < 2:
        raise PeerError(f"a TFTP packet of {len(datagram)} octets", Code.ILLEGAL)
    op = datagram[0] << 8 | datagram[1]
    if op in (Op.RRQ, Op.WRQ):
        return _request(datagram[2:], write=op == Op.WRQ)
    if op == Op.OACK:
        return Oack(_pairs(datagram[2:].split(b"\0")[:-1]))
    if op not in (Op.DATA, Op.ACK, Op.ERROR):
        raise PeerError(f"unknown TFTP opcode {op}", Code.ILLEGAL)
    if len(datagram) < 4:
        raise PeerError(f"{Op(op).name} of {len(datagram)} octets", Code.ILLEGAL)
    number = datagram[2] << 8 | datagram[3]
    if op == Op.DATA:
        return Data(number, datagram[4:])
    if op == Op.ACK:
        return Ack(number)
    return Error(number, datagram[4:].split(b"\0", 1)[0].decode("ascii", "backslashreplace"))


def _request(body: bytes, write: bool) -> Request:
    name, *rest = body.split(b"\0")[:-1] or [b""]  # what no NUL ends is not a field
    if not rest:
        raise PeerError("a request without file name and mode", Code.ILLEGAL)
    if not name:
        raise PeerError("a request with an empty file name", Code.ILLEGAL)
    word = rest[0].decode("ascii", "backslashreplace")
    try:
        mode = Mode(word.lower())
    except ValueError:
        raise PeerError(f"transfer mode {word!r}: only octet and netascii are served", Code.ILLEGAL) from None
    return Request(name.decode("utf-8", "surrogateescape"), mode, _pairs(rest[1:]), write)


def _pairs(fields: list[bytes]) -> Options:
    words = [field.decode("latin-1") for field in fields]  # never fails, and goes back unchanged
    return tuple((name, value) for name, value in zip(words[::2], words[1::2], strict=False) if name)


def _join(options: Options) -> bytes:
    return b"".join(f"{name}\0{value}\0".encode("latin-1") for name, value in options)
