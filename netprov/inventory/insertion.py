"""An entry put into a YAML text that a person wrote, or cut out of it: every other octet stays as it is.

A round trip through a YAML library keeps comments, and still indents, folds and aligns as it likes: the operator's next
`git diff` would show lines that nobody touched. (ruamel.yaml takes 1.6 ms a system for it besides, 16 s for 10,000.)
So the place is looked up in the parser's marks, and the entry's own lines are put there, or taken away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import yaml

from netprov.inventory.model import Value

Path = tuple[str, ...]
"""The keys that lead to a mapping; () is the document's own."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = ("", "~", "null", "Null", "NULL")
_YAML = "tag:yaml.org,2002:"
_STEP = 2  # columns, where nothing shows what the operator uses


@dataclass(slots=True)
class _Found:
    """A node on the way, by offsets into the text. `last`: where the content of its last entry ends."""

    kind: str  # "mapping", "null" or "other"
    flow: bool
    start: int
    end: int = 0
    column: int = 0  # of its first key
    entries: int = 0
    last: int = 0
    last_is_block: bool = False  # that content is a block scalar, which ends with its line's end
    key: int = 0  # where its own key begins
    before: int | None = None  # where the content of the entry before its own ends; None: its own is the first


def with_entry(text: str, section: Path, name: str, value: Value) -> str:
    """`text` with `name: value` behind the last entry of the mapping that `section` leads to, which is made where it is
    missing. `text` is a YAML document that parses.

    Raises ValueError where there is something else than a mapping, or where `value` holds what is not text.
    """
    found = _find(text, section)
    while section and section not in found:
        *rest, missing = section
        section, name, value = tuple(rest), missing, {name: value}
    node = found.get(section)
    if node is None:
        return _insert(text, len(text), _lines({name: value}, 0, _STEP))
    if node.kind == "null":
        return _in_place_of_null(text, section, found, {name: value})
    if node.kind != "mapping":
        raise ValueError(f"{'.'.join(section) or 'the document'} is not written as a mapping")
    if node.flow:
        new, at = _flow({name: value})[1:-1], node.end - 1
        between = re.sub(r"#.*", "", text[node.last : at]) if node.entries else ","
        return _insert(text, at, new if "," in between else f", {new}")
    at = node.last if node.last_is_block else _end_of_line(text, node.last)
    return _insert(text, at, _lines({name: value}, node.column, _step(found)))


def without_entry(text: str, section: Path, name: str) -> str | None:
    """`text` without the entry `name` of the mapping that `section` leads to; None where it has no such entry.

    Raises ValueError where the entry shares a line with what is to stay, and cannot be cut out.
    """
    found = _find(text, (*section, name))
    node, parent = found.get((*section, name)), found.get(section)
    if node is None or parent is None:
        return None
    end = node.end if node.flow else node.last
    start = text.rfind("\n", 0, node.key) + 1
    if parent.flow:
        return _cut_of_braces(text, node, end)
    if not node.last_is_block or node.flow:
        line, end = text[end : _end_of_line(text, end)].strip(), _end_of_line(text, end)
        if line and not line.startswith("#"):
            raise ValueError("something else is on the entry's last line")
    if text[start : node.key].strip(" "):
        raise ValueError("something else is on the entry's first line")
    return text[:start] + text[end:]


def _cut_of_braces(text: str, node: _Found, end: int) -> str:
    """With the comma behind it, or before it where it is the last; and with the line that it has for itself."""
    start = node.key
    if comma := re.compile(r"\s*,[ \t]*").match(text, end):
        end = comma.end()
        line = text.rfind("\n", 0, start) + 1
        if line and not text[line:start].strip(" ") and (rest := re.compile(r"\r?\n").match(text, end)):
            start, end = line, rest.end()
    elif node.before is not None and "#" not in text[node.before : start]:
        start = text.index(",", node.before)
    return text[:start] + text[end:]


def _in_place_of_null(text: str, section: Path, found: Mapping[Path, _Found], value: Mapping[str, Value]) -> str:
    """For `systems:` with nothing behind it, or `~`."""
    node, parent = found[section], found[section[:-1]] if section else None
    if parent is not None and parent.flow:
        return _insert(text[: node.start] + text[node.end :], node.start, " " + _flow(value))
    text = text[: node.start].rstrip(" ") + text[node.end :] if node.end > node.start else text
    column = parent.column + _step(found) if parent is not None else 0
    return _insert(text, _end_of_line(text, node.start - 1 if node.start else 0), _lines(value, column, _STEP))


def _insert(text: str, at: int, new: str) -> str:
    if new.endswith("\n"):
        end = "\r\n" if "\r\n" in text else "\n"
        new = new.replace("\n", end)
        if at and text[at - 1] != "\n":  # the last line of all has no end
            new = end + new
    return text[:at] + new + text[at:]


def _step(found: Mapping[Path, _Found]) -> int:
    """How far the operator indents: as far as the section stands beneath its parent."""
    columns = sorted({known.column for known in found.values() if known.kind == "mapping" and not known.flow})
    return next((b - a for a, b in pairwise(columns) if 2 <= b - a <= 8), _STEP)


def _end_of_line(text: str, at: int) -> int:
    """Behind the line that `at` is in."""
    return (text.find("\n", at) + 1) or len(text)


# writing


class _Dumper(yaml.SafeDumper):
    """Quotes what has a colon: to YAML 1.1 many a MAC is a number in base 60; and what is not printable: PyYAML takes
    NEL, in single quotes, for a line's end.
    """

    def ignore_aliases(self, data: object) -> bool:
        return True


class _FlowDumper(_Dumper):
    """Flow style throughout."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half a character (a lone surrogate) cannot be written") from None
    return dumper.represent_scalar(_YAML + "str", text, '"' if ":" in text or not text.isprintable() else None)


def _sequence(dumper: _Dumper, items: Sequence[object]) -> yaml.SequenceNode:
    return dumper.represent_sequence(_YAML + "seq", items, not any(map(_nests, items)))


def _mapping(dumper: _Dumper, entries: Mapping[str, object]) -> yaml.MappingNode:
    return dumper.represent_mapping(_YAML + "map", entries, not any(map(_nests, entries.values())))


def _nests(value: object) -> bool:
    return isinstance(value, (Mapping, tuple, list))


_Dumper.add_representer(str, _text)
_Dumper.add_representer(tuple, _sequence)
_Dumper.add_representer(list, _sequence)
_Dumper.add_representer(dict, _mapping)
_FlowDumper.add_representer(dict, lambda dumper, entries: dumper.represent_mapping(_YAML + "map", entries, True))
_FlowDumper.add_representer(list, lambda dumper, items: dumper.represent_sequence(_YAML + "seq", items, True))


def _lines(value: Mapping[str, Value], column: int, step: int) -> str:
    """Block style, what nests nothing in a line."""
    (inner,) = value.values()
    flow = None if _nests(inner) else False
    text: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=flow, indent=step, width=10**9, allow_unicode=True, sort_keys=False
    )
    lines = text.removesuffix("\n").split("\n")
    return "".join(f"{' ' * column}{line}\n" if line else "\n" for line in lines)


def _flow(value: Mapping[str, Value]) -> str:
    """A line in braces."""
    text: str = yaml.dump(
        value, Dumper=_FlowDumper, default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False
    )
    return text.strip()


# reading


def _find(text: str, section: Path) -> dict[Path, _Found]:
    """The nodes from the document's own to the one that `section` leads to, as far as there are such."""
    wanted = {section[:n] for n in range(len(section) + 1)}
    walk = _Walk(wanted)
    parser = _LOADER(text)
    try:
        while parser.check_event():
            walk.take(parser.get_event())
    finally:
        parser.dispose()
    return walk.found


@dataclass(slots=True)
class _Open:
    path: Path | None  # None: not on the way
    mapping: bool
    node: _Found | None
    key: str | None = None
    at_value: bool = False
    key_at: int = 0
    before: int | None = None  # as a _Found has it


class _Walk:
    def __init__(self, wanted: set[Path]) -> None:
        self.found: dict[Path, _Found] = {}
        self._wanted = wanted
        self._open: list[_Open] = []
        self._last = 0, False  # where the last content ended, and whether it was a block scalar

    def take(self, event: Any) -> None:
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end(event)
        elif isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
            self._leaf(event)

    def _begin(self, event: Any) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        path = self._path()
        node = None
        if path is not None:
            kind = "mapping" if mapping else "other"
            node = self.found[path] = self._entry(_Found(kind, bool(event.flow_style), event.start_mark.index))
        self._open.append(_Open(path, mapping, node))

    def _end(self, event: Any) -> None:
        done = self._open.pop()
        if done.node is not None:
            done.node.last, done.node.last_is_block = self._last
            done.node.end = event.end_mark.index
        if event.end_mark.index > event.start_mark.index:  # the bracket of a flow collection
            self._last = event.end_mark.index, False
        self._next()

    def _leaf(self, event: Any) -> None:
        top = self._open[-1] if self._open else None
        if top is not None and top.mapping and not top.at_value:
            top.key, top.at_value = getattr(event, "value", None), True
            if top.node is not None:
                top.key_at, top.before = event.start_mark.index, self._last[0] if top.node.entries else None
                top.node.entries += 1
                if top.node.entries == 1:
                    top.node.column = event.start_mark.column
            return
        path = self._path()
        block = getattr(event, "style", None) in ("|", ">")
        if path is not None:
            plain = isinstance(event, yaml.ScalarEvent) and not event.style
            kind = "null" if plain and event.value in _NULLS else "other"
            node = self.found[path] = self._entry(_Found(kind, False, event.start_mark.index, event.end_mark.index))
            node.last, node.last_is_block = event.end_mark.index, block
        self._last = event.end_mark.index, block
        self._next()

    def _entry(self, node: _Found) -> _Found:
        """Knows where its key stands."""
        if self._open:
            node.key, node.before = self._open[-1].key_at, self._open[-1].before
        return node

    def _path(self) -> Path | None:
        """Where the node that begins now stands, where that is on the way."""
        if not self._open:
            return ()
        top = self._open[-1]
        path = (*top.path, top.key) if top.path is not None and top.mapping and top.key is not None else None
        return path if path in self._wanted else None

    def _next(self) -> None:
        if self._open:
            self._open[-1].at_value = False
