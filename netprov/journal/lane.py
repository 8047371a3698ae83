"""A boot's way from power-on to installed, a line a stage: when, how long, what was served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from netprov.journal.boots import Boot, Stage
from netprov.journal.event import Kind
from netprov.journal.fact import LOADER, STATE
from netprov.journal.kind import StageState
from netprov.text import escape, size

MARKS: dict[StageState, tuple[str, str]] = {
    "done": ("✓", "green"),
    "started": ("…", "yellow"),
    "failed": ("✗", "bold red"),
}
_NARROWEST, _WIDEST = 12, 60  # columns of a bar
_RATED = 100_000  # octets from which on a rate means something
_NAMES = 3  # files named on one line


class Span:
    """A bar from `begin` to `end`, parts of 1, in a line as wide as there is room. The shortest is half a column."""

    def __init__(self, begin: float, end: float, style: str) -> None:
        self._begin, self._end = begin, end
        self._style = Style.parse(style)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        halves = options.max_width * 2
        first = min(round(self._begin * halves), halves - 1)
        last = max(first + 1, min(round(self._end * halves), halves))
        cells = "".join(_CELLS[first <= n < last, first <= n + 1 < last] for n in range(0, halves, 2))
        yield Segment(cells, self._style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(min(_NARROWEST, options.max_width), min(_WIDEST, options.max_width))


_CELLS = {(False, False): " ", (True, False): "╸", (False, True): "╺", (True, True): "━"}
"""A column by whether the bar is in its left and its right half."""


_DOMU = {
    "address": "xen-dhcp",
    "script": "xen-script",
    "kernel": "xen-fetch kernel",
    "initrd": "xen-fetch initrd",
}
"""What dom0 does in a domU's place."""


def lanes(boot: Boot) -> RenderableType:
    """A line for each stage that the boot reached."""
    if not boot.stages:
        return Text("got nothing", "yellow")
    end = max(max(stage.until for stage in boot.stages) - boot.started, 0.001)
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(ratio=2, overflow="fold")
    names = _DOMU if _is_domu(boot) else {}
    for stage in boot.stages:
        mark, style = MARKS[stage.state]
        begin = max(0.0, stage.began - boot.started)
        span = Span(begin / end, (stage.until - boot.started) / end, style)
        said = _told(boot, stage)
        served = Text(said, "dim" if stage.state == "done" else style)
        table.add_row(Text.assemble((mark, style), " ", names.get(stage.name, stage.name)), moment(begin), span, served)
    return table


def _is_domu(boot: Boot) -> bool:
    return any(
        event.stage == "handed-over" or event.fact(LOADER) == "xen" or event.name.startswith("/xen/")
        for event in boot.events
    )


def _told(boot: Boot, stage: Stage) -> str:
    """What the stage gave the machine; of a stage that gives nothing, what became of it."""
    if stage.name == "callback":
        return _install(boot)
    if stage.name == "handed-over":
        return escape(next((event.text for event in reversed(boot.events) if event.stage == stage.name), ""), 200)
    return "  ".join(served_by(stage))


def _install(boot: Boot) -> str:
    """The state of the install at the boot's end."""
    changes = [event for event in boot.events if event.kind is Kind.INSTALL]
    return changes[-1].fact(STATE) if changes else ""


def served_by(stage: Stage) -> Iterator[str]:
    """What a stage gave the machine: files, octets, rate, packets sent again."""
    names = [escape(short(name), 60) for name in stage.names if name]
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    if names:
        yield " ".join(names[:_NAMES]) + more
    if stage.size:
        timed = stage.seconds and stage.size >= _RATED
        yield size(stage.size) + (f" at {rate(stage.size, stage.seconds)}" if timed else "")
    if stage.retransmits:
        yield f"{stage.retransmits} sent again"


def short(name: str) -> str:
    """A file's name without what is the same in all: folders of our URLs, and a token's question mark."""
    return name.removeprefix("/files/").partition("?")[0]


def stage_line(stages: Sequence[Stage]) -> Text:
    """The stages in one line, marked."""
    line = Text()
    for stage in stages:
        mark, style = MARKS[stage.state]
        line.append("  " if line else "").append(f"{mark} ", style).append(stage.name)
    return line or Text("got nothing", "yellow")


def rate(octets: int, seconds: float) -> str:
    return f"{octets / seconds / 1e6:.1f} MB/s"


def moment(seconds: float) -> str:
    """Seconds as a person reads them, to the millisecond where they are few."""
    if seconds < 600:
        return f"{seconds:.3f} s" if seconds < 100 else f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"
