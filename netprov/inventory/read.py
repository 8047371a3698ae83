"""One object as written → the values of its set fields, by the field table."""

from __future__ import annotations

from typing import Any, NamedTuple

from netprov.errors import Origin
from netprov.inventory.fields import ELSEWHERE, NOT_YET, SPELLINGS, Kind, Spelled
from netprov.inventory.nodes import ListNode, MapNode, Node, ScalarNode, origin_of
from netprov.inventory.report import Report
from netprov.inventory.types import FieldType, Many, Named, Section, Wrong, unset
from netprov.inventory.values import parse_name


class Layer(NamedTuple):
    """The set fields of one object by our names, and where each stands. A Section is a dict of its set fields, a Named
    a dict of Layers, a Many a tuple of them."""

    values: dict[str, Any]
    origins: dict[str, Origin]
    origin: Origin | None = None


class Reader:
    """Reads objects; what is wrong goes into the report, and the rest is read on."""

    def __init__(self, report: Report) -> None:
        self.report = report

    def layer(self, kind: Kind, node: MapNode, where: str, prefix: str = "") -> Layer:
        spellings = SPELLINGS[kind]
        layer = Layer({}, {}, origin_of(node))
        for key, child in node.entries.items():
            spelled = spellings.get(key)
            if spelled is None:
                self.unknown(kind, key, child, f"{where}, field {prefix}{key}")
            elif not unset(child):
                try:
                    value = self.value(spelled.type, child, where, prefix + key)
                except Wrong as wrong:
                    self.report.error(origin_of(wrong.node), f"{where}, field {prefix}{key}{wrong.path}", wrong.text)
                else:
                    self.put(layer, spelled, value, origin_of(child), f"{where}, field {prefix}{key}")
        return layer

    def put(self, layer: Layer, spelled: Spelled, value: Any, origin: Origin, where: str) -> None:
        name = spelled.path[0]
        if len(spelled.path) > 1:
            value = {spelled.path[1]: value}
        if name in layer.values:
            before = layer.values[name]
            if not isinstance(spelled.field.type, Section) or before.keys() & value.keys():
                first = f"first on line {layer.origins[name].line}"
                text = f"{'.'.join(spelled.path)} appears here twice, under two names: {first}"
                self.report.error(origin, where, text)
                return
            value = before | value
        layer.values[name] = value
        layer.origins[name] = origin

    def unknown(self, kind: Kind, key: str, node: Node, where: str) -> None:
        text = "no such field"
        if (kind, key) in NOT_YET:
            text = NOT_YET[kind, key]
        elif key in ELSEWHERE:
            text += f"; {ELSEWHERE[key]}"
        else:
            text += self.report.nearest(key, SPELLINGS[kind])
        self.report.error(origin_of(node), where, text)

    def value(self, type_: FieldType, node: Node, where: str, path: str) -> Any:
        if isinstance(type_, Section):
            return self.layer(Kind(type_.kind), self.mapping(node), where, f"{path}.").values
        if isinstance(type_, Named):
            named = {}
            for name, child in self.mapping(node).entries.items():
                self.name(name, child, where)
                named[name] = self.layer(Kind(type_.kind), self.mapping(child), where, f"{path}.{name}.")
            return named
        if isinstance(type_, Many):
            if not isinstance(node, ListNode):
                raise Wrong(node, "must be a list: write each with a dash")
            kind, items = Kind(type_.kind), map(self.mapping, node.items)
            return tuple(self.layer(kind, item, where, f"{path}[{i}].") for i, item in enumerate(items))
        return type_.read(node)

    def mapping(self, node: Node) -> MapNode:
        """`node` where it is a mapping; nothing at all counts as an empty one."""
        if isinstance(node, MapNode):
            return node
        if isinstance(node, ScalarNode) and node.null:
            return MapNode({}, node.file, node.line, 1, 1)
        raise Wrong(node, "must be a mapping of fields")

    def name(self, name: str, node: Node, where: str) -> None:
        try:
            parse_name(name)
        except ValueError as error:
            self.report.error(origin_of(node), where, str(error))
