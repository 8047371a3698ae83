"""The house of docs/architecture.md, drawn from the imports: `python -m tests.docs.house` prints it.

A room stands one floor above the highest that it imports.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from tests.test_rooms import GROUND, PACKAGE, ROOMS, edges

WIDTH = 118
NAMES = 17  # columns before the text

Below = Mapping[str, frozenset[str]]
"""For each room those that it imports."""


def below() -> Below:
    found: dict[str, set[str]] = {room: set() for room in ROOMS}
    for room, other in edges(PACKAGE):
        if room in ROOMS and other in ROOMS:
            found[room].add(other)
    return {room: frozenset(others) for room, others in found.items()}


def floors(rooms: Below) -> list[list[str]]:
    """The rooms of each floor, the lowest first."""

    @cache
    def floor(room: str) -> int:
        return max((floor(other) + 1 for other in rooms[room]), default=0)

    top = max(map(floor, rooms))
    return [sorted(room for room in rooms if floor(room) == number) for number in range(top + 1)]


def stairs(rooms: Below, room: str) -> list[str]:
    """The rooms that it imports, but for those that these import themselves."""

    @cache
    def beneath(one: str) -> frozenset[str]:
        return rooms[one].union(*map(beneath, rooms[one]))

    return sorted(other for other in rooms[room] if not any(other in beneath(one) for one in rooms[room]))


def purpose(module: Path) -> str:
    """The first paragraph of its docstring."""
    text = ast.get_docstring(ast.parse(module.read_text())) or ""
    return " ".join(text.partition("\n\n")[0].split())


def drawn() -> str:
    """The picture: the floors from the top down, each room with what it is and the stairs down from it."""
    rooms = below()
    every = floors(rooms)
    rule = "─" * WIDTH
    lines = [rule]
    for number in reversed(range(len(every))):
        for place, room in enumerate(every[number]):
            head = f"{number if not place else '':>3} {room}"
            lines += _room(head, purpose(PACKAGE / room / "__init__.py"), stairs(rooms, room))
        lines.append(rule)
    for place, name in enumerate(sorted(GROUND)):
        lines += _room(f"{'gr.' if not place else '':>3} {name}", purpose(PACKAGE / f"{name}.py"), [])
    return "\n".join([*lines, "═" * WIDTH])


def _room(head: str, text: str, down: list[str]) -> Iterator[str]:
    first, *more = textwrap.wrap(text, WIDTH - NAMES)
    yield f"{head:{NAMES}}{first}"
    yield from (f"{'':{NAMES}}{line}" for line in more)
    if down:
        yield f"{'':{NAMES}}▼ {', '.join(down)}"


if __name__ == "__main__":
    print(drawn())
