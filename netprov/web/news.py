"""The rows of the machines that something happened to, and how far the transfers are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netprov.journal.timeline import Timeline
from netprov.web.glance import Glance
from netprov.web.live import Message
from netprov.web.machines import Machine, find
from netprov.web.rows import progress_object, row_of, safe
from netprov.web.services import Services
from netprov.web.turn import begun

MOST_EVENTS = 5000  # looked at in one go
MOST_MACHINES = 40
"""Told one by one in one go: some 2 ms each. When more happens at once, browsers load their page anew."""
MOST_TRANSFERS = 300  # told of in one go, a message together: no page shows more than 50 machines


class JournalNews:
    """What is new, as live.News. For one thread at a time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._journal: Timeline | None = None
        self._moved = 0.0  # the time of the newest progress that was told

    def __call__(self, seen: int | None) -> tuple[int, Sequence[Message]]:
        with begun(self._services.newest()):
            return self._look(seen)

    def _look(self, seen: int | None) -> tuple[int, Sequence[Message]]:
        if self._journal is None:
            self._journal = Timeline(self._services.journal)
        elif self._journal.reopened():
            seen = None
        if seen is None:
            return self._journal.newest(), ()
        found = self._journal.after(seen, MOST_EVENTS)
        glance = Glance(self._services, self._journal)
        progress = tuple(self._progress(glance))
        if not found:
            return seen, progress
        changed: dict[str, Machine] = {}
        for _, placed in found:
            # what belongs to no boot, any visitor's request say, is no machine's doing
            if name := placed.event.system or (placed.machine if placed.boot else ""):
                machine = find(glance.inventory, name)
                changed[machine.name] = machine
        newest = found[-1][0]
        if len(changed) > MOST_MACHINES or len(found) == MOST_EVENTS:
            return newest, (Message("reload", None),)
        return newest, (*(Message("machine", row_of(glance.standing(m))) for m in changed.values()), *progress)

    def _progress(self, glance: Glance) -> Iterator[Message]:
        """One message for all: a browser's queue holds so many, and a room of machines fetches at once."""
        fresh = [transfer for transfer in glance.transfers if transfer.at > self._moved][:MOST_TRANSFERS]
        if fresh:
            self._moved = max(transfer.at for transfer in fresh)
            yield Message("progress", [safe({"machine": glance.name_of(t), **progress_object(t)}) for t in fresh])
