"""Everything the operator declared, from however many files, before anything is inherited."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from netprov.errors import ConfigError, Origin
from netprov.inventory.fields import NOT_YET, Kind
from netprov.inventory.nodes import ListNode, MapNode, Node, ScalarNode, compose, origin_of
from netprov.inventory.read import Layer, Reader
from netprov.inventory.report import Report
from netprov.inventory.source import read_file, walk
from netprov.inventory.types import Wrong, unset

SECTIONS: Mapping[str, Kind] = MappingProxyType({
    "distros": Kind.DISTRO,
    "profiles": Kind.PROFILE,
    "systems": Kind.SYSTEM,
    "images": Kind.IMAGE,
    "menus": Kind.MENU,
    "snippets": Kind.SNIPPET,
})  # fmt: skip
"""The keys that objects stand under by name. `subnets`, a list, may stand beside them."""

SETTINGS = ("server", "dhcp", "tftp", "http", "syslog", "defaults", "inventory", "templates", "autoinstall")
"""The other keys of netprov.yaml."""


Edit = Callable[[MapNode], MapNode]
"""What is to be changed in a document that was read, before anything is made of it."""


class Declared(NamedTuple):
    kind: Kind
    name: str
    layer: Layer
    origin: Origin

    @property
    def where(self) -> str:
        return f"{self.kind} {self.name}".rstrip()

    def field(self, name: str) -> tuple[Origin, str]:
        """Where a problem with this field stands."""
        return self.layer.origins.get(name, self.origin), f"{self.where}, field {name}"


class Declarations:
    """Collects objects; the same one twice is an error that names both places.

    `instead`: files by their path, links followed, that count as having this content, there or not.
    """

    def __init__(
        self, report: Report, edit: Edit | None = None, instead: Mapping[str, bytes] = MappingProxyType({})
    ) -> None:
        self.report = report
        self.edit = edit
        self.instead = instead
        self.reader = Reader(report)
        self.objects: dict[Kind, dict[str, Declared]] = {kind: {} for kind in SECTIONS.values()}
        self.subnets: list[Layer] = []
        self.files: list[str] = []

    def document(self, path: Path) -> MapNode | None:
        """The mapping a file holds; None where it has none that can be used."""
        self.files.append(str(path))
        try:
            data = self.instead.get(os.path.realpath(path)) if self.instead else None
            node = compose(data if data is not None else read_file(path), str(path))
        except ConfigError as error:
            self.report.errors.extend(error.problems)
            return None
        if node is None or unset(node):
            node = MapNode({}, str(path), 0, 1, 1)
        if not isinstance(node, MapNode):
            self.report.error(origin_of(node), "", f"must be a mapping, with keys such as {', '.join(SECTIONS)}")
            return None
        return self.edit(node) if self.edit is not None else node

    def path(self, path: Path, main: Path, origin: Origin | None) -> None:
        """A file of objects, or a folder of such; `main`, which may lie among them, is not read again."""
        if not os.path.isdir(path):
            if os.path.lexists(path):
                self.file(path)
            else:
                self.files.append(str(path))
                self.report.error(origin, "inventory", f"no such file or folder: {path}")
            return
        own = os.path.realpath(main)
        try:
            for folder, files in walk(path):
                self.files.append(str(folder))
                for file in files:
                    if os.path.realpath(file) != own:
                        self.file(file)
        except ConfigError as error:
            self.report.errors.extend(error.problems)
        for file in map(Path, self.instead):
            if Path(os.path.realpath(path)) in file.parents and not os.path.lexists(file):
                self.file(file)

    def file(self, path: Path) -> None:
        root = self.document(path)
        if root is not None:
            self.sections(root)

    def sections(self, root: MapNode, besides: tuple[str, ...] = ()) -> None:
        for key, node in root.entries.items():
            if key in SECTIONS:
                self.section(SECTIONS[key], key, node)
            elif key == "subnets":
                self.add_subnets(node)
            elif key in besides:
                continue
            elif key in SETTINGS:
                self.report.error(origin_of(node), key, "belongs in netprov.yaml; this file is for objects")
            elif (None, key) in NOT_YET:
                self.report.error(origin_of(node), key, NOT_YET[None, key])
            else:
                near = self.report.nearest(key, (*SECTIONS, "subnets", *besides))
                self.report.error(origin_of(node), key, f"no such section{near}")

    def section(self, kind: Kind, key: str, node: Node) -> None:
        if unset(node):
            return
        if not isinstance(node, MapNode):
            self.report.error(origin_of(node), key, f"must be a mapping: the name of each {kind}, then its fields")
            return
        for name, body in node.entries.items():
            self.add(kind, name, body)

    def add(self, kind: Kind, name: str, body: Node) -> None:
        origin, where = origin_of(body), f"{kind} {name}"
        self.reader.name(name, body, where)
        before = self.objects[kind].get(name)
        if before is not None:
            self.report.error(origin, where, f"is declared twice: first in {before.origin}")
            return
        if kind is Kind.SNIPPET and isinstance(body, ScalarNode):
            body = MapNode({"text": body}, body.file, body.line, 2, 1)
        try:
            fields = self.reader.mapping(body)
        except Wrong as wrong:
            self.report.error(origin, where, wrong.text)
            return
        self.objects[kind][name] = Declared(kind, name, self.reader.layer(kind, fields, where), origin)

    def add_subnets(self, node: Node) -> None:
        if not isinstance(node, ListNode):
            self.report.error(origin_of(node), "subnets", "must be a list: write each with a dash")
            return
        for i, child in enumerate(node.items):
            if isinstance(child, MapNode):
                self.subnets.append(self.reader.layer(Kind.SUBNET, child, "subnets", f"[{i}]."))
            else:
                self.report.error(origin_of(child), "subnets", "must be a mapping of fields")
