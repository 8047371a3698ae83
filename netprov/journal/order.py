"""Events of several workers, in the order in which they happened."""

from __future__ import annotations

from operator import attrgetter

from netprov.journal.event import Event

HOLD = 0.05
"""Seconds to wait for an event that happened earlier and comes later. The workers are processes of one machine: what
lies between is their scheduling."""


class Order:
    """Holds each event for HOLD, and releases them sorted by when they happened. `now` is monotonic seconds."""

    def __init__(self, hold: float = HOLD) -> None:
        self._hold = hold
        self._waiting: list[tuple[float, Event]] = []  # in the order they came

    def push(self, event: Event, now: float) -> None:
        self._waiting.append((now, event))

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def oldest(self) -> float | None:
        """When the first that waits came."""
        return self._waiting[0][0] if self._waiting else None

    def pop(self, now: float) -> list[Event]:
        """Those held long enough, and all that happened before any of these.

        Nothing waits longer than HOLD, also when the wall clock is set back meanwhile.
        """
        due = [event for came, event in self._waiting if came <= now - self._hold]
        if not due:
            return []
        until = max(event.at for event in due)
        released = [event for _, event in self._waiting if event.at <= until]
        self._waiting = [(came, event) for came, event in self._waiting if event.at > until]
        return sorted(released, key=attrgetter("at"))

    def flush(self) -> list[Event]:
        """All of them: nothing more will come."""
        released = sorted((event for _, event in self._waiting), key=attrgetter("at"))
        self._waiting.clear()
        return released
