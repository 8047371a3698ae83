"""The guests' progress on the screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from netprov.demo.guests import Watched
from netprov.journal.boots import STAGES, Boot, Stage
from netprov.journal.event import Event
from netprov.text import escape, size

DONE, BAD, MARGIN = Text("✓", "green"), Text("✗", "bold red"), 4
_MARKS = {"done": DONE, "started": Text("…", "yellow"), "failed": BAD}


class LiveBoard:
    """Shows the guests in place, on a terminal."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=10, transient=False)
        self._spinner = Spinner("dots", style="cyan")

    def __enter__(self) -> LiveBoard:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, watched: Sequence[Watched], over: bool = False) -> None:
        mark = BAD if over else self._spinner
        self._live.update(one(watched[0], mark) if len(watched) == 1 else many(watched, mark))


class PlainBoard:
    """Prints a line for each stage of each guest, where the output is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: set[tuple[str, str]] = set()

    def __enter__(self) -> PlainBoard:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(self, watched: Sequence[Watched], over: bool = False) -> None:
        for guest in watched:
            for stage in guest.stages:
                if stage.state != "started" and (guest.name, stage.name) not in self._told:
                    self._told.add((guest.name, stage.name))
                    mark = _MARKS[stage.state].plain
                    after = f"{guest.after(stage.at):6.1f} s"
                    self._console.print(f"  {mark} {guest.name}  {stage.name:11} {after}  {_fact(guest.boot, stage)}")


def one(guest: Watched, mark: RenderableType) -> RenderableType:
    """A line a stage: what it got, and when."""
    table = _grid()
    table.add_column(width=11)
    table.add_column(justify="right", style="dim", width=7)
    table.add_column(width=0)
    table.add_column(overflow="ellipsis", no_wrap=True, style="dim")
    reached = {stage.name: stage for stage in guest.stages}
    for name in STAGES:
        stage = reached.get(name)
        if stage is not None and stage.state != "started":
            after = f"{guest.after(stage.at):.1f} s"
            table.add_row("", _MARKS[stage.state], name, after, "", _fact(guest.boot, stage))
        elif name == guest.next_stage:
            table.add_row("", mark, name)
        else:
            table.add_row("", Text("·", "dim"), Text(name, "dim"))
    return table


def many(watched: Sequence[Watched], mark: RenderableType) -> RenderableType:
    """A line a guest: the seconds at which it had each stage."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("", width=MARGIN - 2)
    table.add_column("", no_wrap=True)
    for name in STAGES:
        table.add_column(name, justify="right", no_wrap=True)
    for guest in watched:
        reached = {stage.name: stage for stage in guest.stages}
        cells = [_cell(guest, reached.get(name), name, mark) for name in STAGES]
        table.add_row("", Text(guest.name, "bold" if not guest.called_back else "bold green"), *cells)
    return Group(table)


def _grid() -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=MARGIN - 3)
    table.add_column(width=1)
    return table


def _cell(guest: Watched, stage: Stage | None, name: str, mark: RenderableType) -> RenderableType:
    if stage is not None and stage.state == "done":
        return Text(f"{guest.after(stage.at):.1f} s", "green")
    if stage is not None and stage.state == "failed":
        return BAD
    return mark if name == guest.next_stage else Text("·", "dim")


def _fact(boot: Boot | None, stage: Stage) -> str:
    """What the machine got: an address, a file, its size and speed."""
    return ", ".join(_facts(boot, stage))


def _facts(boot: Boot | None, stage: Stage) -> Iterator[str]:
    event = _event(boot, stage) if boot is not None else None
    if event is None:
        return
    if stage.state == "failed":
        yield escape(event.text or event.reason.meaning)
    elif stage.name == "address":
        yield event.ip
    elif stage.name == "callback":
        yield "the guest reports that it is installed"
    else:
        yield escape(event.name.partition("?")[0])
        if event.size:
            yield size(event.size)
        if event.size >= 1e6 and event.seconds:
            yield f"{event.size / event.seconds / 1e6:.1f} MB/s"


def _event(boot: Boot, stage: Stage) -> Event | None:
    """The event to tell of a stage: the file that was sent, or what made the stage what it is."""
    of_stage = [event for event in boot.events if event.stage == stage.name and event.name and event.kind.fetched]
    made_it = [event for event in boot.events if event.at == stage.at]
    return next(iter([*(of_stage if stage.state == "done" and stage.name != "address" else []), *made_it]), None)
