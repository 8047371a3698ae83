"""A boot as lanes to draw: a lane a stage, spans and points at their place on an axis of time. Pure geometry.

Places are percent of the width, so that the drawing fits any screen. A pause longer than a part of what happened is cut
short on the axis, and marked: an install of minutes does not squeeze a loader of milliseconds to nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from netprov.journal.boots import STAGES, Boot, without_requests
from netprov.journal.event import FAILING, Event, Kind, Severity
from netprov.journal.kind import StageState
from netprov.journal.running import Transfer
from netprov.text import size
from netprov.web.words import about, ago, rate

LANES = (
    "address", "loader", "loader-file", "script", "kernel", "initrd", "handed-over", "autoinstall", "callback", "other"
)  # fmt: skip
MARGIN = 1.5  # percent at each end: a point at time 0 is to be seen as a whole
SMALLEST = 0.8  # percent: what is shorter is drawn so long
CLUSTER = 0.25  # seconds around an event that count as busy
PAUSE_PART = 0.08  # of all that is busy: the longest pause that is drawn as it is
PAUSE_LEAST = 0.5  # seconds
TICK_ROOM = 18.0  # percent between two texts of the axis: 50 pixels of a telephone's 290
MOST_SPANS = 400


@dataclass(frozen=True, slots=True)
class Span:
    """Something that happened: from `x`, `width` long (percent). `number` is its event's place in the boot."""

    x: float
    width: float
    state: str  # "done", "started", "failed", "minor"
    title: str
    number: int


@dataclass(frozen=True, slots=True)
class Lane:
    """A stage. `facts`: "12.3 MB, 4.1 s, 3.0 MB/s"."""

    name: str
    state: StageState | str
    facts: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    """A part of the axis that stands for more time than its width says."""

    x: float
    width: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    pauses: tuple[Pause, ...]


def draw(boot: Boot, moving: Transfer | None = None, now: float = 0.0) -> Drawing:
    """`boot`, drawn. Of one with very many events the first ones. `moving`: the file on its way to it, `now`."""
    spans = list(_spans(boot))[:MOST_SPANS]
    if moving is not None:
        spans = [*(span for span in spans if span[3] != "started"), _moving(boot, moving, now)]
    axis = Axis([(begin, end) for begin, end, *_ in spans])
    lanes = []
    for name in LANES:
        mine = [
            Span(*axis.span(begin, end), state, title, number)
            for begin, end, lane, state, title, number in spans
            if lane == name
        ]
        if mine:
            state = "started" if moving is not None and _lane(moving) == name else _state(boot, name, mine)
            lanes.append(Lane(name, state, _facts(boot.events, name), tuple(mine)))
    return Drawing(tuple(lanes), axis.ticks(), axis.pauses())


class Axis:
    """From seconds since the boot's start to percent of the width."""

    def __init__(self, intervals: Iterable[tuple[float, float]]) -> None:
        busy = _merged((begin - CLUSTER, end + CLUSTER) for begin, end in intervals)
        longest = max(PAUSE_LEAST, PAUSE_PART * sum(end - begin for begin, end in busy))
        self._busy = busy
        self._starts: list[float] = []  # of the busy parts, as drawn
        at, before = 0.0, busy[0][0] if busy else 0.0
        for begin, end in busy:
            at += min(longest, begin - before)
            self._starts.append(at)
            at += end - begin
            before = end
        self._length = at or 1.0
        self._longest = longest

    def x(self, seconds: float) -> float:
        place = max(0, bisect_right(self._busy, seconds, key=lambda part: part[0]) - 1)
        begin, end = self._busy[place]
        drawn = self._starts[place] + min(seconds, end) - begin
        return round(MARGIN + drawn / self._length * (100 - 2 * MARGIN), 2)

    def span(self, begin: float, end: float) -> tuple[float, float]:
        x, until = self.x(begin), self.x(end)
        width = max(SMALLEST, until - x)
        return min(x, 100 - width), round(width, 2)

    def pauses(self) -> tuple[Pause, ...]:
        found = []
        for (_, before), (after, _) in zip(self._busy, self._busy[1:], strict=False):
            if after - before > self._longest:
                x, until = self.x(before), self.x(after)
                found.append(Pause(x, round(until - x, 2), about(after - before)))
        return tuple(found)

    def ticks(self) -> tuple[Tick, ...]:
        """Where something begins after a pause, and the end, as far as there is room."""
        found: list[Tick] = []
        for begin, _ in self._busy:
            x = self.x(begin + CLUSTER)
            if not found or (x - found[-1].x >= TICK_ROOM and x <= 100 - 1.5 * TICK_ROOM):
                found.append(Tick(x, about(max(0.0, begin + CLUSTER))))
        end = self._busy[-1][1] - CLUSTER if self._busy else 0.0
        if found and self.x(end) - found[-1].x >= 1.5 * TICK_ROOM:
            found.append(Tick(self.x(end), about(end)))
        return tuple(found)


def _merged(intervals: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for begin, end in sorted(intervals):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


Drawn = tuple[float, float, str, str, str, int]
"""(begin, end, lane, state, title, number of the event), in seconds since the start."""


def _spans(boot: Boot) -> Iterable[Drawn]:
    last = boot.events[-1].at
    offered: dict[int, float] = {}
    confirmed = {event.xid for event in boot.events if event.kind is Kind.DHCP_ACK}
    for number, event in without_requests(boot.events):
        if event.kind is Kind.TFTP_DROP or event.kind.room == "syslog":
            continue
        if event.kind is Kind.DHCP_OFFER and event.xid in confirmed:
            offered.setdefault(event.xid, event.at)  # one span with its confirmation
            continue
        begin = offered.get(event.xid, event.at) if event.kind is Kind.DHCP_ACK else event.at - event.seconds
        end = last if event.kind is Kind.TFTP_REQUEST else event.at
        yield begin - boot.started, end - boot.started, lane_of(event), state_of(event), title_of(event), number


def _moving(boot: Boot, moving: Transfer, now: float) -> Drawn:
    """The transfer as the page's text says it, up to now; it leads to the last event, having none yet."""
    title = f"{moving.name}, {moving.percent} % of {size(moving.size)}, on its way"
    begin = moving.at - moving.seconds - boot.started
    return max(0.0, begin), max(begin, now - boot.started), _lane(moving), "started", title, len(boot.events) - 1


def _lane(moving: Transfer) -> str:
    return moving.stage if moving.stage in LANES else "other"


def lane_of(event: Event) -> str:
    if event.kind.room == "dhcp":
        return "address"
    return event.stage if event.stage in LANES else "other"


def state_of(event: Event) -> str:
    if event.kind is Kind.TFTP_REQUEST:
        return "started"
    if event.severity is Severity.FINE:
        return "done"
    stops = event.reason in FAILING or event.stage in STAGES or event.kind.room == "dhcp"
    return "failed" if stops and event.severity is Severity.FAILED else "minor"


def title_of(event: Event) -> str:
    """What the event was, in a line."""
    what = event.name if event.kind.fetched and event.name else event.text
    facts = facts_of(event)
    return f"{what or event.reason.meaning}{', ' if facts else ''}{facts}"


def facts_of(event: Event) -> str:
    """Size, time, rate and what was sent again."""
    parts = []
    if event.kind.fetched and event.size:
        parts.append(size(event.size))
        if event.size >= 100_000 and event.seconds:
            parts += [ago(event.seconds), *filter(None, [rate(event.size, event.seconds)])]
    if event.retransmits:
        parts.append(f"{event.retransmits} sent again")
    return ", ".join(parts)


def _state(boot: Boot, lane: str, spans: Sequence[Span]) -> str:
    stage = next((stage for stage in boot.stages if stage.name == lane), None)
    return stage.state if stage is not None else ("done" if any(s.state == "done" for s in spans) else spans[-1].state)


def _facts(events: Sequence[Event], lane: str) -> str:
    done = [e for e in events if lane_of(e) == lane and e.kind.fetched]
    octets, seconds = sum(e.size for e in done), sum(e.seconds for e in done)
    if not octets:
        return ""
    pace = rate(octets, seconds) if octets >= 100_000 else ""
    return f"{size(octets)}, {pace}" if pace else size(octets)
