"""One boot of one machine: its events, and how far it came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from netprov.journal.event import FAILING, Event
from netprov.journal.fact import METHOD
from netprov.journal.kind import Kind, StageState

STAGES = ("address", "loader", "script", "kernel", "initrd", "autoinstall", "callback")
"""What a machine gets on its way, in the order in which it usually gets it."""

_ORDER = ("address", "loader", "script", "kernel", "initrd", "handed-over", "autoinstall", "callback")
"""The same, and what only a domU has: its kernel is fetched by dom0, and handed to Xen."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage a boot reached. `at` is when it was done first, or when it failed or started last.

    `began` and `until` are when its first question was asked and its last answer was complete; `size`, `seconds` and
    `retransmits` those of all its transfers together, `names` the files or addresses they gave.
    """

    name: str
    state: StageState
    at: float
    size: int = 0  # octets
    seconds: float = 0.0
    began: float = 0.0
    until: float = 0.0
    retransmits: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Boot:
    """A boot: `number` counts the machine's from 1. `machine` is its MAC, or "ip ADDRESS" where nobody said it.

    `events` are in the order in which they happened, `stages` in the order in which they were reached.
    """

    machine: str
    system: str
    number: int
    started: float
    events: tuple[Event, ...]
    stages: tuple[Stage, ...]

    @property
    def seconds(self) -> float:
        """From the first event to the last."""
        return self.events[-1].at - self.started


def boot_of(machine: str, number: int, events: Iterable[Event]) -> Boot:
    """The boot that consists of `events`, of which there is one at least."""
    ordered = tuple(sorted(events, key=lambda event: event.at))
    system = next((event.system for event in reversed(ordered) if event.system), "")
    return Boot(machine, system, number, ordered[0].at, ordered, _stages(ordered))


def _stages(events: tuple[Event, ...]) -> tuple[Stage, ...]:
    reached: dict[str, list[tuple[Event, StageState]]] = {}
    for event in events:
        name, state = _stage_of(event), _state_of(event)
        if name in _ORDER and state is not None:
            reached.setdefault(name, []).append((event, "failed" if event.reason in FAILING else state))
    asked = next((event.at for event in events if event.kind.room == "dhcp"), None)
    stages = (_stage(name, steps, asked if name == "address" else None) for name, steps in reached.items())
    return tuple(sorted(stages, key=lambda stage: (stage.at, _ORDER.index(stage.name))))


def _state_of(event: Event) -> StageState | None:
    """UEFI's HTTP Boot asks for the size first, by HEAD: nothing of the file is there by that."""
    return "started" if event.fact(METHOD) == "HEAD" else event.kind.state


def _stage(name: str, steps: Sequence[tuple[Event, StageState]], asked: float | None) -> Stage:
    """The stage of these events. A boot has one address, whatever asks for it again; of files it may need several."""
    done = [event for event, state in steps if state == "done"]
    settled, state = next(((event, state) for event, state in steps if state == "done"), steps[-1])
    parts = done[:1] if name == "address" else done or [settled]
    began = min(event.at - event.seconds for event, _ in steps)
    return Stage(
        name,
        state,
        settled.at,
        size=sum(event.size for event in parts),
        seconds=sum(event.seconds for event in parts),
        began=began if asked is None else min(began, asked),
        until=parts[-1].at if parts else settled.at,
        retransmits=sum(event.retransmits for event in parts),
        names=tuple(dict.fromkeys(event.ip if name == "address" else event.name for event in parts)),
    )


def _stage_of(event: Event) -> str:
    """DHCP gives an address; that it names a loader does not mean that the loader was fetched."""
    return event.kind.stage or event.stage


def without_requests(events: Sequence[Event]) -> Iterator[tuple[int, Event]]:
    """The events with their places, without the requests whose transfer has ended: its end tells all of it."""
    ended = {(event.peer, event.name) for event in events if event.kind.ends}
    return (
        (number, event)
        for number, event in enumerate(events)
        if event.kind is not Kind.TFTP_REQUEST or (event.peer, event.name) not in ended
    )
