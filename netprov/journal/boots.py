"""One boot of one machine: its events, and how far it came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind

STAGES = ("address", "loader", "script", "kernel", "initrd", "autoinstall", "callback")
"""What a machine gets on its way, in the order in which it usually gets it."""

StageState = Literal["done", "started", "failed"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage a boot reached. `at` is when it was done, or when it failed or started last."""

    name: str
    state: StageState
    at: float
    size: int = 0  # octets
    seconds: float = 0.0


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


_STATES: dict[Kind, StageState] = {
    Kind.DHCP_ACK: "done",
    Kind.DHCP_BOOTP: "done",
    Kind.TFTP_DONE: "done",
    Kind.HTTP_DONE: "done",
    Kind.INSTALL: "done",
    Kind.DHCP_NAK: "failed",
    Kind.TFTP_FAIL: "failed",
    Kind.TFTP_REFUSE: "failed",
    Kind.HTTP_FAIL: "failed",
    Kind.HTTP_REFUSE: "failed",
    Kind.TFTP_REQUEST: "started",
}
"""What an event says about its stage; other kinds say nothing. A TFTP abort is a client that wanted only the size."""


def _stages(events: tuple[Event, ...]) -> tuple[Stage, ...]:
    reached: dict[str, Stage] = {}
    for event in events:
        name, state = _stage_of(event), _STATES.get(event.kind)
        if name not in STAGES or state is None:
            continue
        if event.reason is Reason.INSTALL_FAILED:
            state = "failed"
        before = reached.get(name)
        if before is None or before.state != "done":
            reached[name] = Stage(name, state, event.at, event.size, event.seconds)
    return tuple(sorted(reached.values(), key=lambda stage: (stage.at, STAGES.index(stage.name))))


def _stage_of(event: Event) -> str:
    """DHCP gives an address; that it names a loader does not mean that the loader was fetched."""
    if event.kind in (Kind.DHCP_ACK, Kind.DHCP_BOOTP, Kind.DHCP_NAK):
        return "address"
    return event.stage
