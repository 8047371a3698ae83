"""Which boots are to be judged, and when. Pure; `now` is monotonic seconds."""

from __future__ import annotations

from dataclasses import dataclass

from netprov.recent import Recent

LOOKS = (1.0, 6.0, 22.0, 32.0, 62.0, 92.0, 122.0, 182.0, 302.0, 602.0, 902.0)
"""Seconds after a boot's last event: shortly after each silence that a rule of netprov.journal.verdicts waits for."""

WATCHED = 20_000  # boots at once


@dataclass(slots=True)
class _Watched:
    number: int
    last: float  # when something happened last
    look: float  # when to look next
    step: int = 0


class Watch:
    """The latest boot of each machine that did something lately."""

    def __init__(self) -> None:
        self._machines: Recent[str, _Watched] = Recent(WATCHED)
        self._waiting: dict[str, _Watched] = {}
        self._ended: dict[tuple[str, int], None] = {}

    def note(self, machine: str, number: int, now: float) -> None:
        """Something happened in this boot."""
        watched = self._machines.get(machine)
        if watched is None or watched.number < number:
            if watched is not None:
                self._end(machine, watched.number)
            watched = _Watched(number, now, now + LOOKS[0])
            self._machines.put(machine, watched)
        elif watched.number > number:  # the end of a transfer that a reset broke off
            self._end(machine, number)
            return
        elif watched.step:
            watched.look = now + LOOKS[0]
        watched.last, watched.step = now, 0
        self._waiting[machine] = watched
        if len(self._waiting) > WATCHED:
            del self._waiting[next(iter(self._waiting))]

    def due(self, now: float, most: int) -> list[tuple[str, int, bool]]:
        """At most `most` boots to judge now: machine, number, and whether the machine has begun another since."""
        ended = [*self._ended][:most]
        for boot in ended:
            del self._ended[boot]
        found = [(machine, number, True) for machine, number in ended]
        for machine, watched in list(self._waiting.items()):
            if len(found) >= most:
                break
            if watched.look <= now:
                found.append((machine, watched.number, False))
                self._next(machine, watched, now)
        return found

    def _end(self, machine: str, number: int) -> None:
        self._ended[machine, number] = None
        if len(self._ended) > WATCHED:
            del self._ended[next(iter(self._ended))]

    def _next(self, machine: str, watched: _Watched, now: float) -> None:
        quiet = now - watched.last
        watched.step = next((step for step, look in enumerate(LOOKS) if look > quiet), len(LOOKS))
        if watched.step == len(LOOKS):
            del self._waiting[machine]
        else:
            watched.look = watched.last + LOOKS[watched.step]
