"""The record's file: one SQLite database, one writer, any number of readers. What does not fit is forgotten."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from netprov.recorder.shares import Shares
from netprov.state.sqlite import immediately, opened

VERSION = 1  # PRAGMA user_version
APPLICATION = 0x6E706361  # PRAGMA application_id: "npca"
MODE = 0o600  # who boots what and when is nobody else's business

_SCHEMA = f"""
CREATE TABLE pieces (
  id INTEGER PRIMARY KEY,
  owner TEXT NOT NULL,   -- the machine's MAC, or "ip ADDRESS": whose share it counts to
  ip BLOB NOT NULL, port INTEGER NOT NULL,  -- the machine's end; port 0: DHCP
  first REAL NOT NULL, last REAL NOT NULL,  -- seconds since the epoch
  declared INTEGER NOT NULL,
  entries BLOB NOT NULL  -- netprov.recorder.entry
);
CREATE INDEX pieces_owner ON pieces (owner);
CREATE INDEX pieces_end ON pieces (ip, port) WHERE port <> 0;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""
_INSERT = "INSERT INTO pieces (owner, ip, port, first, last, declared, entries) VALUES (?, ?, ?, ?, ?, ?, ?)"

ROW = 150
"""Octets a piece takes beside its entries: its columns, and its lines in the indexes."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Entries of one conversation that were stored together."""

    owner: str
    ip: bytes
    port: int
    first: float
    last: float
    declared: bool
    entries: bytes

    @property
    def octets(self) -> int:
        return len(self.entries) + ROW


class Store:
    """The record at `path`, open for writing. Every method but `close` may raise sqlite3.Error or OSError."""

    def __init__(self, path: Path) -> None:
        self.shares = Shares()
        self._db = opened(path, MODE, self._prepare, wait=1.0)

    def _prepare(self, db: sqlite3.Connection) -> None:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before the first table, else it is without effect
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last packets, never the file
        db.execute("PRAGMA wal_autocheckpoint = 256")
        db.execute("PRAGMA journal_size_limit = 1048576")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version == 0 and application == 0 and tables == 0:
            db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        elif (version, application) != (VERSION, APPLICATION):
            error = sqlite3.DatabaseError("it is not a record of packets that this netprov writes")
            error.sqlite_errorcode = sqlite3.SQLITE_NOTADB
            raise error
        self._count(db)

    def _count(self, db: sqlite3.Connection) -> None:
        sql = f"SELECT owner, sum(length(entries) + {ROW}), max(declared) FROM pieces GROUP BY owner ORDER BY max(id)"
        for owner, octets, declared in db.execute(sql):
            self.shares.add(owner, octets, bool(declared))

    def owners(self) -> dict[bytes, str]:
        """Whose an address was last, for every address in the record."""
        rows = self._db.execute("SELECT ip, owner, max(id) FROM pieces WHERE port <> 0 GROUP BY ip")
        return {ip: owner for ip, owner, _ in rows}

    def add(self, pieces: Iterable[Piece], bound: int) -> None:
        """Store `pieces` in one transaction, and forget what then is too much for `bound` octets."""
        added: list[Piece] = []
        with immediately(self._db):
            for piece in pieces:
                added.append(piece)
                self._db.execute(
                    _INSERT,
                    (piece.owner, piece.ip, piece.port, piece.first, piece.last, piece.declared, piece.entries),
                )
            for piece in added:
                self.shares.add(piece.owner, piece.octets, piece.declared)
            for owner, octets in list(self.shares.excess(self._room(bound))):
                self._forget(owner, octets)
        self._shrink(bound)

    def _room(self, bound: int) -> int:
        """The octets of pieces that a file of `bound` octets holds: pages are never quite full."""
        pages, free, size = (self._pragma(name) for name in ("page_count", "freelist_count", "page_size"))
        taken = (pages - free) * size
        return bound if taken <= bound else min(bound, self.shares.octets * bound // taken)

    def _forget(self, owner: str, octets: int) -> None:
        """The owner's oldest pieces, `octets` or more of them."""
        gone, until = 0, 0
        rows = self._db.execute("SELECT id, length(entries) FROM pieces WHERE owner = ? ORDER BY id", (owner,))
        for until, length in rows:  # noqa: B007
            gone += length + ROW
            if gone >= octets:
                break
        rows.close()
        self._db.execute("DELETE FROM pieces WHERE owner = ? AND id <= ?", (owner, until))
        self.shares.take(owner, gone)

    def _shrink(self, bound: int) -> None:
        """Give pages back where the bound is smaller than it was."""
        pages, free, size = (self._pragma(name) for name in ("page_count", "freelist_count", "page_size"))
        if pages * size > bound and free:
            self._db.executescript(f"PRAGMA incremental_vacuum({min(free, 256)})")  # execute() ends it after a page

    def _pragma(self, name: str) -> int:
        (value,) = self._db.execute(f"PRAGMA {name}").fetchone()
        return int(value)

    def close(self) -> None:
        self._db.close()
