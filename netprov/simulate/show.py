"""Simulated boots on the terminal: one stage by stage, many as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from textwrap import wrap

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from netprov.journal.show import verdict_text
from netprov.journal.verdicts.table import NAMES
from netprov.simulate.stage import Boot, Ending, Stage
from netprov.text import escape, size

_COLOURS = {Ending.BOOTS: "green", Ending.LOCAL: "cyan", Ending.OPEN: "yellow", Ending.STOPPED: "red"}
_ENDINGS = {
    Ending.BOOTS: "would boot", Ending.LOCAL: "boots its own disk", Ending.OPEN: "not followed further",
    Ending.STOPPED: "stops",
}  # fmt: skip
_SHORT_SUM = 16  # digits of a checksum on the terminal; --json has all of them
_INDENT = " " * 14
_LONG = ("args",)  # details on a line of their own
_REASONS = 5  # different ones listed after a storm
_ELSEWHERE = "The server's timeline of this machine tells more, and what to change: netprov timeline"


def stage(told: Stage) -> None:
    """One stage, when it is over."""
    mark = click.style("✗", fg="red") if told.problem else click.style("✓", fg="green") if told.done else "·"
    head, *more = [line for line in (told.asks, told.gets) if line] or [""]
    click.echo(f"{mark} {click.style(f'{told.name:12}', bold=True)}{escape(head)}")
    for line in more:
        checksum = f"  sha256 {told.sha256[:_SHORT_SUM]}…" if told.sha256 else ""
        click.echo(f"{_INDENT}{escape(line)}{checksum}")
    for text in (_listed(told.details), *(told.details.get(name, "") for name in _LONG)):
        if text:
            _wrapped(text, dim=True)
    for note in told.notes:
        _wrapped(note, fg="yellow")
    if told.problem:
        _wrapped(told.problem, fg="red")


def ending(boot: Boot) -> None:
    colour = _COLOURS[boot.ending]
    click.echo(
        f"{click.style(f'{_name(boot)} {_ENDINGS[boot.ending]}', fg=colour, bold=True)}, "
        f"{size(boot.octets)} in {boot.seconds:.1f} s"
    )
    if boot.verdicts:
        console = Console(highlight=False)
        for verdict in boot.verdicts:
            console.print(verdict_text(verdict))
    elif boot.verdict:
        click.secho(f"✗ {verdict_name(boot)}", fg="red")
        click.echo(f"  {_ELSEWHERE} {escape(_name(boot))}")


def verdict_name(boot: Boot) -> str:
    """Why it stopped, in a few words; "" where no verdict is known for it."""
    return f"{NAMES[boot.verdict]}  {boot.verdict}" if boot.verdict in NAMES else ""


def table(boots: Sequence[Boot]) -> None:
    """A row a machine."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column("machine", no_wrap=True)
    made.add_column("firmware", no_wrap=True)
    made.add_column("address", no_wrap=True)
    made.add_column("MB", justify="right")
    made.add_column("s", justify="right")
    made.add_column("ends")
    for boot in boots:
        colour = _COLOURS[boot.ending]
        last = boot.last
        why = ""
        if boot.ending is Ending.STOPPED:
            why = ": " + ": ".join(filter(None, (verdict_name(boot), last.name, last.problem)))
        elif boot.ending is Ending.OPEN:
            why = f": {' '.join(last.notes) or last.gets}"
        made.add_row(
            Text(escape(_name(boot))), boot.kind, _address(boot), f"{boot.octets / 1e6:.1f}", f"{boot.seconds:.1f}",
            Text(f"{_ENDINGS[boot.ending]}{escape(why)}", style=colour),
        )  # fmt: skip
    Console().print(made)


def totals(boots: Sequence[Boot], seconds: float) -> None:
    """What came of many: how many got how far, how quickly, and why the others did not."""
    endings = Counter(boot.ending for boot in boots)
    click.echo(", ".join(f"{count} × {_ENDINGS[end]}" for end, count in sorted(endings.items())))
    octets = sum(boot.octets for boot in boots)
    took = sorted(boot.seconds for boot in boots)
    if took and seconds > 0:
        click.echo(
            f"{len(boots)} machines in {seconds:.1f} s: {len(boots) / seconds:.1f} boots/s, "
            f"{size(int(octets / seconds))}/s; a boot took {took[len(took) // 2]:.1f} s (median), "
            f"{took[-1]:.1f} s (longest)"
        )
    stopped = [boot for boot in boots if boot.ending is Ending.STOPPED]
    reasons = Counter(": ".join(filter(None, (verdict_name(boot), boot.last.problem))) for boot in stopped)
    for reason, count in reasons.most_common(_REASONS):
        click.secho(f"{count:5} × {escape(reason)}", fg="red")


def _listed(details: Mapping[str, str]) -> str:
    """Names and values; those with the same value together, as DHCP says most things twice."""
    names: dict[str, list[str]] = {}
    for name, value in details.items():
        if name not in _LONG:
            names.setdefault(value, []).append(name)
    return ", ".join(f"{'/'.join(same)} {value}" for value, same in names.items())


def _name(boot: Boot) -> str:
    return boot.machine or boot.mac


def _address(boot: Boot) -> str:
    return next((s.details["yiaddr"] for s in boot.stages if "yiaddr" in s.details), "")


def _wrapped(text: str, *, fg: str | None = None, dim: bool = False) -> None:
    width = max(40, Console().width) - len(_INDENT)
    # a URL is broken nowhere, or it could not be copied
    for line in wrap(escape(text), width, break_long_words=False, break_on_hyphens=False):
        click.echo(f"{_INDENT}{click.style(line, fg=fg, dim=dim)}")
