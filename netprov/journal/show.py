"""Boots as a person reads them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from netprov.boot.chance import ABSENT, goes_on_without
from netprov.boot.reason import Reason
from netprov.journal.boots import Boot, without_requests
from netprov.journal.correlate import Placed
from netprov.journal.event import Event, Kind, Severity
from netprov.journal.fact import ARCH, BLKSIZE, ERROR, LOADER, SEVERITY, STATUS, WINDOWSIZE
from netprov.journal.lane import lanes, moment, rate, stage_line
from netprov.journal.verdicts import Judged, Verdict
from netprov.text import escape, size

_ROOMS = {"dhcp": "cyan", "tftp": "green", "http": "blue", "install": "magenta"}

_LAST_LINES = 5  # of the machine's own log, where not all are asked for


def boot_text(boot: Boot, found: Sequence[Verdict] = (), *, log: bool = False) -> RenderableType:
    """Who and when, stage by stage; the verdicts `found`; and every event with its time since the start.

    Of what the machine's own log says the last lines stand at the end; with `log` all, each where it came.
    """
    lines = Table.grid(padding=(0, 2, 0, 0), expand=False)
    lines.add_column(justify="right", style="dim", no_wrap=True)
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold")
    said = [event for event in boot.events if event.kind is Kind.SYSLOG_LINE]
    events = boot.events if log else [event for event in boot.events if event.kind is not Kind.SYSLOG_LINE]
    for event, times, last in _folded([event for _, event in without_requests(events)]):
        again = f"×{times}, the last after {moment(last - boot.started)}" if times > 1 else ""
        lines.add_row(moment(event.at - boot.started), _what(event), _sentence(event, again))
    opinions = [part for verdict in found for part in ("", verdict_text(verdict))]
    own = ["", _own_log(said, boot.started)] if said and not log else []
    return Group(_heading(boot), "", lanes(boot), *opinions, "", lines, *own)


def _own_log(said: Sequence[Event], started: float) -> RenderableType:
    """The last lines of the machine's own log."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=False)
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    shown = said[-_LAST_LINES:]
    more = f"the last {len(shown)} of {len(said)} lines; -v shows all" if len(said) > len(shown) else ""
    table.add_row("", Text.assemble(("its own log", "bold"), (f"  {more}" if more else "", "dim")))
    for event in shown:
        table.add_row(moment(event.at - started), Text(escape(event.text), _log_style(event)))
    return table


_LOG_STYLES = {"emerg": "red", "alert": "red", "crit": "red", "err": "red", "warning": "yellow"}


def _log_style(event: Event) -> str:
    return _LOG_STYLES.get(event.fact(SEVERITY), "")


def verdict_text(verdict: Verdict) -> RenderableType:
    """Its name, its sentence, and what to change: lines to be pasted as they are."""
    mark, style = ("✗", "bold red") if verdict.severity == "error" else ("!", "bold yellow")
    advice = Text()
    for line in verdict.advice.split("\n"):
        advice.append("\n" if advice else "").append(escape(line, 1000), "cyan" if line.startswith("  ") else "")
    text = Table.grid(padding=(0, 1, 0, 0))
    text.add_column(no_wrap=True)
    text.add_column(overflow="fold")
    text.add_row(Text(mark, style), Text.assemble((verdict.name, style), (f"  {verdict.id}", "dim")))
    text.add_row("", Text(escape(verdict.sentence, 1000), style.removeprefix("bold ")))
    text.add_row(Text("→", "bold"), advice)
    return text


def overview(judged: Sequence[Judged]) -> RenderableType:
    """A line a boot, its first verdict below how far it came."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("began", "machine", "system", "boot", "took"):
        table.add_column(name, no_wrap=True, justify="right" if name in ("boot", "took") else "left")
    table.add_column("got as far as", overflow="fold")
    for boot, found in judged:
        table.add_row(
            _when(boot.started),
            Text(escape(boot.machine)),  # as a plain string 02:cd:… is taken for a picture of a disc
            Text(escape(boot.system) or "–", "bold" if boot.system else "dim"),
            str(boot.number),
            moment(boot.seconds),
            _came_to(boot, found),
        )
    return table


def event_text(placed: Placed) -> Text:
    """One event on a line of its own, with its machine."""
    event = placed.event
    line = Text(time.strftime("%H:%M:%S", time.localtime(event.at)) + f".{int(event.at * 1000) % 1000:03d}  ", "dim")
    line.append(escape(event.system or placed.machine or "–"), "bold")
    line.append("  ")
    return line.append_text(_what(event)).append("  ").append_text(_sentence(event))


def _came_to(boot: Boot, found: Sequence[Verdict]) -> Text:
    line = stage_line(boot.stages[-1:])
    for verdict in found[:1]:
        line.append("\n").append(verdict.name, "red" if verdict.severity == "error" else "yellow")
    return line


def _heading(boot: Boot) -> Text:
    line = Text(escape(boot.system or boot.machine), "bold")
    if boot.system:
        line.append(f"  {escape(boot.machine)}", "default")
    return line.append(f"  boot {boot.number}, {_when(boot.started)}, {moment(boot.seconds)}", "dim")


def _is_passed_over(event: Event) -> bool:
    """Whether it is a file that a loader asks for on the chance."""
    absent = event.reason in ABSENT
    return absent and (event.reason is Reason.NAME_NOT_OURS or goes_on_without(event.name))


def _is_bad(event: Event) -> bool:
    return event.severity is Severity.FAILED or (event.reason in ABSENT and not _is_passed_over(event))


def _what(event: Event) -> Text:
    room, _, what = event.kind.partition(".")
    style = "dim" if _is_passed_over(event) else "red" if _is_bad(event) else _ROOMS.get(room, "dim")
    return Text(f"{room.upper() if len(room) == 4 else room} {what}".strip(), style)


def _sentence(event: Event, again: str = "") -> Text:
    if _is_passed_over(event):
        return Text(f"{escape(event.name)}: not there, the loader goes on to its next", "dim")
    text = Text()
    bad = _is_bad(event)
    if event.kind.fetched and event.name and event.stage != "handed-over":
        text.append(escape(event.name))
    elif event.kind is Kind.SYSLOG_LINE:
        text.append(escape(event.text), _log_style(event))
    else:
        text.append(escape(event.text or event.reason.meaning), "red" if bad else "")
    facts = ", ".join([*_facts(event), *([again] if again else [])])
    if facts:
        text.append(f"  {facts}", "dim")
    if bad and event.reason.advice:
        text.append(f"\n→ {event.reason.advice}", "yellow")
    return text


def _facts(event: Event) -> Iterator[str]:
    if event.size and event.kind.fetched:
        yield size(event.size)
        if event.seconds and event.size >= 100_000:
            yield f"{event.seconds:.1f} s at {rate(event.size, event.seconds)}"
    if event.retransmits:
        yield f"{event.retransmits} sent again"
    detail = dict(event.detail)
    if event.kind.asks or event.kind is Kind.DHCP_DROP:
        yield from (escape(detail[name], 60) for name in (LOADER, ARCH) if name in detail)
    for name, usual in ((BLKSIZE, ""), (WINDOWSIZE, "1"), (STATUS, "200"), (ERROR, "")):
        if detail.get(name, usual) != usual:
            yield f"{name} {escape(detail[name], 60)}"


def _folded(events: Sequence[Event]) -> Iterator[tuple[Event, int, float]]:
    """Events, those that repeat the one or two before them counted: (event, times, when last)."""
    at = 0
    while at < len(events):
        step, times = max(((step, _repeats(events, at, step)) for step in (1, 2)), key=lambda found: found[1])
        if times == 1:
            step = 1
        for k in range(step):
            yield events[at + k], times, events[at + k + (times - 1) * step].at
        at += step * times


def _repeats(events: Sequence[Event], at: int, step: int) -> int:
    times = 1
    while [*map(_alike, events[at + times * step : at + (times + 1) * step])] == [*map(_alike, events[at : at + step])]:
        times += 1
    return times


def _alike(event: Event) -> tuple[object, ...]:
    return event.kind, event.reason, event.text, event.name, event.stage, event.detail


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
