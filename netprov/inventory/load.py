"""netprov.yaml → one Inventory, or every problem found on the way."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from netprov.errors import ConfigError, Problem
from netprov.inventory.declared import SETTINGS, Declarations, Edit
from netprov.inventory.fields import Kind
from netprov.inventory.model import Inventory
from netprov.inventory.nodes import MapNode, origin_of
from netprov.inventory.references import build_menus, build_snippets, check_references, place_files
from netprov.inventory.report import Report, in_order
from netprov.inventory.resolve import Resolver
from netprov.inventory.settings import SettingsReader
from netprov.inventory.subnets import Subnets
from netprov.inventory.targets import Targets


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one attempt came to: an inventory, or the problems that stand in its way.

    `files`: every file and folder it was read from, also where it failed, so that fixing any of them can be noticed.
    """

    inventory: Inventory | None
    problems: tuple[Problem, ...]
    files: tuple[str, ...]


def load(path: Path, generation: int = 1, edit: Edit | None = None) -> Inventory:
    """The inventory that the configuration at `path` declares. Raises ConfigError with every problem found.

    `edit` is given each document as it was read, and says what to take in its place: for trying a change out.
    """
    loaded = attempt(path, generation, edit)
    if loaded.inventory is None:
        raise ConfigError(*loaded.problems)
    return loaded.inventory


def attempt(
    path: Path, generation: int = 1, edit: Edit | None = None, instead: Mapping[str, bytes] = MappingProxyType({})
) -> Loaded:
    """As load(), without raising. `instead`: what files (by their path, links followed) are to hold for it."""
    report = Report()
    declared = Declarations(report, edit, instead)
    main = Path(os.path.abspath(path))
    root = declared.document(main)
    inventory = _build(main, root, declared, report, generation) if root is not None else None
    files = tuple(dict.fromkeys(declared.files))
    if report.errors or inventory is None:
        return Loaded(None, in_order(report.errors), files)
    return Loaded(inventory, (), files)


def _build(main: Path, root: MapNode, declared: Declarations, report: Report, generation: int) -> Inventory:
    reader = SettingsReader(root, main.parent, report)
    settings, subnet_layers = reader.settings()
    declared.sections(root, SETTINGS)
    _read_inventory(main, root, declared, reader)
    defaults = reader.section(Kind.DEFAULTS)
    subnets = Subnets((*subnet_layers, *declared.subnets), settings, report)
    subnets.check_profiles(declared.objects[Kind.PROFILE])
    place_files(declared, defaults, settings, report)
    check_references(declared, defaults, report)
    targets = Targets(Resolver(declared.objects, defaults, report), subnets, report)
    return Inventory.of(
        *targets.of_kind(Kind.PROFILE),
        *targets.of_kind(Kind.IMAGE),
        *targets.systems(),
        generation=generation,
        settings=settings,
        subnets=tuple(subnets.declared),
        menus=build_menus(declared, report),
        snippets=build_snippets(declared),
        files=tuple(dict.fromkeys(declared.files)),
        warnings=in_order(report.warnings),
    )


def _read_inventory(main: Path, root: MapNode, declared: Declarations, reader: SettingsReader) -> None:
    """What `inventory:` holds or names; without it, the folder inventory/ where there is one."""
    node = root.entries.get("inventory")
    if isinstance(node, MapNode):
        declared.sections(node)
    elif (given := reader.path("inventory")) is not None and node is not None:
        declared.path(given, main, origin_of(node))
    elif os.path.isdir(main.parent / "inventory"):
        declared.path(main.parent / "inventory", main, None)
