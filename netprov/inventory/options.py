"""Further DHCP options of a subnet, by number or name, encoded.

The codes that DHCP and PXE need for themselves are not to be set here: the server knows what each client needs there.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

from netprov.inventory.nodes import ListNode, MapNode, Node, ScalarNode
from netprov.inventory.types import FLAG, Schema, Wrong
from netprov.inventory.values import parse_address, parse_identifier, parse_line, parse_number


class Option(NamedTuple):
    code: int
    name: str
    encode: Callable[[str], bytes]  # one value; raises ValueError
    many: bool = False
    source: str = "RFC 2132"


def _address(text: str) -> bytes:
    return parse_address(text).packed


def _text(text: str) -> bytes:
    return parse_line(text).encode()


def _uint8(text: str) -> bytes:
    return bytes([parse_number(text, 0, 255)])


def _uint16(text: str) -> bytes:
    return struct.pack("!H", parse_number(text, 0, 0xFFFF))


def _uint32(text: str) -> bytes:
    return struct.pack("!I", parse_number(text, 0, 0xFFFFFFFF))


def _int32(text: str) -> bytes:
    return struct.pack("!i", parse_number(text, -(2**31), 2**31 - 1))


def _flag(text: str) -> bytes:
    return bytes([bool(FLAG.parse(text))])


def _route(text: str) -> bytes:
    """`10.0.0.0/8 192.168.77.1`: RFC 3442's prefix length, significant octets, router."""
    network, _, router = text.partition(" ")
    address, _, length = network.partition("/")
    prefix = parse_number(length, 0, 32)
    return bytes([prefix]) + parse_address(address).packed[: (prefix + 7) // 8] + parse_address(router.strip()).packed


OPTIONS: tuple[Option, ...] = (
    Option(2, "time-offset", _int32),
    Option(4, "time-servers", _address, True),
    Option(5, "name-servers", _address, True),
    Option(7, "log-servers", _address, True),
    Option(9, "lpr-servers", _address, True),
    Option(14, "merit-dump", _text),
    Option(17, "root-path", _text),
    Option(18, "extensions-path", _text),
    Option(19, "ip-forwarding", _flag),
    Option(23, "default-ttl", _uint8),
    Option(26, "mtu", _uint16),
    Option(28, "broadcast", _address),
    Option(31, "router-discovery", _flag),
    Option(33, "static-routes", _address, True),
    Option(35, "arp-timeout", _uint32),
    Option(37, "tcp-ttl", _uint8),
    Option(38, "tcp-keepalive", _uint32),
    Option(40, "nis-domain", _text),
    Option(41, "nis-servers", _address, True),
    Option(42, "ntp-servers", _address, True),
    Option(44, "netbios-name-servers", _address, True),
    Option(46, "netbios-node-type", _uint8),
    Option(47, "netbios-scope", _text),
    Option(69, "smtp-servers", _address, True),
    Option(70, "pop3-servers", _address, True),
    Option(72, "www-servers", _address, True),
    Option(100, "posix-timezone", _text, source="RFC 4833"),
    Option(101, "tzdb-timezone", _text, source="RFC 4833"),
    Option(114, "captive-portal", _text, source="RFC 8910"),
    Option(121, "classless-routes", _route, True, "RFC 3442"),
    Option(125, "vendor-identifying", parse_identifier, source="RFC 3925"),
    Option(138, "capwap", _address, True, "RFC 5417"),
    Option(150, "tftp-servers", _address, True, "RFC 5859"),
    Option(208, "pxelinux-magic", parse_identifier, source="RFC 5071"),
    Option(209, "pxelinux-config-file", _text, source="RFC 5071"),
    Option(210, "pxelinux-path-prefix", _text, source="RFC 5071"),
    Option(211, "pxelinux-reboot-time", _uint32, source="RFC 5071"),
    Option(252, "wpad", _text, source="draft-ietf-wrec-wpad-01"),
)

OURS = {
    0: "", 1: "subnet", 3: "router", 6: "dns", 12: "a system's hostname", 15: "domain", 43: "", 50: "", 51: "lease",
    52: "", 53: "", 54: "", 55: "", 57: "", 58: "lease", 59: "lease", 60: "", 61: "", 66: "next_server",
    67: "a system's filename", 82: "", 93: "", 94: "", 97: "", 108: "v6only", 119: "search", 175: "", 255: "",
}  # fmt: skip
"""Codes the server sets itself, and the field that says what."""

_BY_NAME = {option.name: option for option in OPTIONS}
_BY_CODE = {option.code: option for option in OPTIONS}


@dataclass(frozen=True, slots=True)
class OptionsType:
    """A mapping of options; `hex:0102` gives any of them its raw octets. → code → octets."""

    label: str = "DHCP options"
    choices: tuple[str, ...] = ()

    def read(self, node: Node) -> dict[int, bytes]:
        if not isinstance(node, MapNode):
            raise Wrong(node, "must be a mapping of option numbers or names")
        found: dict[int, bytes] = {}
        for key, value in node.entries.items():
            try:
                code, octets = self._encode(key, value)
            except ValueError as error:
                raise Wrong(value, str(error), f".{key}") from None
            if code in found:
                raise Wrong(value, f"option {code} stands here twice", f".{key}")
            found[code] = octets
        return found

    def _encode(self, key: str, node: Node) -> tuple[int, bytes]:
        option = _BY_NAME.get(key.lower())
        code = option.code if option else _code(key)
        option = option or _BY_CODE.get(code)
        if code in OURS:
            ours = f"; write {OURS[code]}:" if OURS[code] else ""
            raise ValueError(f"option {code} is what the server works out for each client{ours}")
        texts = _texts(node)
        if len(texts) == 1 and texts[0].startswith(("hex:", "0x")):
            octets = parse_identifier(texts[0])
        elif option is None:
            raise ValueError(f"the type of option {code} is not known here; write its octets, like hex:0102ff")
        else:
            if len(texts) > 1 and not option.many:
                raise ValueError(f"option {code} ({option.name}) has one value")
            octets = b"".join(option.encode(text) for text in texts)
        if len(octets) > 255:
            raise ValueError(f"option {code} is longer than 255 octets")
        return code, octets

    def schema(self) -> Schema:
        one = {"type": ["string", "number", "boolean"]}
        value = {"anyOf": [one, {"type": "array", "items": one}]}
        known = {name: value for option in OPTIONS for name in (option.name, str(option.code))}
        others = {r"^\d+$": value}
        return {"type": "object", "properties": known, "patternProperties": others, "additionalProperties": False}


def _code(key: str) -> int:
    try:
        return parse_number(key, 0, 255)
    except ValueError:
        near = get_close_matches(key.lower(), _BY_NAME, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"{key!r} is no option's number, nor one of the names known{hint}") from None


def _texts(node: Node) -> list[str]:
    items = node.items if isinstance(node, ListNode) else (node,)
    texts = [item.text for item in items if isinstance(item, ScalarNode)]
    if len(texts) < len(items) or not texts:
        raise ValueError("must be a value or a list of values")
    return texts


SUBNET_OPTIONS = OptionsType()
