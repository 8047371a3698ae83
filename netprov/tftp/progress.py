"""How far the transfers under way are, told once a second: not of a block, and not by an ACK."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from netprov.journal.event import Event
from netprov.journal.running import AT_ONCE, EVERY, progress_event
from netprov.tftp import report
from netprov.tftp.session import Session


class Progress:
    """Tells `record` of the transfers that go on for a second already. Call `tell` when `due` is over.

    `wall` gives seconds since the epoch.
    """

    def __init__(self, record: Callable[[Event], None], wall: Callable[[], float]) -> None:
        self._record = record
        self._wall = wall
        self._skip = 0  # the sessions told of last time, where there are more than AT_ONCE
        self.due = 0.0

    def tell(self, sessions: Iterable[Session], now: float) -> None:
        self.due = now + EVERY
        going = [session for session in sessions if session.transfer.started]
        self._skip = self._skip + AT_ONCE if self._skip + AT_ONCE < len(going) else 0
        for session in islice(going, self._skip, self._skip + AT_ONCE):
            octets = session.transfer.octets
            told, at = session.told
            if at:  # else this is the first look at it: it may be over before the next
                rate = (octets - told) / max(now - at, 0.001)
                self._record(progress_event(report.going(self._wall(), session, now), octets, rate))
            session.told = octets, now
