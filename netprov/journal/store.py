"""The journal's file: one SQLite database, one writer, any number of readers."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from netprov.errors import PeerError
from netprov.journal.correlate import Placed
from netprov.journal.event import Event, Kind
from netprov.journal.running import TABLE, Transfers
from netprov.journal.wire import STORED, event_of_row, row_of
from netprov.state.sqlite import immediately, opened

_log = logging.getLogger(__name__)

VERSION = 1  # PRAGMA user_version; a file of another one is moved aside like a damaged one

_SCHEMA = f"""
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  at REAL NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, text TEXT NOT NULL, stage TEXT NOT NULL,
  mac TEXT NOT NULL, uuid TEXT NOT NULL, client_id TEXT NOT NULL, xid INTEGER NOT NULL,
  ip TEXT NOT NULL, peer TEXT NOT NULL, relay TEXT NOT NULL, system TEXT NOT NULL, token TEXT NOT NULL,
  name TEXT NOT NULL, size INTEGER NOT NULL, seconds REAL NOT NULL, retransmits INTEGER NOT NULL,
  detail TEXT NOT NULL,  -- JSON: [[name, value], …], and of the trace ["trace", step] each
  machine TEXT NOT NULL, boot INTEGER NOT NULL
);
CREATE INDEX events_boot ON events (machine, boot) WHERE machine <> '';
CREATE INDEX events_system ON events (system) WHERE system <> '';
PRAGMA user_version = {VERSION};
"""
COLUMNS = ", ".join((*STORED, "machine", "boot"))
_INSERT = f"INSERT INTO events ({COLUMNS}) VALUES ({', '.join('?' * (len(STORED) + 2))})"
_LATEST_BOOT = (
    f"SELECT {COLUMNS} FROM events WHERE machine = ?1 AND machine <> '' AND boot > 0 AND boot = "
    "(SELECT max(boot) FROM events WHERE machine = ?1 AND machine <> '') ORDER BY id LIMIT ?2"
)
_LINES = "machine = ?1 AND machine <> '' AND boot = ?2 AND kind = ?3"
_GAPS = "CREATE TABLE IF NOT EXISTS gaps (id INTEGER PRIMARY KEY, count INTEGER NOT NULL)"
"""How many ids below this one `trim` took out: a chatty machine is to cost others no history."""
_STEP = 2000  # rows deleted at once: some 20 ms


class Store:
    """The journal open for writing. Every method but `close` may raise sqlite3.Error or OSError."""

    def __init__(self, path: Path) -> None:
        self._db = opened(path, 0o640, _prepare, wait=1.0)  # tokens are in it

    def add(self, placed: Sequence[Placed], keep: int, before: float) -> None:
        """Store `placed` in one transaction; forget the oldest events beyond `keep`, and some from before `before`."""
        with immediately(self._db):
            for adopts, group in groupby(placed, key=lambda place: place.adopts):
                rows = list(group)
                if adopts is not None:
                    for place in rows:
                        self._db.execute(
                            "UPDATE events SET machine = ?, boot = ? WHERE machine = ? AND machine <> '' AND boot = ?",
                            (place.machine, place.boot, *adopts),
                        )
                self._db.executemany(_INSERT, ((*row_of(p.event), p.machine, p.boot) for p in rows))
            self._forget(keep, before)

    def trim(self, machine: str, boot: int, keep: int) -> None:
        """Forget the lines of the machine's log in this boot but the last `keep`."""
        which = (machine, boot, Kind.SYSLOG_LINE.value)
        last = f"SELECT id FROM events WHERE {_LINES} ORDER BY id DESC LIMIT 1 OFFSET ?4"
        row = self._db.execute(last, (*which, keep)).fetchone()
        if row is not None:
            count = self._db.execute(f"DELETE FROM events WHERE {_LINES} AND id <= ?4", (*which, row[0])).rowcount
            self._db.execute("INSERT OR REPLACE INTO gaps VALUES (?, ?)", (row[0], count))

    def move(self, transfers: Transfers, where: Callable[[Event], tuple[str, int]], now: float) -> None:
        """Bring what is known of the transfers under way up to date."""
        transfers.write(self._db, where, now)

    def _forget(self, keep: int, before: float) -> None:
        """A step at a time, so that no batch waits long. The newest event stays: its id is the count's end."""
        (first,) = self._db.execute("SELECT min(id) FROM events").fetchone()
        (last,) = self._db.execute("SELECT max(id) FROM events").fetchone()
        if first is None:
            return
        until = min(first + _STEP, last)
        (gap,) = self._db.execute("SELECT coalesce(sum(count), 0) FROM gaps WHERE id >= ?", (first,)).fetchone()
        oldest = last - gap - max(1, keep)
        self._db.execute("DELETE FROM events WHERE id < ?1 AND (id <= ?2 OR at < ?3)", (until, oldest, before))
        self._db.execute("DELETE FROM gaps WHERE id < ?", (first,))

    def latest_boot(self, machine: str) -> list[Placed]:
        """The events of the machine's latest boot; of a long one the first 500, and the last."""
        rows = [*self._db.execute(_LATEST_BOOT, (machine, 500))]
        if len(rows) == 500:
            rows += self._db.execute(_LATEST_BOOT.replace("ORDER BY id", "ORDER BY id DESC"), (machine, 1))
        return list(placed_rows(rows))

    def latest(self, count: int) -> list[Placed]:
        """The newest `count` events, oldest first."""
        rows = self._db.execute(f"SELECT {COLUMNS} FROM events ORDER BY id DESC LIMIT ?", (count,)).fetchall()
        return list(placed_rows(reversed(rows)))

    def close(self) -> None:
        try:
            self._db.close()
        except sqlite3.Error as error:
            _log.warning("the journal does not close: %s", error)


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last events, never the file
    db.execute("PRAGMA journal_size_limit = 16777216")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if version == 0 and tables == 0:
        db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
    elif version != VERSION:
        error = sqlite3.DatabaseError(f"it has version {version}; this netprov writes version {VERSION}")
        error.sqlite_errorcode = sqlite3.SQLITE_NOTADB
        raise error
    db.execute(TABLE)
    db.execute(_GAPS)


def placed_rows(rows: Any) -> Iterator[Placed]:
    """The placed events of rows of COLUMNS. Those of a kind or reason that only a newer netprov knows are left out."""
    for *values, machine, boot in rows:
        try:
            yield Placed(event_of_row(tuple(values)), machine, boot)
        except PeerError:
            continue
