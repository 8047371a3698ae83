"""What decide() may know beside the inventory."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from netprov.boot.install import InstallRecord
from netprov.mac import Mac

LOOP_SECONDS = 60.0
LOOP_FETCHES = 3
"""A loader given so often within a minute goes round in a circle (xCAT's endless 7-or-9 loop, netboot's README)."""

_MACHINES = 4096  # remembered at once: bounds what a flood of invented MACs can make us keep


class BootState(Protocol):
    """The changing facts a decision depends on."""

    def install(self, system: str) -> InstallRecord | None:
        """The system's install record, None where it has none."""

    def loader_fetches(self, mac: Mac, loader_file: str) -> int:
        """How often the machine was given this loader within the last minute, this time not counted."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A BootState of plain values, for previews and tests."""

    installs: Mapping[str, InstallRecord] = field(default_factory=dict)
    fetches: Mapping[tuple[Mac, str], int] = field(default_factory=dict)

    def install(self, system: str) -> InstallRecord | None:
        return self.installs.get(system)

    def loader_fetches(self, mac: Mac, loader_file: str) -> int:
        return self.fetches.get((mac, loader_file), 0)


class LoaderLoop:
    """Counts how often each machine was given each loader. A repeated packet (same xid) is one time."""

    def __init__(self) -> None:
        self._given: OrderedDict[tuple[Mac, str], deque[tuple[float, int]]] = OrderedDict()

    def note(self, mac: Mac, loader_file: str, xid: int, now: float) -> None:
        """The machine was given the loader in the exchange `xid`, at `now` (monotonic seconds)."""
        given = self._given.setdefault((mac, loader_file), deque(maxlen=LOOP_FETCHES))
        self._given.move_to_end((mac, loader_file))
        if all(xid != seen for _, seen in given):
            given.append((now, xid))
        while len(self._given) > _MACHINES:
            self._given.popitem(last=False)

    def count(self, mac: Mac, loader_file: str, now: float, xid: int | None = None) -> int:
        """How often within the minute before `now`, in exchanges other than `xid`."""
        given = self._given.get((mac, loader_file), ())
        return sum(1 for at, seen in given if now - at < LOOP_SECONDS and seen != xid)
