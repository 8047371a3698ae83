"""iPXE's types of settings: the octets that a text stands for, and the text of octets. Source: src/core/settings.c."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import unquote_to_bytes
from uuid import UUID

_ESCAPED = frozenset(b" %/#:@?=&+")  # besides what cannot be printed
_WIDTHS = {"8": 1, "16": 2, "32": 4}
_SEPARATORS: Mapping[str, str] = {"hex": ":", "hexhyp": "-", "hexraw": ""}


@dataclass(frozen=True, slots=True)
class Value:
    """`kind`: the name of a type."""

    kind: str
    octets: bytes

    def text(self, kind: str = "") -> str:
        """As `kind` writes it, "": its own. Raises ValueError where those octets are none of that type's."""
        return _formatted(kind or self.kind, self.octets)

    def number(self) -> int:
        """Raises ValueError for what is no integer."""
        if "int" not in self.kind:
            raise ValueError(f"{self.kind} is not a number")
        return int.from_bytes(self.octets, signed=not self.kind.startswith("u"))


def parsed(kind: str, text: str) -> Value:
    """Raises ValueError for a text that is none of that type's, and a type that is none."""
    if kind == "string":
        return Value(kind, text.encode("utf-8", "surrogateescape"))
    if kind == "uristring":
        return Value(kind, unquote_to_bytes(text.encode("utf-8", "surrogateescape")))
    if kind in ("ipv4", "ipv6"):
        return Value(kind, (IPv4Address if kind == "ipv4" else IPv6Address)(text).packed)
    if kind in _SEPARATORS:
        return Value(kind, bytes.fromhex(text.replace(_SEPARATORS[kind] or ":", " ")))
    if kind == "base64":
        return Value(kind, base64.b64decode(text, validate=True))
    if kind in ("uuid", "guid"):
        return Value(kind, UUID(text).bytes if kind == "uuid" else UUID(text).bytes_le)
    return of_number(kind, _integer(text))


def of_number(kind: str, number: int) -> Value:
    """Raises ValueError for a type that holds none. It keeps the lowest bits."""
    found = re.fullmatch(r"u?int(8|16|32)", kind)
    if found is None:
        raise ValueError(f"{kind} is not a type of a setting that can be set")
    width = _WIDTHS[found[1]]
    return Value(kind, (number % (1 << 8 * width)).to_bytes(width))


def _integer(text: str) -> int:
    """As C's strtoul with base 0; nothing is 0."""
    found = re.fullmatch(r"\s*(-?)(?:0x([0-9a-f]{1,16})|0([0-7]{0,22})|([1-9][0-9]{0,19})|)", text, re.IGNORECASE)
    if found is None:
        raise ValueError(f"{text!r} is not a number")
    sign, hexadecimal, octal, decimal = found.groups()
    value = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal or "0")
    return -value if sign else value


def _formatted(kind: str, octets: bytes) -> str:
    if kind == "string":
        return octets.partition(b"\0")[0].decode("utf-8", "replace")
    if kind == "uristring":
        return "".join(f"%{one:02X}" if one in _ESCAPED or not 0x20 < one < 0x7F else chr(one) for one in octets)
    if kind == "ipv4":
        return str(IPv4Address(octets[:4]))
    if kind == "ipv6":
        return str(IPv6Address(octets[:16]))
    if kind in _SEPARATORS:
        return octets.hex(_SEPARATORS[kind]) if _SEPARATORS[kind] else octets.hex()
    if kind == "base64":
        return base64.b64encode(octets).decode()
    if kind in ("uuid", "guid"):
        return str(UUID(bytes=octets) if kind == "uuid" else UUID(bytes_le=octets))
    if re.fullmatch(r"int(8|16|32)", kind):
        return str(int.from_bytes(octets, signed=True))
    if re.fullmatch(r"uint(8|16|32)", kind):
        number = int.from_bytes(octets)
        return hex(number) if number else "0"
    raise ValueError(f"{kind} is not a type of a setting")
