"""The transfers under way: how far each is. Live only: kept beside the events while it lasts, and never told again.

A worker that sends a file for longer than a second says so once a second (Kind.PROGRESS). What it said last stands in a
table of the journal's file, where every HTTP worker sees it, and goes with the transfer's end. Nothing else knows of
it: no timeline, no verdict, no metric.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from netprov.journal.event import Event, Kind
from netprov.journal.fact import RATE, SENT
from netprov.state.sqlite import immediately

EVERY = 1.0  # seconds between two words of one transfer, and before the first
AT_ONCE = 256  # transfers that a worker tells of in one go, some 3 ms of it; with more, each is told of less often
STALE = 5.0  # seconds after which a transfer is not heard of any more: its worker was killed

TABLE = """
CREATE TABLE IF NOT EXISTS transfers (
  peer TEXT NOT NULL, name TEXT NOT NULL, machine TEXT NOT NULL, boot INTEGER NOT NULL, system TEXT NOT NULL,
  stage TEXT NOT NULL, at REAL NOT NULL, size INTEGER NOT NULL, sent INTEGER NOT NULL, seconds REAL NOT NULL,
  rate REAL NOT NULL, PRIMARY KEY (peer, name)
) WITHOUT ROWID
"""
_COLUMNS = "machine, boot, system, stage, name, at, size, sent, seconds, rate"
_PUT = f"INSERT OR REPLACE INTO transfers (peer, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
SELECT = f"SELECT {_COLUMNS} FROM transfers WHERE at > ?"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A file on its way to `machine`, as it was `at`: `sent` of `size` octets acknowledged, after `seconds`.

    `rate` is that of the last second, octets a second; 0: it has stalled.
    """

    machine: str
    boot: int
    system: str
    stage: str
    name: str
    at: float
    size: int
    sent: int
    seconds: float
    rate: float

    @property
    def percent(self) -> int:
        return min(100, self.sent * 100 // self.size) if self.size else 0


def progress_event(about: Event, sent: int, rate: float) -> Event:
    """What a worker tells of a transfer: `about` as its end will be told, `sent` octets at `rate` octets a second."""
    return replace(about, kind=Kind.PROGRESS, text="", trace=(), detail=((SENT, str(sent)), (RATE, f"{rate:.0f}")))


class Transfers:
    """The writer's part: takes in what workers say, and keeps the table as it is now."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str]] = set()  # that stand in the table, or will
        self._new: dict[tuple[str, str], Event] = {}
        self._over: list[tuple[str, str]] = []

    @property
    def waiting(self) -> bool:
        """Whether there is something to write."""
        return bool(self._new or self._over)

    def take(self, event: Event) -> bool:
        """Whether `event` is about a transfer under way, and so none for the journal."""
        if event.kind is Kind.PROGRESS:
            key = event.peer, event.name
            self._known.add(key)
            self._new[key] = event
            return True
        if self._known and event.kind.ends and (key := (event.peer, event.name)) in self._known:
            self._known.discard(key)
            self._new.pop(key, None)
            self._over.append(key)
        return False

    def write(self, db: sqlite3.Connection, where: Callable[[Event], tuple[str, int]], now: float) -> None:
        """Bring the table up to date, in one transaction. `where`: the machine and the boot an event is of."""
        rows = [_row(event, *where(event)) for event in self._new.values()]
        over, self._over = self._over, []
        self._new.clear()
        with immediately(db):
            db.executemany("DELETE FROM transfers WHERE peer = ? AND name = ?", over)
            db.executemany(_PUT, rows)
            db.execute("DELETE FROM transfers WHERE at < ? OR at > ?", (now - 2 * STALE, now + 2 * STALE))
            (left,) = db.execute("SELECT count(*) FROM transfers").fetchone()
        if not left:
            self._known.clear()


def _row(event: Event, machine: str, boot: int) -> tuple[object, ...]:
    sent, rate = min(event.number(SENT), event.size), float(event.number(RATE))
    who = event.peer, machine, boot, event.system
    return (*who, event.stage, event.name, event.at, event.size, sent, event.seconds, rate)


def transfers_of(rows: Iterable[tuple[str, int, str, str, str, float, int, int, float, float]]) -> tuple[Transfer, ...]:
    """The transfers of SELECT's rows."""
    return tuple(Transfer(*row) for row in rows)
