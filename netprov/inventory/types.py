"""The types of the field table: how a node becomes a value, and what an editor's schema says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Protocol

from netprov.inventory import model, values
from netprov.inventory.nodes import ListNode, MapNode, Node, ScalarNode

Schema = dict[str, Any]
INHERIT = "<<inherit>>"  # Cobbler's word for an unset field


class Wrong(Exception):
    """A value that a type refuses: the node at fault, the path to it within the field, and what to write."""

    def __init__(self, node: Node, text: str, path: str = "") -> None:
        super().__init__(text)
        self.node = node
        self.text = text
        self.path = path


@dataclass(frozen=True, slots=True)
class Removal:
    """`!value` in a list that concatenates: takes the inherited value out."""

    value: object


def unset(node: Node) -> bool:
    """Whether the field is there without a value: the same as its not being there."""
    return isinstance(node, ScalarNode) and (node.null or node.text == INHERIT)


def _shape(node: Node) -> str:
    if isinstance(node, MapNode):
        return "a mapping"
    return "a list" if isinstance(node, ListNode) else repr(node.text)


@dataclass(frozen=True, slots=True)
class Type:
    """A scalar. `parse` raises ValueError."""

    label: str
    parse: Callable[[str], object]
    shape: Mapping[str, Any]
    choices: tuple[str, ...] = ()

    def read(self, node: Node) -> object:
        if not isinstance(node, ScalarNode):
            raise Wrong(node, f"must be {self.label}, not {_shape(node)}")
        try:
            return self.parse(node.text)
        except ValueError as error:
            raise Wrong(node, str(error)) from None

    def schema(self) -> Schema:
        return dict(self.shape)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list, or one text with the items between commas or blanks (`split`). Each item counts once.

    `removable`: an item may be `!value`, which takes an inherited one out.
    """

    item: Type
    removable: bool = False
    split: bool = True

    @property
    def label(self) -> str:
        return f"list of {self.item.label}"

    @property
    def choices(self) -> tuple[str, ...]:
        return self.item.choices

    def read(self, node: Node) -> tuple[object, ...]:
        if isinstance(node, MapNode):
            raise Wrong(node, f"must be a {self.label}, not a mapping")
        if isinstance(node, ListNode):
            items: Iterable[Node] = node.items
        elif self.split:
            items = [node._replace(text=word) for word in node.text.replace(",", " ").split()]
        else:
            items = [node] if node.text else []
        return tuple(dict.fromkeys(self._item(item) for item in items))

    def _item(self, node: Node) -> object:
        if self.removable and isinstance(node, ScalarNode) and node.text.startswith("!"):
            return Removal(self.item.read(node._replace(text=node.text[1:])))
        return self.item.read(node)

    def schema(self) -> Schema:
        item = self.item.schema()
        if self.removable:
            item = {"anyOf": [item, {"type": "string", "pattern": "^!"}]}
        return {"anyOf": [{"type": "array", "items": item}, {"type": "string"}, self.item.schema()]}


@dataclass(frozen=True, slots=True)
class KernelOptions:
    """A command line: a mapping, a text split as a shell would, or a list of such texts.

    → option → the strings to give it, one for each time it stands there, or None for a bare flag. A key `!option` takes
    an inherited one out; so does `option: false`.
    """

    label: str = "kernel options"
    choices: tuple[str, ...] = ()

    def read(self, node: Node) -> dict[str, tuple[str, ...] | None]:
        if isinstance(node, MapNode):
            return dict(self._option(key, value) for key, value in node.entries.items() if not _inherits(value))
        found: dict[str, tuple[str, ...] | None] = {}
        for item in node.items if isinstance(node, ListNode) else (node,):
            for word in _words(item):
                key, equals, text = word.partition("=")
                self._check(item, key, text)
                found[key] = (*(found.get(key) or ()), text) if equals else None
        return found

    def _option(self, key: str, node: Node) -> tuple[str, tuple[str, ...] | None]:
        if isinstance(node, MapNode):
            raise Wrong(node, "must be text or a list of texts, not a mapping", f".{key}")
        self._check(node, key, "")
        if key.startswith("!"):
            return key, None
        if isinstance(node, ScalarNode):
            if node.null or (node.plain and node.text.lower() == "true"):
                return key, None
            if node.plain and node.text.lower() == "false":
                return f"!{key}", None
        texts = []
        for item in node.items if isinstance(node, ListNode) else (node,):
            if not isinstance(item, ScalarNode):
                raise Wrong(item, f"must be text, not {_shape(item)}", f".{key}")
            self._check(item, key, item.text)
            texts.append(item.text)
        return key, tuple(texts) or None

    @staticmethod
    def _check(node: Node, key: str, text: str) -> None:
        try:
            values.parse_line(key + text)
        except ValueError as error:
            raise Wrong(node, str(error), f".{key}") from None
        if not key.removeprefix("!") or any(c in key for c in " =\"'"):
            raise Wrong(node, f"{key!r} is not the name of a kernel option")

    def schema(self) -> Schema:
        one = {"type": ["string", "number", "boolean", "null"]}
        entry = {"anyOf": [one, {"type": "array", "items": {"type": ["string", "number"]}}]}
        listed = {"type": "array", "items": {"type": "string"}}
        return {"anyOf": [{"type": "object", "additionalProperties": entry}, {"type": "string"}, listed]}


@dataclass(frozen=True, slots=True)
class Free:
    """Any mapping, for the templates; or a text of `key=value` words. `!key` takes an inherited one out."""

    label: str = "mapping"
    choices: tuple[str, ...] = ()

    def read(self, node: Node) -> dict[str, model.Value]:
        if isinstance(node, ListNode):
            raise Wrong(node, "must be a mapping, not a list")
        if isinstance(node, MapNode):
            return {key: free_value(value) for key, value in node.entries.items() if not _inherits(value)}
        found: dict[str, model.Value] = {}
        for word in _words(node):
            key, equals, text = word.partition("=")
            if not key or not (equals or key.startswith("!")):
                raise Wrong(node, f"{word!r} is not key=value")
            found[key] = text if equals else None
        return found

    def schema(self) -> Schema:
        return {"type": ["object", "string"]}


@dataclass(frozen=True, slots=True)
class Section:
    """One object of `kind` in place."""

    kind: str
    label: str = "mapping"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """Objects of `kind` by name."""

    kind: str
    label: str = "mapping by name"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Many:
    """A list of objects of `kind`."""

    kind: str
    label: str = "list of mappings"
    choices: tuple[str, ...] = ()


class LeafType(Protocol):
    """A type that reads its node by itself, raising Wrong; Section, Named and Many are read by the field table."""

    @property
    def label(self) -> str: ...
    @property
    def choices(self) -> tuple[str, ...]: ...
    def read(self, node: Node) -> object: ...
    def schema(self) -> Schema: ...


FieldType = LeafType | Section | Named | Many


def _inherits(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.text == INHERIT


def _words(node: Node) -> Sequence[str]:
    if not isinstance(node, ScalarNode):
        raise Wrong(node, f"must be text, not {_shape(node)}")
    try:
        return values.words(node.text)
    except ValueError as error:
        raise Wrong(node, str(error)) from None


def free_value(node: Node) -> model.Value:
    """The value a template sees: by YAML 1.2's rules, but a number only where it is written the one way that gives the
    same text again: `1.10`, `007` and `1e3` stay texts, as do `no` and `off`."""
    if isinstance(node, MapNode):
        return {key: free_value(value) for key, value in node.entries.items()}
    if isinstance(node, ListNode):
        return tuple(free_value(item) for item in node.items)
    if not node.plain:
        return node.text
    if node.null:
        return None
    if node.text.lower() in ("true", "false"):
        return node.text.lower() == "true"
    for number in (int, float):
        try:
            if len(node.text) < 20 and str(found := number(node.text)) == node.text and node.text[-1].isdigit():
                return found
        except ValueError:
            continue
    return node.text


def choice(options: Iterable[str], enum: type[StrEnum] | None = None, also: Mapping[str, str] | None = None) -> Type:
    """One of `options`; `also` maps other spellings to them."""
    known = {option: option for option in options} | dict(also or {})
    listed = tuple(dict.fromkeys(known.values()))

    def parse(text: str) -> object:
        meant = known.get(text) or known.get(text.lower())
        if meant is None:
            near = get_close_matches(text.lower(), known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"{text!r} is not one of {', '.join(listed)}{hint}")
        return enum(meant) if enum is not None else meant

    return Type("one of " + ", ".join(f"`{option}`" for option in listed), parse, {"enum": list(known)}, listed)


def number(least: int, most: int) -> Type:
    whole = {"type": "integer", "minimum": least, "maximum": most}
    shape = {"anyOf": [whole, {"type": "string", "pattern": r"^-?\d+$"}]}
    return Type(f"number, {least} to {most}", lambda text: values.parse_number(text, least, most), shape)


def _string(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


_IP = r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}"
_MAC = r"^([0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}(\.[0-9A-Fa-f]{4}){2}|[0-9A-Fa-f]{12})$"
_NUMBER_OR_TEXT: Schema = {"type": ["integer", "string"]}

TEXT = Type("text", values.parse_line, {"type": ["string", "number", "boolean"]})
PROSE = Type("text, also of several lines", str, {"type": ["string", "number", "boolean"]})
NAME = Type("name", values.parse_name, {"type": ["string", "number", "boolean"]})
PATH = Type("path", values.parse_line, {"type": "string"})
FOLDER = Type("path", values.parse_folder, {"type": "string", "not": {"pattern": "://"}})
_FLAGS: Schema = {"anyOf": [{"type": "boolean"}, {"enum": ["yes", "no", "on", "off", 0, 1]}]}
FLAG = Type("true or false", values.parse_flag, _FLAGS)
ADDRESS = Type("IPv4 address", values.parse_address, _string(f"^{_IP}$"))
NETWORK = Type("IPv4 network", values.parse_network, _string(f"^{_IP}(/.+)?$"))
INTERFACE_ADDRESS = Type("IPv4 address/prefix", values.parse_interface_address, _string(f"^{_IP}(/.+)?$"))
NETMASK = Type("netmask", values.parse_netmask, _NUMBER_OR_TEXT)
RANGE = Type("first-last address", values.parse_range, _string(rf"^{_IP}(\s*-\s*{_IP})?$"))
PORTS = Type("first-last port", values.parse_ports, _string(r"^\d+\s*-\s*\d+$"))
MAC = Type("MAC address", values.parse_station, _string(_MAC))
UUID = Type("UUID", values.parse_uuid, _string(r"^[0-9A-Fa-f-]{32,36}$"))
IDENTIFIER = Type("octets (01:52:… or hex:…) or text", values.parse_identifier, {"type": ["string", "number"]})
HOSTNAME = Type("host name", values.parse_hostname, {"type": ["string", "number", "boolean"]})
DEVICE = Type("network device", values.parse_device, {"type": "string"})
OCTETS = Type("size, like 4G", values.parse_octets, _string(r"^[\d.]+\s*[KMGTkmgt]([iI]?[bB])?$"))
RECORD = Type(
    "size, like 64M, or off", values.parse_record,
    {"anyOf": [_string(r"^[\d.]+\s*[KMGTkmgt]([iI]?[bB])?$"), {"enum": ["off", "no", "false", False, 0]}]},
)  # fmt: skip
MEBIBYTES = Type("MiB, or a size like 4G", values.parse_mebibytes, _NUMBER_OR_TEXT)
DURATION = Type("duration: seconds, 90s, 30m, 1h, 7d", values.parse_duration, _NUMBER_OR_TEXT)
PORT = number(1, 65535)
