"""A boot walked through, as a person reads it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from ipaddress import IPv4Address

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from netprov.boot.arch import Arch
from netprov.boot.request import BootRequest
from netprov.errors import Origin
from netprov.explain.walk import Stage
from netprov.inventory.model import Target
from netprov.journal.escape import escape

_INDENT = 3


def explained(
    asking: BootRequest, target: Target | None, arch: Arch, stages: Sequence[Stage], base: str, texts: bool
) -> RenderableType:
    """Who, then every stage: what is asked, what it gets, and why, each reason once. Files are named relative to the
    folder `base`.
    """
    parts: list[RenderableType] = [_heading(asking, target, arch), ""]
    told: set[str] = set()
    for number, stage in enumerate(stages, 1):
        parts.append(_stage(number, stage))
        parts += [_indented(_step(step.text, step.origin, base)) for step in stage.trace if step.text not in told]
        told.update(step.text for step in stage.trace)
        if stage.advice:
            parts.append(_indented(Text(f"→ {stage.advice}", "yellow")))
        if stage.problem:
            parts.append(_indented(Text(f"✗ {stage.problem}", "red")))
        if texts and stage.text:
            parts.append(_file(stage.text))
    return Group(*parts, "", _end(stages))


def _heading(asking: BootRequest, target: Target | None, arch: Arch) -> Text:
    names = [target.name] if target is not None else []
    who = [*names, asking.mac or "", asking.uuid, _said(asking.ip)]
    known = [part for part in who if part]
    line = Text(known[0], "bold")
    for part in [*known[1:], f"{arch.name} firmware"]:
        line.append(f"  {part}")
    if target is None:
        line.append("  not declared", "yellow")
    for word, address in (("server", asking.server), ("relay", asking.relay)):
        if address is not None:
            line.append(f"  {word} {address}", "dim")
    return line


def _stage(number: int, stage: Stage) -> RenderableType:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(justify="right", style="dim", width=_INDENT - 1)
    table.add_column(width=11)
    table.add_column(overflow="fold")
    style = "bold red" if stage.problem else "bold cyan"
    line = Text(stage.asks).append(" → ", "dim").append(stage.gets, "bold red" if stage.problem else "bold")
    table.add_row(str(number), Text(stage.name, style), line)
    return table


def _step(text: str, origin: Origin | None, base: str) -> Text:
    line = Text(escape(text))
    if origin is not None:
        file = os.path.relpath(origin.file, base) if origin.file.startswith(base + os.sep) else origin.file
        line.append(f"  {Origin(file, origin.line)}", "dim")
    return line


def _file(text: str) -> RenderableType:
    lines = Text(overflow="fold", style="dim")
    for line in text.splitlines():
        lines.append(f"│ {escape(line, 500)}\n")
    lines.rstrip()
    return _indented(lines)


def _indented(content: Text) -> Padding:
    return Padding(content, (0, 0, 0, _INDENT + 2), expand=False)


def _end(stages: Sequence[Stage]) -> Text:
    stopped = next((stage for stage in stages if stage.problem), None)
    if stopped is not None:
        return Text.assemble(("✗", "bold red"), f" it stops at: {stopped.name}")
    last = stages[-1]
    return Text.assemble(("✓", "green"), f" {_ENDS.get(last.name, 'nothing is in its way')}")


_ENDS = {
    "firmware": "the network has nothing more for it",
    "afterwards": "nothing is in the way of its install",
}


def _said(address: IPv4Address | None) -> str:
    return str(address) if address is not None else ""
