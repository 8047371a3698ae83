"""A change of the configuration, tried in memory: `profile=db`, `profiles.web.autoinstall=new.ks`, `dhcp.mode=full`.

It is made in the documents as they were read, so the loader reads the changed ones as it reads any, and complains of
them in the same words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from netprov.errors import ConfigError, Origin, Problem
from netprov.inventory.declared import SECTIONS, SETTINGS
from netprov.inventory.fields import SPELLINGS, Kind
from netprov.inventory.nodes import ListNode, MapNode, Node, ScalarNode, compose, origin_of
from netprov.inventory.report import Report

_PLURALS = {str(kind): section for section, kind in SECTIONS.items()}
_SUBNETS = ("subnets", "subnet")
_ADDRESS = "subnet"  # the field that names one


@dataclass
class Documents:
    """Looks at the documents of a load as they pass by: which objects are declared, and under which section."""

    names: dict[str, list[str]] = field(default_factory=dict)

    def __call__(self, root: MapNode) -> MapNode:
        for part in _parts(root):
            for section in SECTIONS:
                entries = part.entries.get(section)
                for name in entries.entries if isinstance(entries, MapNode) else ():
                    self.names.setdefault(name, []).append(section)
        return root


@dataclass(frozen=True, slots=True)
class Change:
    """What is set: `path` within the `name`d object of `section`; a setting's section has no name, and a subnet's name
    is its network."""

    text: str
    section: str
    name: str
    path: str
    value: Node


class Changes:
    """Makes changes in documents as they are read; `main` is the file that settings stand in."""

    def __init__(self, changes: Iterable[Change], main: str) -> None:
        self._changes = tuple(changes)
        self._main = main
        self._missing = {change.text: change for change in self._changes}

    def __call__(self, root: MapNode) -> MapNode:
        for change in self._changes:
            root = self._made(change, root)
        return root

    def check(self) -> None:
        """Raises ConfigError for what was to be changed and is not declared at all."""
        for change in self._missing.values():
            text = f"no such {change.section.removesuffix('s')}: {change.name}"
            raise ConfigError(Problem(_origin(change.text), "", text))

    def _made(self, change: Change, root: MapNode) -> MapNode:
        if change.section in SETTINGS:
            if root.file != self._main:
                return root
            self._missing.pop(change.text, None)
            return _put(root, f"{change.section}.{change.path}", change)
        for holder in ((), ("inventory",), ("dhcp",)):
            part = _at(root, holder)
            section = part.entries.get(change.section) if part is not None else None
            if part is None or section is None:
                continue
            found = self._object(change, section)
            if found is not None:
                self._missing.pop(change.text, None)
                return _with(root, (*holder, change.section), found)
        return root

    def _object(self, change: Change, section: Node) -> Node | None:
        """The section with the change in it; None where its object is not there."""
        if change.section in _SUBNETS and isinstance(section, ListNode):
            items = list(section.items)
            for number, item in enumerate(items):
                if isinstance(item, MapNode) and _named(item, change.name):
                    items[number] = _put(item, change.path, change, Kind.SUBNET)
                    return section._replace(items=tuple(items))
            return None
        if not isinstance(section, MapNode) or change.name not in section.entries:
            return None
        body = section.entries[change.name]
        if isinstance(body, ScalarNode):
            # a snippet may be its text alone; an object that has no fields yet is empty
            entries: dict[str, Node] = {} if body.null else {"text": body}
            body = MapNode(entries, body.file, body.line, 1, 1)
        if not isinstance(body, MapNode):
            return None
        changed = _put(body, change.path, change, SECTIONS[change.section])
        return section._replace(entries={**section.entries, change.name: changed})


def change(text: str, names: dict[str, list[str]], about: str) -> Change:
    """What `text` says to change; `names` are the declared objects', `about` the system that a plain field is of.

    Raises ConfigError where that cannot be known.
    """
    where, equals, value = text.partition("=")
    where = where.strip()
    if not equals or not where:
        raise _wrong(text, "is not a change: write FIELD=VALUE or OBJECT.FIELD=VALUE")
    node = _value(text, value)
    head, _, rest = where.partition(".")
    if head in _SUBNETS and rest:
        network, _, path = _network(rest)
        return Change(text, "subnets", network, path, node)
    section = head if head in SECTIONS else _PLURALS.get(head, "")
    if section and rest:
        mine = {name for name, sections in names.items() if section in sections}
        name = _longest(rest, mine)
        if name:
            return Change(text, section, name, rest[len(name) + 1 :], node)
        if head in SECTIONS:
            raise _wrong(text, f"no such {SECTIONS[section]}: {rest.partition('.')[0]}{_near(rest, mine)}")
    if head in SETTINGS and rest:
        return Change(text, head, "", rest, node)
    name = _longest(where, names)
    if name:
        sections = names[name]
        if len(sections) > 1:
            meant = " or ".join(f"{one}.{where}" for one in sections)
            raise _wrong(text, f"{name} is declared in several sections: write {meant}")
        return Change(text, sections[0], name, where[len(name) + 1 :], node)
    if rest and head not in SPELLINGS[Kind.SYSTEM]:
        known = [*names, *SECTIONS, *SETTINGS]
        raise _wrong(text, f"no object and no section is called {head}{_near(head, known)}")
    if not about:
        raise _wrong(text, "no declared system is named: say whose field it is, like systems.NAME.FIELD=VALUE")
    return Change(text, "systems", about, where, node)


def _value(text: str, value: str) -> Node:
    """The value, read as YAML."""
    file = str(_origin(text))
    node = compose(value.encode(), file)
    return _here(node, file) if node is not None else ScalarNode("", True, file, 0)


def _here(node: Node, file: str) -> Node:
    """The node without lines: it stands in none."""
    if isinstance(node, MapNode):
        entries = {key: _here(part, file) for key, part in node.entries.items()}
        return MapNode(entries, file, 0, node.weight, node.depth)
    if isinstance(node, ListNode):
        return ListNode(tuple(_here(part, file) for part in node.items), file, 0, node.weight, node.depth)
    return node._replace(line=0)


def _origin(text: str) -> Origin:
    return Origin(f"--what-if '{text}'")


def _wrong(text: str, says: str) -> ConfigError:
    return ConfigError(Problem(_origin(text), "", says))


def _near(name: str, known: Iterable[str]) -> str:
    return Report().nearest(name.partition(".")[0], list(known))


def _network(text: str) -> tuple[str, str, str]:
    """`10.0.0.0/24.router` → the network and the field."""
    address, slash, rest = text.partition("/")
    if not slash:
        return text.rpartition(".")
    prefix, dot, path = rest.partition(".")
    return f"{address}/{prefix}", dot, path


def _longest(text: str, names: Iterable[str]) -> str:
    """The longest of `names` that `text` begins with, a dot behind it: names have dots themselves."""
    return max((name for name in names if text.startswith(f"{name}.")), key=len, default="")


def _parts(root: MapNode) -> Iterable[MapNode]:
    inline = root.entries.get("inventory")
    return (root, inline) if isinstance(inline, MapNode) else (root,)


def _named(item: MapNode, network: str) -> bool:
    node = item.entries.get(_ADDRESS)
    return isinstance(node, ScalarNode) and node.text == network


def _at(node: MapNode, path: tuple[str, ...]) -> MapNode | None:
    for key in path:
        child = node.entries.get(key)
        if not isinstance(child, MapNode):
            return None
        node = child
    return node


def _with(node: MapNode, path: tuple[str, ...], value: Node) -> MapNode:
    """`node` with `value` at `path`, which is there."""
    key, *rest = path
    child = node.entries[key]
    if rest:
        assert isinstance(child, MapNode)
        value = _with(child, tuple(rest), value)
    return node._replace(entries={**node.entries, key: value})


def _put(node: MapNode, path: str, change: Change, kind: Kind | None = None) -> MapNode:
    """`node` with the change's value at the dotted `path`; another spelling of the same field makes way for it."""
    key = next((k for k in sorted(node.entries, key=len, reverse=True) if path == k or path.startswith(f"{k}.")), "")
    key = key or path.partition(".")[0]
    rest = path[len(key) + 1 :]
    entries = dict(node.entries)
    spellings = SPELLINGS[kind] if kind is not None else {}
    meant = spellings[key].path if key in spellings else None
    for other in [name for name in entries if name != key and name in spellings and spellings[name].path == meant]:
        del entries[other]
    if not rest:
        entries[key] = change.value
        return node._replace(entries=entries)
    child = entries.get(key, MapNode({}, change.value.file, 0, 1, 1))
    if isinstance(child, ScalarNode) and child.null:
        child = MapNode({}, child.file, child.line, 1, 1)
    if not isinstance(child, MapNode):
        text = f"{key} is not a mapping in {origin_of(child)}: give the whole of it"
        raise _wrong(change.text, text)
    entries[key] = _put(child, rest, change)
    return node._replace(entries=entries)
