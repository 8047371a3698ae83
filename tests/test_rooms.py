"""Which room imports which: no two import each other, by whatever way round, and dependencies point one way."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest

import netprov

PACKAGE = Path(netprov.__file__).parent
ROOMS = frozenset(folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").exists())
GROUND = frozenset({"errors", "halt", "quick", "text", "recent", "mac", "datagram", "descriptors"})
"""Modules that every room may use: they use none."""

TOP = frozenset({"__init__", "__main__"})
PROTOCOLS = frozenset({"dhcp", "tftp", "http", "web", "syslog", "xen"})

ONLY: Mapping[str, frozenset[str]] = {
    "dhcpoptions": frozenset(),
    "inventory": frozenset({"dhcpoptions"}),
    "boot": frozenset({"inventory"}),
}
"""Rooms that import no others than these: `cli → rooms → boot → inventory`."""

NEVER: tuple[tuple[str, frozenset[str]], ...] = (
    ("http", frozenset({"web", "render"})),  # the transport is given its application
    ("tftp", frozenset({"web", "render", "http"})),
    ("dhcp", frozenset({"web", "render", "http", "tftp"})),
    ("files", PROTOCOLS),
    ("render", PROTOCOLS),
    ("state", PROTOCOLS),
    ("journal", PROTOCOLS),
    ("recorder", PROTOCOLS),
    ("scripts", PROTOCOLS),
)
"""Rooms, and what none of their modules imports."""

Edges = Mapping[tuple[str, str], list[str]]
"""For a room and one that it imports: the places, as "boot/decide.py:12"."""


def imported(file: Path, package: Path) -> Iterator[tuple[str, int]]:
    """What stands first after `netprov.` in every import of `file`, whatever function or condition it stands in."""
    folder = [package.name, *file.relative_to(package).parent.parts]
    for node in ast.walk(ast.parse(file.read_text(), str(file))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = folder[: len(folder) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((name.split(".")[1], node.lineno) for name in names if name.startswith(f"{package.name}."))


def edges(package: Path) -> Edges:
    found: dict[tuple[str, str], dict[str, None]] = {}
    for file in sorted(package.rglob("*.py")):
        place = file.relative_to(package)
        room = place.parts[0] if len(place.parts) > 1 else place.stem
        for other, line in imported(file, package):
            if other != room:
                found.setdefault((room, other), {})[f"{place}:{line}"] = None
    return {pair: list(places) for pair, places in found.items()}


def circles(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The shortest way round from each room that leads back to itself, each circle once."""
    after: dict[str, list[str]] = {}
    for room, other in pairs:
        after.setdefault(room, []).append(other)
    found: dict[frozenset[str], list[str]] = {}
    for start in after:
        ways = [[start]]
        seen: set[str] = set()
        while ways:
            way = ways.pop(0)
            if start in after.get(way[-1], ()):
                found.setdefault(frozenset(way), [*way, start])
                break
            fresh = [other for other in after.get(way[-1], ()) if other not in seen]
            seen.update(fresh)
            ways += [[*way, other] for other in fresh]
    return list(found.values())


@pytest.fixture(scope="module")
def tree() -> Edges:
    return edges(PACKAGE)


def told(tree: Edges, pairs: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"{room} imports {other}: {', '.join(tree[room, other])}" for room, other in pairs)


def test_no_rooms_import_each_other(tree: Edges) -> None:
    found = circles(pair for pair in tree if set(pair) <= ROOMS)
    assert not found, "\n\n".join(told(tree, pairwise(way)) for way in found)


def test_the_ground_floor_stands_on_nothing(tree: Edges) -> None:
    files = {file.stem for file in PACKAGE.glob("*.py")}
    assert files == GROUND | TOP
    above = [(room, other) for room, other in tree if room in GROUND and other not in GROUND]
    assert not above, told(tree, above)


def test_the_command_line_is_on_top(tree: Edges) -> None:
    beneath = [(room, other) for room, other in tree if other == "cli" and room != "__main__"]
    assert not beneath, told(tree, beneath)


@pytest.mark.parametrize(("room", "allowed"), ONLY.items())
def test_it_imports_no_other(tree: Edges, room: str, allowed: frozenset[str]) -> None:
    assert room in ROOMS
    others = [(one, other) for one, other in tree if one == room and other in ROOMS - allowed]
    assert not others, told(tree, others)


@pytest.mark.parametrize(("room", "forbidden"), NEVER)
def test_it_does_not_know(tree: Edges, room: str, forbidden: frozenset[str]) -> None:
    assert {room, *forbidden} <= ROOMS
    others = [(one, other) for one, other in tree if one == room and other in forbidden]
    assert not others, told(tree, others)


WAYS = {
    "import netprov.b.x": "b",
    "from netprov.b import x": "b",
    "from netprov import b": "b",
    "from .. import b": "b",
    "from ..b.x import y": "b",
    "def f():\n    from netprov.b import x": "b",
    "if TYPE_CHECKING:\n    import netprov.b": "b",
    "from . import x": "a",
    "import os": None,
}
"""Modules of netprov/a/, and the room that each imports."""


@pytest.mark.parametrize(("text", "room"), WAYS.items())
def test_every_way_to_import_is_seen(tmp_path: Path, text: str, room: str | None) -> None:
    file = tmp_path / "netprov" / "a" / "m.py"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert [name for name, _ in imported(file, tmp_path / "netprov")] == ([room] if room else [])


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([("a", "b"), ("b", "c"), ("a", "c")], []),
        ([("a", "b"), ("b", "a")], [{"a", "b"}]),
        ([("a", "b"), ("b", "c"), ("c", "a"), ("x", "a")], [{"a", "b", "c"}]),
    ],
)
def test_a_circle_of_any_length_is_found(pairs: list[tuple[str, str]], found: list[set[str]]) -> None:
    assert [set(circle) for circle in circles(pairs)] == found
