"""What decide() may know beside the inventory."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from netprov.boot.install import InstallRecord
from netprov.mac import Mac
from netprov.quick import quick

LOOP_SECONDS = 60.0
LOOP_FETCHES = 3
"""A loader given so often within a minute is in a boot loop (xCAT's endless 7-or-9 loop, netboot's README)."""

_MACHINES = 4096  # remembered at once: bounds what a flood of invented MACs can make us keep


class InstallRecords(Protocol):
    """The install records by the names of those that they are of: a dictionary is one, and so is the state database."""

    def get(self, system: str, /) -> InstallRecord | None:
        """None where it has none."""


@quick
@dataclass(frozen=True, slots=True)
class BootState:
    """The changing facts a decision depends on: a value, made for one question.

    `given` is how often the machine that asks was given each loader within the last minute, this time not counted.
    """

    installs: InstallRecords = field(default_factory=dict[str, InstallRecord])
    given: Mapping[str, int] = field(default_factory=dict)


_NEVER: Mapping[str, int] = {}


class LoaderLoop:
    """Counts how often each machine was given each loader. A repeated packet (same xid) is one time."""

    def __init__(self) -> None:
        self._given: OrderedDict[Mac, dict[str, deque[tuple[float, int]]]] = OrderedDict()

    def note(self, mac: Mac, loader_file: str, xid: int, now: float) -> None:
        """The machine was given the loader in the exchange `xid`, at `now` (seconds)."""
        given = self._given.setdefault(mac, {}).setdefault(loader_file, deque(maxlen=LOOP_FETCHES))
        self._given.move_to_end(mac)
        if all(xid != seen for _, seen in given):
            given.append((now, xid))
        while len(self._given) > _MACHINES:
            self._given.popitem(last=False)

    def given(self, mac: Mac | None, now: float, xid: int | None = None, *, again: bool = False) -> Mapping[str, int]:
        """How often the machine was given each loader within the minute before `now`, in exchanges other than `xid`.

        With `again` one less: it asks for the second time in this boot, and the first is counted already.
        """
        held = self._given.get(mac) if mac is not None else None
        if held is None:
            return _NEVER
        return {file: max(0, _within(times, now, xid) - again) for file, times in held.items()}


def _within(times: deque[tuple[float, int]], now: float, xid: int | None) -> int:
    return sum(1 for at, seen in times if now - at < LOOP_SECONDS and seen != xid)
