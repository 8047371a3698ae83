"""What the journal has seen since the server started, counted for /metrics.

The journal is where the events of all workers come together; each HTTP worker counts from it, and from the same event
on, so that all give the same numbers. Only what is new is read: a scrape costs what happened since the one before.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path
from threading import Lock

from netprov.boot.reason import Reason
from netprov.journal.boots import STAGES
from netprov.journal.kind import BY_LABEL, Kind

BUCKETS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)  # seconds
_STEP = 20_000  # rows read at once
_BOOTS = 50_000  # of which the stages reached are remembered

_SINCE = "SELECT max(id) FROM events WHERE kind = ? AND reason = ?"
_NEW = (
    "SELECT id, kind, reason, stage, size, seconds, retransmits, machine, boot FROM events "
    "WHERE id > ? ORDER BY id LIMIT ?"
)


class Tally:
    """Counts since the server's start. `update` may be called by several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._file: tuple[int, int] | None = None
        self._seen = -1
        self._reached: dict[tuple[str, int], set[str]] = {}
        self.events: Counter[tuple[str, str]] = Counter()  # (kind, reason)
        self.boots: Counter[str] = Counter()  # the stage reached; "begun"
        self.octets: Counter[str] = Counter()  # "tftp", "http"
        self.retransmits = 0
        self.seconds: dict[str, list[int]] = {}  # by stage: how many transfers took at most BUCKETS[n]; the last: all
        self.seconds_sum: defaultdict[str, float] = defaultdict(float)

    def update(self) -> None:
        """Take in what is new. Raises sqlite3.Error where the journal cannot be read; a missing one is empty."""
        with self._lock:
            try:
                status = self._path.stat()
            except OSError:
                return
            with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)) as db:
                if self._file != (status.st_dev, status.st_ino):  # the first, or the writer has begun another
                    self._file = status.st_dev, status.st_ino
                    (last,) = db.execute(_SINCE, (Kind.SERVER.value, Reason.SERVER_STARTED.label)).fetchone()
                    self._seen = last or 0
                while rows := db.execute(_NEW, (self._seen, _STEP)).fetchall():
                    for row in rows:
                        self._take(*row)
                    self._seen = rows[-1][0]

    def _take(
        self,
        id: int,
        label: str,
        reason: str,
        stage: str,
        size: int,
        seconds: float,
        retransmits: int,
        machine: str,
        boot: int,
    ) -> None:
        self.events[label, reason] += 1
        self.retransmits += retransmits
        if boot > 0:
            self._reach(machine, boot, "begun")
        kind = BY_LABEL.get(label)
        if kind is None:  # a newer netprov's
            return
        if kind.carries:
            self.octets[kind.room] += size
        if kind.fetched:
            self._took(stage or "file", seconds)
        reached = kind.stage or stage
        if boot > 0 and reached in STAGES and kind.state == "done":
            self._reach(machine, boot, reached)

    def _took(self, stage: str, seconds: float) -> None:
        row = self.seconds.setdefault(stage, [0] * (len(BUCKETS) + 1))
        for place, most in enumerate(BUCKETS):
            if seconds <= most:
                row[place] += 1
        row[-1] += 1
        self.seconds_sum[stage] += seconds

    def _reach(self, machine: str, boot: int, stage: str) -> None:
        reached = self._reached.get((machine, boot))
        if reached is None:
            reached = self._reached[machine, boot] = set()
            if len(self._reached) > _BOOTS:
                del self._reached[next(iter(self._reached))]
        if stage not in reached:
            reached.add(stage)
            self.boots[stage] += 1
