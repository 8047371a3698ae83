"""YAML text → nodes that know their line, and nothing that could hurt on the way.

Scalars keep the text as written: what it means depends on the field that it stands in (types.py), so that YAML's own
guesses never bite (`52:54:00:12:34:56` is a number in base 60 to YAML 1.1, `9.10` is 9.1, `no` is false).
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, NoReturn

import yaml

from netprov.errors import ConfigError, Origin, Problem

MAX_DEPTH = 100
"""Collections within collections; a netprov.yaml needs eight. GitLab allows 100 (max_yaml_depth)."""

MAX_ALIASED = 1_000_000
"""Values that aliases may add to a file: a hundred for each of 10,000 systems. go-yaml's bound lies between 400,000 and
4,000,000."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where PyYAML has it, is ten times as fast
_YAML = "tag:yaml.org,2002:"
_HARMLESS = frozenset(_YAML + name for name in ("int", "float", "bool", "null", "map", "seq"))
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class ScalarNode(NamedTuple):
    """`plain`: written without quotes. A value's `line` is that of its key."""

    text: str
    plain: bool
    file: str
    line: int

    @property
    def null(self) -> bool:
        return self.plain and self.text in _NULL


class ListNode(NamedTuple):
    items: tuple[Node, ...]
    file: str
    line: int
    weight: int  # nodes in it, aliases counted with all they stand for
    depth: int  # levels of collections in it, itself included


class MapNode(NamedTuple):
    entries: dict[str, Node]
    file: str
    line: int
    weight: int
    depth: int


Node = ScalarNode | ListNode | MapNode


def origin_of(node: Node) -> Origin:
    return Origin(node.file, node.line)


class _Open:
    """A collection whose end has not come."""

    __slots__ = ("anchor", "depth", "entries", "items", "key", "line", "lines", "merged", "weight")

    def __init__(self, line: int, anchor: str | None, mapping: bool) -> None:
        self.line = line
        self.anchor = anchor
        self.items: list[Node] = []
        self.entries: dict[str, Node] | None = {} if mapping else None
        self.lines: dict[str, int] = {}
        self.merged: list[Node] = []
        self.key: ScalarNode | None = None
        self.weight = 1
        self.depth = 1


class _Composer:
    """Builds the one document of a text from libyaml's events, without recursion."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.open: list[_Open] = []
        self.anchors: dict[str, Node | None] = {}
        self.aliased = 0
        self.root: Node | None = None

    def refuse(self, line: int, text: str) -> NoReturn:
        raise ConfigError(Problem(Origin(self.file, line), "", text))

    def compose(self, text: str) -> Node | None:
        parser = _LOADER(text)
        documents = 0
        event: Any = None
        try:
            while not isinstance(event, yaml.StreamEndEvent):
                event = parser.get_event()
                line = event.start_mark.line + 1
                if isinstance(event, (yaml.NodeEvent, yaml.CollectionEndEvent)):
                    self.take(event, line)
                elif isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        self.refuse(line, "a second YAML document; put it into a file of its own")
        finally:
            parser.dispose()
        return self.root

    def take(self, event: Any, line: int) -> None:
        if isinstance(event, yaml.ScalarEvent):
            plain = event.style is None or event.style == ""
            if event.tag is not None:
                plain = self.untag(event, line) and plain
            self.put(ScalarNode(event.value, plain, self.file, self.line_of(line)), line, event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            self.close(self.open.pop())
        elif isinstance(event, yaml.AliasEvent):
            self.alias(event.anchor, line)
        else:
            if event.tag is not None:
                self.untag(event, line)
            self.nested(len(self.open) + 1, line)
            if event.anchor is not None:
                self.anchors[event.anchor] = None
            self.open.append(_Open(self.line_of(line), event.anchor, isinstance(event, yaml.MappingStartEvent)))

    def nested(self, depth: int, line: int) -> None:
        if depth > MAX_DEPTH:
            self.refuse(line, _TOO_DEEP)

    def line_of(self, line: int) -> int:
        """A value counts as written where its key is."""
        key = self.open[-1].key if self.open else None
        return key.line if key is not None else line

    def untag(self, event: Any, line: int) -> bool:
        """Whether the tag leaves a plain scalar plain."""
        tag: str = event.tag
        if tag == "!" or tag == _YAML + "str":
            return False
        if tag not in _HARMLESS:
            self.refuse(line, f'the YAML tag {tag} means nothing here; to remove an inherited value quote it: "{tag}"')
        return True

    def alias(self, anchor: str | None, line: int) -> None:
        node = self.anchors.get(anchor or "")
        if node is None:
            what = "is inside what it names" if anchor in self.anchors else f"names no anchor &{anchor} above it"
            self.refuse(line, f"the alias *{anchor} {what}")
        if isinstance(node, ScalarNode):
            self.aliased += 1
        else:
            self.aliased += node.weight
            self.nested(len(self.open) + node.depth, line)
        if self.aliased > MAX_ALIASED:
            self.refuse(line, f"the aliases of this file expand to more than {MAX_ALIASED} values; write them out")
        self.put(node, line, None)

    def close(self, done: _Open) -> None:
        if done.entries is None:
            self.put(ListNode(tuple(done.items), self.file, done.line, done.weight, done.depth), done.line, done.anchor)
            return
        for source in done.merged:
            self.merge(done.entries, source)
        self.put(MapNode(done.entries, self.file, done.line, done.weight, done.depth), done.line, done.anchor)

    def merge(self, entries: dict[str, Node], source: Node) -> None:
        """YAML's merge key: `<<: *base`, or a list of them, the first of which wins."""
        for base in source.items if isinstance(source, ListNode) else (source,):
            if not isinstance(base, MapNode):
                self.refuse(source.line, "<<: takes a mapping, or a list of them; to inherit a value leave its key out")
            for key, node in base.entries.items():
                entries.setdefault(key, node)

    def put(self, node: Node, line: int, anchor: str | None) -> None:
        if anchor is not None:
            self.anchors[anchor] = node
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        if isinstance(node, ScalarNode):
            parent.weight += 1
        else:
            parent.weight += node.weight
            parent.depth = max(parent.depth, node.depth + 1)
        if parent.entries is None:
            parent.items.append(node)
        elif parent.key is None:
            self.put_key(parent, node, line)
        else:
            if parent.key.text == "<<" and parent.key.plain:
                parent.merged.append(node)
            else:
                parent.entries[parent.key.text] = node
            parent.key = None

    def put_key(self, parent: _Open, node: Node, line: int) -> None:
        if not isinstance(node, ScalarNode):
            self.refuse(line, "a key must be a plain word; is this a Jinja expression that needs quotes?")
        if node.null:
            self.refuse(line, "an empty key")
        if node.text in parent.lines:
            self.refuse(line, f"the key {node.text!r} appears here twice: first on line {parent.lines[node.text]}")
        parent.lines[node.text] = line
        parent.key = ScalarNode(node.text, node.plain, self.file, line)


def compose(data: bytes, file: str) -> Node | None:
    """The document in `data`, or None where there is none.

    Raises ConfigError, naming the line, for what is not UTF-8, not YAML, or of a size or shape that only an attack has.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(Problem(Origin(file, line), "", "not UTF-8; save the file in that encoding")) from None
    if odd := _NOT_TEXT.search(text):
        line = text.count("\n", 0, odd.start()) + 1
        raise ConfigError(Problem(Origin(file, line), "", f"the control character {odd[0]!r}: this is not YAML text"))
    try:
        return _Composer(file).compose(text)
    except yaml.YAMLError as error:
        raise ConfigError(_explained(error, file, text)) from None


def _explained(error: yaml.YAMLError, file: str, source: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    text = str(getattr(error, "problem", None) or error)
    context = getattr(error, "context", None)
    line = source.split("\n")[mark.line] if mark is not None and mark.line <= source.count("\n") else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        text = "a tab; YAML is indented with spaces"
    elif "maximum nesting depth" in text:  # libyaml's own bound of 1000 (since 0.2.6), met while it scans ahead
        text = _TOO_DEEP
    elif "mapping values are not allowed" in text:
        text += "; a value with ': ' in it needs quotes, and keys of one mapping the same indent"
    elif context:
        text = f"{text} ({context})"
    return Problem(Origin(file, mark.line + 1 if mark is not None else 0), "", text)
