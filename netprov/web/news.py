"""The rows of the machines that something happened to."""

from __future__ import annotations

from collections.abc import Sequence

from netprov.http.services import Services
from netprov.journal.timeline import Timeline
from netprov.web.live import Message
from netprov.web.machines import Machine, find, standing
from netprov.web.rows import row_of

MOST_EVENTS = 5000  # looked at in one go
MOST_MACHINES = 40
"""Told one by one in one go: some 2 ms each. When more happens at once, browsers load their page anew."""


class JournalNews:
    """What is new, as live.News. For one thread at a time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._journal: Timeline | None = None

    def __call__(self, seen: int | None) -> tuple[int, Sequence[Message]]:
        if self._journal is None:
            self._journal = Timeline(self._services.journal)
        elif self._journal.reopened():
            seen = None
        if seen is None:
            return self._journal.newest(), ()
        found = self._journal.after(seen, MOST_EVENTS)
        if not found:
            return seen, ()
        inventory = self._services.inventory()
        changed: dict[str, Machine] = {}
        for _, placed in found:
            # what belongs to no boot, any visitor's request say, is no machine's doing
            if name := placed.event.system or (placed.machine if placed.boot else ""):
                machine = find(inventory, name)
                changed[machine.name] = machine
        newest = found[-1][0]
        if len(changed) > MOST_MACHINES or len(found) == MOST_EVENTS:
            return newest, (Message("reload", None),)
        return newest, [Message("machine", self._row(machine)) for machine in changed.values()]

    def _row(self, machine: Machine) -> object:
        assert self._journal is not None
        record = self._services.state.installs.get(machine.name)
        records = {machine.name: record} if record is not None else {}
        return row_of(standing(machine, records, self._journal), self._services)
