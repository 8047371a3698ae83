"""Where the install of each machine stands."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from netprov.boot.install import InstallEvent, InstallRecord, InstallState, advance
from netprov.inventory.model import InstallMode
from netprov.state.database import Database, storable
from netprov.state.tables import INSTALLS, META

TOKEN_OCTETS = 16  # 128 bits: nobody guesses the URL that ends an install


class InstallStore:
    """The install records in the state database. Every method raises StateError and nothing else."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._upsert = database.upsert(INSTALLS)
        self._lookup = database.lookup(INSTALLS.c.system)

    def get(self, system: str) -> InstallRecord | None:
        """The record of `system`, None where nothing has happened to it yet."""
        row = self._database.find(self._lookup, system)
        return None if row is None else _record(row)

    def all(self) -> dict[str, InstallRecord]:
        """Every record, by the system's name."""
        with self._database.read() as connection:
            rows = connection.execute(select(INSTALLS).order_by(INSTALLS.c.system)).all()
        return {row.system: _record(row) for row in rows}

    def apply(
        self, system: str, event: InstallEvent, *, mode: InstallMode, attempts: int, now: float
    ) -> tuple[InstallRecord | None, InstallRecord]:
        """Advance the record of `system` by `event`: the record before and after.

        One transaction that no other can come between; on return the new record is on the disk. Nothing is written
        where the event changes nothing.
        """
        token = secrets.token_urlsafe(TOKEN_OCTETS)
        with self._database.write() as connection:
            # SQLite ignores FOR UPDATE, its write lock is held already; elsewhere one row makes the transitions queue,
            # also those of a system that has no row to lock yet.
            connection.execute(select(META.c.value).where(META.c.name == "schema").with_for_update())
            row = connection.execute(select(INSTALLS).where(INSTALLS.c.system == system)).first()
            before = None if row is None else _record(row)
            after = advance(before, event, mode=mode, attempts=attempts, now=now, token=token)
            if after != before:
                self._upsert.run(connection, [_row(system, after)])
        return before, after

    def by_token(self, token: str) -> str | None:
        """The system whose install has this token."""
        if not token:
            return None  # a record made by an operator's word alone has none
        with self._database.read() as connection:
            return connection.scalar(select(INSTALLS.c.system).where(INSTALLS.c.token == storable(token)))


def _row(system: str, record: InstallRecord) -> tuple[object, ...]:
    note = storable(record.note)
    return (system, record.state.value, record.token, record.attempts, record.since, record.boot_at, note)


def _record(row: Sequence[Any]) -> InstallRecord:
    return InstallRecord(InstallState(row[1]), *row[2:])
