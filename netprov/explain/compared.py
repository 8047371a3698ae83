"""Where two boots part, as a person reads it, and as JSON."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from netprov.errors import Origin
from netprov.explain.compare import Comparison, Difference, Said
from netprov.explain.show import with_origin
from netprov.text import escape

_LONGEST = 500


def compared(comparison: Comparison, base: str, nothing: str) -> RenderableType:
    """Each difference: whose it is, and where it was written, relative to the folder `base`. `nothing` is what to say
    where there is none."""
    if not comparison.differences:
        return Text(nothing, "green")
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(style="bold cyan", no_wrap=True)
    table.add_column(overflow="fold", max_width=24)
    table.add_column(style="dim", overflow="fold", max_width=24)
    table.add_column(overflow="fold")
    before = ""
    for difference in comparison.differences:
        stage = difference.stage if difference.stage != before else ""
        before = difference.stage
        for row, line in enumerate(_sides(difference, comparison.names, base)):
            table.add_row(stage if row == 0 else "", difference.what if row == 0 else "", *line)
    return Group(table)


def _sides(difference: Difference, names: tuple[str, str], base: str) -> list[tuple[Text, Text]]:
    lines = []
    for name, said, style in zip(names, (difference.first, difference.second), ("red", "green"), strict=True):
        for number, one in enumerate(said or (Said("–"),)):
            text = Text(escape(one.text, _LONGEST), style)
            lines.append((Text(name if number == 0 else ""), with_origin(text, one.origin, base)))
    return lines


def comparison_row(comparison: Comparison, spelled: Callable[[Origin | None], str | None]) -> dict[str, object]:
    """`spelled` writes out where something was declared."""

    def side(said: tuple[Said, ...]) -> list[dict[str, object]]:
        return [{"text": one.text, "origin": spelled(one.origin)} for one in said]

    first, second = comparison.names
    return {
        "first": first,
        "second": second,
        "alike": not comparison.differences,
        "differences": [
            {"stage": d.stage, "what": d.what, "first": side(d.first), "second": side(d.second)}
            for d in comparison.differences
        ],
    }
