"""What is yet to be sent, on the disk: it survives a restart, and a receiver that is away for hours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from netprov.state.sqlite import immediately, opened

MOST = 10_000
"""Waiting for one receiver; then the oldest go: some 10 MB, and more than anybody reads."""

_TOLD = 40 * 86400.0  # seconds for which is remembered what was told: longer than the journal keeps a boot

_SCHEMA = """
CREATE TABLE IF NOT EXISTS place (one INTEGER PRIMARY KEY, journal TEXT NOT NULL, seen INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS queue (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, hook TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL,
  at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS queue_hook ON queue (hook, seq);
CREATE TABLE IF NOT EXISTS told (key TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hooks (
  name TEXT PRIMARY KEY, delivered INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
  dropped INTEGER NOT NULL DEFAULT 0, failing REAL NOT NULL DEFAULT 0, said TEXT NOT NULL DEFAULT ''
);
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message for one receiver. `at`: when it was queued; `due`: when it is to be tried next, after `attempts`."""

    seq: int
    hook: str
    id: str
    body: bytes
    at: float
    attempts: int
    due: float


@dataclass(frozen=True, slots=True)
class Entry:
    """To be queued for `hooks`, unless `once` was told before ("" always)."""

    id: str
    body: bytes
    hooks: tuple[str, ...]
    once: str = ""


class Spool:
    """The file at `path`, for one thread. Every method but `close` may raise sqlite3.Error; __init__ also OSError."""

    def __init__(self, path: Path, most: int = MOST) -> None:
        self._most = most
        self._db = opened(path, 0o640, _prepare, wait=2.0)

    def place(self) -> tuple[str, int]:
        """The journal that was read, and its last event whose news are queued; ("", 0) at first."""
        row = self._db.execute("SELECT journal, seen FROM place").fetchone()
        return (row[0], row[1]) if row else ("", 0)

    def was_told(self, once: str) -> bool:
        return self._db.execute("SELECT 1 FROM told WHERE key = ?", (once,)).fetchone() is not None

    def queue(self, entries: Iterable[Entry], journal: str, seen: int, now: float) -> int:
        """Queue `entries`, and note that the journal is read up to the event `seen`: both, or neither.

        How many messages were given up for want of room.
        """
        hooks: set[str] = set()
        with immediately(self._db):
            for entry in entries:
                if entry.once and not self._first(entry.once, now):
                    continue
                rows = [(hook, entry.id, entry.body, now) for hook in entry.hooks]
                self._db.executemany("INSERT INTO queue (hook, id, body, at) VALUES (?, ?, ?, ?)", rows)
                hooks.update(entry.hooks)
            dropped = sum(map(self._make_room, hooks))
            self._db.execute("INSERT OR REPLACE INTO place VALUES (1, ?, ?)", (journal, seen))
        return dropped

    def begin_journal(self) -> None:
        """Another journal is read from now: its boots are counted from 1 again."""
        self._db.execute("DELETE FROM told")

    def next(self, hook: str) -> Waiting | None:
        """The oldest message for this receiver."""
        row = self._db.execute("SELECT * FROM queue WHERE hook = ? ORDER BY seq LIMIT 1", (hook,)).fetchone()
        return Waiting(*row) if row else None

    def delivered(self, message: Waiting) -> None:
        with immediately(self._db):
            self._db.execute("DELETE FROM queue WHERE seq = ?", (message.seq,))
            self._count(message.hook, "delivered = delivered + 1, failing = 0, said = ''")

    def put_off(self, message: Waiting, due: float, said: str, now: float) -> None:
        """It was not taken; it is tried again at `due`."""
        with immediately(self._db):
            self._db.execute("UPDATE queue SET attempts = attempts + 1, due = ? WHERE seq = ?", (due, message.seq))
            self._count(
                message.hook,
                "failed = failed + 1, failing = CASE failing WHEN 0 THEN ? ELSE failing END, said = ?",
                (now, said),
            )

    def give_up(self, message: Waiting, said: str) -> None:
        """It will not be tried again."""
        with immediately(self._db):
            self._db.execute("DELETE FROM queue WHERE seq = ?", (message.seq,))
            self._count(message.hook, "failed = failed + 1, dropped = dropped + 1, said = ?", (said,))

    def hurry(self, hook: str) -> None:
        """Its URL or secret was corrected: what waits is tried at once."""
        self._db.execute("UPDATE queue SET due = 0 WHERE hook = ?", (hook,))

    def keep(self, hooks: Sequence[str], now: float) -> None:
        """Forget receivers that are declared no more, and what was told long ago."""
        marks = ", ".join("?" * len(hooks))
        with immediately(self._db):
            self._db.execute(f"DELETE FROM queue WHERE hook NOT IN ({marks})", tuple(hooks))
            self._db.execute(f"DELETE FROM hooks WHERE name NOT IN ({marks})", tuple(hooks))
            self._db.executemany("INSERT OR IGNORE INTO hooks (name) VALUES (?)", [(hook,) for hook in hooks])
            self._db.execute("DELETE FROM told WHERE at < ?", (now - _TOLD,))

    def failing(self, hook: str) -> float:
        """Since when it takes nothing; 0 where it does."""
        row = self._db.execute("SELECT failing FROM hooks WHERE name = ?", (hook,)).fetchone()
        return float(row[0]) if row else 0.0

    def close(self) -> None:
        self._db.close()

    def _first(self, once: str, now: float) -> bool:
        return self._db.execute("INSERT OR IGNORE INTO told VALUES (?, ?)", (once, now)).rowcount == 1

    def _make_room(self, hook: str) -> int:
        """Forget the oldest messages beyond what may wait; how many."""
        (count,) = self._db.execute("SELECT count(*) FROM queue WHERE hook = ?", (hook,)).fetchone()
        over = max(0, int(count) - self._most)
        if over:
            oldest = "SELECT seq FROM queue WHERE hook = ? ORDER BY seq LIMIT ?"
            self._db.execute(f"DELETE FROM queue WHERE seq IN ({oldest})", (hook, over))
            self._count(hook, "dropped = dropped + ?", (over,))
        return over

    def _count(self, hook: str, change: str, values: tuple[object, ...] = ()) -> None:
        self._db.execute("INSERT OR IGNORE INTO hooks (name) VALUES (?)", (hook,))
        self._db.execute(f"UPDATE hooks SET {change} WHERE name = ?", (*values, hook))


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA journal_size_limit = 4194304")
    db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
