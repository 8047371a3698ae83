"""One boot of one machine: its events, and how far it came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind

STAGES = ("address", "loader", "script", "kernel", "initrd", "autoinstall", "callback")
"""What a machine gets on its way, in the order in which it usually gets it."""

_ORDER = ("address", "loader", "script", "kernel", "initrd", "handed-over", "autoinstall", "callback")
"""The same, and what only a domU has: its kernel is fetched by dom0, and handed to Xen."""

StageState = Literal["done", "started", "failed"]


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
    reached: dict[str, list[tuple[Event, StageState]]] = {}
    for event in events:
        name, state = _stage_of(event), _state_of(event)
        if name in _ORDER and state is not None:
            failed = event.reason in (Reason.INSTALL_FAILED, Reason.XEN_REFUSED)
            reached.setdefault(name, []).append((event, "failed" if failed else state))
    asked = next((event.at for event in events if event.kind.startswith("dhcp.")), None)
    stages = (_stage(name, steps, asked if name == "address" else None) for name, steps in reached.items())
    return tuple(sorted(stages, key=lambda stage: (stage.at, _ORDER.index(stage.name))))


def _state_of(event: Event) -> StageState | None:
    """UEFI's HTTP Boot asks for the size first, by HEAD: nothing of the file is there by that."""
    return "started" if ("method", "HEAD") in event.detail else _STATES.get(event.kind)


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
    if event.kind in (Kind.DHCP_ACK, Kind.DHCP_BOOTP, Kind.DHCP_NAK):
        return "address"
    return event.stage
