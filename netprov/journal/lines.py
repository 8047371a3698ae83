"""What is kept of machines' logs: the last lines of each boot, and none of who did not boot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from netprov.boot.reason import Reason
from netprov.journal.correlate import Placed
from netprov.journal.event import Event, Kind
from netprov.recent import Recent

KEEP = 500
"""Lines of a boot that are kept, the last; up to twice as many stand there before the older ones go."""

FEW = 100
"""The same of a boot that is over. Without its log a boot is some 60 events: lines must not crowd out last month's."""

AGAIN = 600.0
"""Seconds after which an address whose log is left out is told of again."""

PAUSE = 10.0
"""Seconds between two of such addresses: whoever invents them is to fill no journal."""

_SENDERS = 4096
_BOOTS = 4096


class Lines:
    """Looks through what the writer is about to store. For one writer."""

    def __init__(self) -> None:
        self._told: Recent[str, float] = Recent(_SENDERS)  # addresses of no boot, and when that was told
        self._last = 0.0  # when one was told of last
        self._counts: Recent[tuple[str, int], int] = Recent(_BOOTS)  # lines of a boot since it was cut last
        self._long: dict[tuple[str, int], int] = {}

    def sift(self, placed: Sequence[Placed]) -> list[Placed]:
        """`placed` without the lines that belong to no boot; one event says whose they are."""
        kept = []
        for place in placed:
            if place.event.kind is not Kind.SYSLOG_LINE:
                kept.append(place)
            elif place.boot:
                self._count((place.machine, place.boot))
                kept.append(place)
            elif self._is_news(place.event):
                kept.append(replace(place, event=_unknown(place.event)))
        return kept

    def long(self) -> Sequence[tuple[str, int, int]]:
        """The boots (machine, number) whose log is to be cut, and to how many lines; each is named once."""
        found = tuple((*boot, keep) for boot, keep in self._long.items())
        self._long.clear()
        return found

    def _count(self, boot: tuple[str, int]) -> None:
        count = (self._counts.get(boot) or 0) + 1
        if count == 1 and boot[1] > 1:
            self._long[boot[0], boot[1] - 1] = FEW
        elif count > KEEP:
            self._long[boot] = KEEP
            count = 2
        self._counts.put(boot, count)

    def _is_news(self, event: Event) -> bool:
        told = self._told.get(event.ip)
        if abs(event.at - self._last) < PAUSE or (told is not None and abs(event.at - told) < AGAIN):
            return False
        self._told.put(event.ip, event.at)
        self._last = event.at
        return True


def _unknown(event: Event) -> Event:
    text = f"a log comes from {event.ip}, where none of our machines boots: it is left out"
    return Event(event.at, Kind.SYSLOG_DROP, Reason.SYSLOG_UNKNOWN, text, ip=event.ip, system=event.system)
