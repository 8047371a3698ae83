"""What objects refer to: files, menus; and the small objects themselves."""

from __future__ import annotations

from collections.abc import Iterator

from netprov.inventory.declared import Declarations, Declared
from netprov.inventory.fields import Kind
from netprov.inventory.files import Files
from netprov.inventory.model import Menu, Settings
from netprov.inventory.read import Layer
from netprov.inventory.report import Report

_CHAIN = (Kind.DISTRO, Kind.IMAGE, Kind.PROFILE, Kind.SYSTEM)


def _chain(declared: Declarations, defaults: Layer) -> Iterator[Declared]:
    """Everything that fields are inherited through, `defaults:` first."""
    if defaults.origin is not None:
        yield Declared(Kind.DEFAULTS, "", defaults, defaults.origin)
    for kind in _CHAIN:
        yield from declared.objects[kind].values()


def place_files(declared: Declarations, defaults: Layer, settings: Settings, report: Report) -> None:
    """Sees that kernels, initrds and templates are there; makes the former's names relative to tftp.root."""
    files = Files(settings, report)
    for one in _chain(declared, defaults):
        values = one.layer.values
        if "kernel" in values:
            values["kernel"] = files.served(values["kernel"], *one.field("kernel"))
        if "initrd" in values:
            values["initrd"] = tuple(files.served(name, *one.field("initrd")) for name in values["initrd"])
        if "autoinstall" in values:
            files.check_template(values["autoinstall"], *one.field("autoinstall"))


def check_references(declared: Declarations, defaults: Layer, report: Report) -> None:
    """Sees that every menu named is declared."""
    menus = declared.objects[Kind.MENU]
    for one in _chain(declared, defaults):
        menu = one.layer.values.get("menu")
        if menu and menu not in menus:
            report.error(*one.field("menu"), f"no such menu: {menu}{report.nearest(menu, menus)}")


def build_menus(declared: Declarations, report: Report) -> tuple[Menu, ...]:
    """The menus, each of whose parents exists and leads to the top."""
    menus = declared.objects[Kind.MENU]
    parents = {name: one.layer.values.get("parent", "") for name, one in menus.items()}
    safe = {""}
    for name, one in menus.items():
        trail: dict[str, None] = {}
        here = name
        while here not in safe and here in parents and here not in trail:
            trail[here] = None
            here = parents[here]
        if here in trail:
            names = list(trail)
            cycle = names[names.index(here) :]
            report.error(*menus[here].field("parent"), f"contains itself: {' → '.join((*cycle, here))}")
        safe.update(trail)
        parent = parents[name]
        if parent and parent not in menus:
            report.error(*one.field("parent"), f"no such menu: {parent}{report.nearest(parent, menus)}")
    shown = ("display_name", "parent")
    return tuple(
        Menu(name, origin=one.origin, **{key: one.layer.values[key] for key in shown if key in one.layer.values})
        for name, one in menus.items()
    )


def build_snippets(declared: Declarations) -> dict[str, str]:
    return {name: one.layer.values.get("text", "") for name, one in declared.objects[Kind.SNIPPET].items()}
