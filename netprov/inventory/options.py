"""Further DHCP options of a subnet, or of the clients of a profile or system, by number or name, encoded.

The codes that DHCP and PXE need for themselves are not to be set here: the server knows what each client needs there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from netprov.dhcpoptions.table import OPTIONS, option_named
from netprov.dhcpoptions.types import Type
from netprov.inventory.model import ClientOptions
from netprov.inventory.nodes import ListNode, MapNode, Node, ScalarNode
from netprov.inventory.types import Schema, Wrong
from netprov.inventory.values import (
    parse_address,
    parse_flag,
    parse_identifier,
    parse_line,
    parse_network,
    parse_number,
)

OURS: Mapping[int, str] = {
    0: "", 1: "subnet", 3: "router", 6: "dns", 12: "a system's hostname", 15: "domain", 43: "", 50: "", 51: "lease",
    52: "", 53: "", 54: "", 55: "", 57: "", 58: "lease", 59: "lease", 60: "", 61: "", 66: "next_server",
    67: "a system's filename", 82: "", 93: "", 94: "", 97: "", 108: "v6only", 119: "search", 175: "", 255: "",
}  # fmt: skip
"""Codes the server sets itself, and the field that says what."""

FOR_CLIENTS = frozenset((43, 66, 67))
"""Those of them that are a client's own matter: what a switch or telephone sets itself up by."""


def _route(text: str) -> tuple[IPv4Network, IPv4Address]:
    """`10.0.0.0/8 192.168.77.1`: where to, and by which router."""
    network, _, router = text.partition(" ")
    return parse_network(network), parse_address(router.strip())


def _pairs(texts: Sequence[str]) -> tuple[tuple[IPv4Address, IPv4Address], ...]:
    """`10.1.2.3 192.168.77.1`, or each address by itself."""
    found = [parse_address(word) for text in texts for word in text.split()]
    if len(found) % 2:
        raise ValueError("must be pairs of addresses, like 10.1.2.3 192.168.77.1")
    return tuple(zip(found[::2], found[1::2], strict=True))


_ONE: Mapping[Type, Callable[[str], object]] = {
    Type.IP: parse_address,
    Type.U8: partial(parse_number, least=0, most=0xFF),
    Type.U16: partial(parse_number, least=0, most=0xFFFF),
    Type.U32: partial(parse_number, least=0, most=0xFFFFFFFF),
    Type.I32: partial(parse_number, least=-(2**31), most=2**31 - 1),
    Type.BOOL: parse_flag,
    Type.TEXT: parse_line,
    Type.OCTETS: parse_identifier,
}
_EACH: Mapping[Type, Callable[[str], object]] = {
    Type.IPS: parse_address,
    Type.U16S: _ONE[Type.U16],
    Type.ROUTES: _route,
}
"""How one value, or each of several, is read from a text. What is of another type is written as octets."""


@dataclass(frozen=True, slots=True)
class OptionsType:
    """A mapping of options; `hex:0102` gives any of them its raw octets. → code → octets."""

    label: str = "DHCP options"
    choices: tuple[str, ...] = ()
    allowed: frozenset[int] = frozenset()  # of OURS

    def read(self, node: Node) -> dict[int, bytes]:
        if not isinstance(node, MapNode):
            raise Wrong(node, "must be a mapping of option numbers or names")
        found: dict[int, bytes] = {}
        for key, value in node.entries.items():
            try:
                code = self._code(key)
                octets = _encode(code, value)
            except ValueError as error:
                raise Wrong(value, str(error), f".{key}") from None
            if code in found:
                raise Wrong(value, f"option {code} appears here twice", f".{key}")
            found[code] = octets
        return found

    def schema(self) -> Schema:
        one = {"type": ["string", "number", "boolean"]}
        value: Schema = {"anyOf": [one, {"type": "array", "items": one}]}
        known: dict[str, Any] = {}
        for option in OPTIONS.values():
            if option.code not in OURS or option.code in self.allowed:
                old = value | {"description": f"Another name of `{option.name}`.", "deprecated": True}
                known |= {option.name: value, str(option.code): value} | dict.fromkeys(option.aliases, old)
        others = {r"^\d+$": value}
        return {"type": "object", "properties": known, "patternProperties": others, "additionalProperties": False}

    def _code(self, key: str) -> int:
        code = parse_number(key, 0, 255) if key.isdecimal() else option_named(key).code
        if code in OURS and code not in self.allowed:
            ours = f"; write {OURS[code]}:" if OURS[code] else ""
            raise ValueError(f"option {code} is what the server works out for each client{ours}")
        return code


@dataclass(frozen=True, slots=True)
class ClientOptionsType:
    """One mapping of options, or a list of such, each perhaps with the vendor class it is for. → ClientOptions."""

    label: str = "DHCP options, or a list of such, each perhaps with a class"
    choices: tuple[str, ...] = ()

    def read(self, node: Node) -> tuple[ClientOptions, ...]:
        if isinstance(node, ListNode):
            return tuple(self._one(item, f"[{at}]") for at, item in enumerate(node.items))
        return (self._one(node, ""),)

    def _one(self, node: Node, path: str) -> ClientOptions:
        if not isinstance(node, MapNode):
            raise Wrong(node, "must be a mapping of option numbers or names", path)
        entries = dict(node.entries)
        named = entries.pop(_CLASS, None)
        try:
            options = _CLIENTS.read(node._replace(entries=entries))
        except Wrong as wrong:
            raise Wrong(wrong.node, wrong.text, path + wrong.path) from None
        return ClientOptions(_class_name(named, path), tuple(options.items()))

    def schema(self) -> Schema:
        one = _CLIENTS.schema()
        one["properties"] = {_CLASS: {"type": "string", "minLength": 1}, **one["properties"]}
        return {"anyOf": [one, {"type": "array", "items": one}]}


def _class_name(node: Node | None, path: str) -> str:
    if node is None:
        return ""
    if not isinstance(node, ScalarNode) or node.null or not node.text:
        raise Wrong(node, "must be how the clients' vendor class begins, such as PXEClient", f"{path}.{_CLASS}")
    try:
        return parse_line(node.text)
    except ValueError as error:
        raise Wrong(node, str(error), f"{path}.{_CLASS}") from None


def _encode(code: int, node: Node) -> bytes:
    texts = _texts(node)
    option = OPTIONS.get(code)
    if len(texts) == 1 and texts[0].startswith(("hex:", "0x")):
        octets = parse_identifier(texts[0])
    elif option is not None and option.type is Type.IP_PAIRS:
        octets = option.type.write(_pairs(texts))
    elif option is not None and option.type in _EACH:
        octets = option.type.write([_EACH[option.type](text) for text in texts])
    elif option is not None and option.type in _ONE:
        if len(texts) > 1:
            raise ValueError(f"option {code} ({option.name}) has one value")
        octets = option.type.write(_ONE[option.type](texts[0]))
    else:
        raise ValueError(f"option {code} is written as octets here, like hex:0102ff")
    if len(octets) > 255:
        raise ValueError(f"option {code} is longer than 255 octets")
    return octets


def _texts(node: Node) -> list[str]:
    items = node.items if isinstance(node, ListNode) else (node,)
    texts = [item.text for item in items if isinstance(item, ScalarNode)]
    if len(texts) < len(items) or not texts:
        raise ValueError("must be a value or a list of values")
    return texts


_CLASS = "class"
_CLIENTS = OptionsType(allowed=FOR_CLIENTS)
SUBNET_OPTIONS = OptionsType()
CLIENT_OPTIONS = ClientOptionsType()
