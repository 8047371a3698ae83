"""A boot walked through, as a person reads it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from netprov.errors import Origin
from netprov.explain.options import rows
from netprov.explain.question import STAND_IN
from netprov.explain.rows import kind_of, text_of
from netprov.explain.stage import Reply, Stage
from netprov.explain.walked import Walked
from netprov.text import escape

_INDENT = 3


def explained(found: Walked, base: str, texts: bool) -> RenderableType:
    """Who, then every stage: what is asked, what it gets, and why, each reason once. Files are named relative to the
    folder `base`.
    """
    parts: list[RenderableType] = [heading(found), ""]
    told: set[str] = set()
    for number, stage in enumerate(found.stages, 1):
        parts.append(_stage(number, stage))
        parts += [_indented(_step(step.text, step.origin, base)) for step in stage.trace if step.text not in told]
        told.update(step.text for step in stage.trace)
        parts += [_indented(line) for reply in stage.replies for line in reply_lines(reply, base)]
        parts += [_indented(_fact(name, Text(value))) for name, value in stage.facts if value not in told]
        told.update(value for _, value in stage.facts)
        if stage.advice:
            parts.append(_indented(Text(f"→ {stage.advice}", "yellow")))
        if stage.problem:
            parts.append(_indented(Text(f"✗ {stage.problem}", "red")))
        if texts and stage.text:
            parts.append(_file(stage.text))
    return Group(*parts, "", _end(found.stages))


def heading(found: Walked) -> Text:
    """Who boots, and how."""
    asking, target, arch = found.asking, found.target, found.arch
    names = [target.name] if target is not None else []
    who = [*names, asking.mac or "", asking.uuid, _said(asking.ip)]
    known = [part for part in who if part]
    line = Text(known[0], "bold")
    for part in [*known[1:], f"{arch.name} firmware"]:
        line.append(f"  {part}")
    if target is None:
        line.append("  not declared", "yellow")
    if asking.mac == STAND_IN and (target is None or all(i.mac != STAND_IN for i in target.interfaces)):
        line.append("  its MAC is not known: this one stands for it", "yellow")
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


def reply_lines(reply: Reply, base: str) -> Iterator[RenderableType]:
    """The reply's fields, then each of its options."""
    packet = reply.packet
    line = Text(kind_of(reply).upper(), "bold").append(f" to {reply.to}", "dim")
    if reply.note and not int(packet.yiaddr):
        line.append(f" ({reply.note})", "dim")
    yield line
    note = f" ({reply.note})" if reply.note else ""
    fields = (
        ("yiaddr", f"{packet.yiaddr}{note}" if int(packet.yiaddr) else ""),
        ("siaddr", _said(packet.siaddr if int(packet.siaddr) else None)),
        ("giaddr", _said(packet.giaddr if int(packet.giaddr) else None)),
        ("sname", escape(text_of(packet.sname))),
        ("file", escape(text_of(packet.file))),
    )
    for name, value in fields:
        if value:
            yield _fact(name, Text(value))
    for row in rows(packet):
        told = with_origin(Text(escape(row.value)), reply.origins.get(row.code), base)
        yield _fact(f"{row.code} {row.name}".rstrip(), told)


def _fact(name: str, value: Text) -> RenderableType:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(style="dim", width=22)
    table.add_column(overflow="fold")
    table.add_row(name, value)
    return table


def _step(text: str, origin: Origin | None, base: str) -> Text:
    return with_origin(Text(escape(text)), origin, base)


def with_origin(line: Text, origin: Origin | None, base: str) -> Text:
    """`line`, and where the operator wrote what is in it, relative to the folder `base`."""
    return line.append(f"  {spelled(origin, base)}", "dim") if origin is not None else line


def spelled(origin: Origin, base: str) -> str:
    """An origin as a person reads it."""
    file = os.path.relpath(origin.file, base) if origin.file.startswith(base + os.sep) else origin.file
    return str(Origin(file, origin.line))


def _file(text: str) -> RenderableType:
    lines = Text(overflow="fold", style="dim")
    for line in text.splitlines():
        lines.append(f"│ {escape(line, 500)}\n")
    lines.rstrip()
    return _indented(lines)


def _indented(content: RenderableType) -> Padding:
    return Padding(content, (0, 0, 0, _INDENT + 2), expand=False)


def _end(stages: Sequence[Stage]) -> Text:
    stopped = next((stage for stage in stages if stage.problem), None)
    if stopped is not None:
        return Text.assemble(("✗", "bold red"), f" it stops at: {stopped.name}")
    if any(stage.name == "callback" for stage in stages):
        end = "nothing is in the way of its install"
    elif stages[-1].name in ("firmware", "ipxe", "xen"):
        end = "the network has nothing more for it"
    else:
        end = "nothing is in its way"
    return Text.assemble(("✓", "green"), f" {end}")


def _said(address: IPv4Address | None) -> str:
    return str(address) if address is not None else ""
