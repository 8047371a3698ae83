"""Where the install of each machine stands."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from netprov.boot.install import Change, InstallEvent, InstallRecord, InstallRefused, InstallState, advance, refusal
from netprov.inventory.model import Target
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

    def apply(self, owners: Mapping[str, Target], event: InstallEvent, now: float) -> tuple[Change, ...]:
        """Advance the install of each of `owners` by `event`, all or none: the records before and after, in order.

        An owner is a system's name, or the MAC of a machine that nothing declares, which goes by UNDECLARED or by its
        subnet's profile. One transaction that no other can come between; on return the new records are on the disk.
        Nothing is written where the event changes nothing. Raises InstallRefused with a sentence for each that refuses.
        """
        with self._database.write() as connection:
            # SQLite ignores FOR UPDATE, its write lock is held already; elsewhere one row makes the transitions queue,
            # also those of a system that has no row to lock yet.
            connection.execute(select(META.c.value).where(META.c.name == "schema").with_for_update())
            before = {owner: self._in(connection, owner) for owner in owners}
            refused = {owner: refusal(before[owner], event, target) for owner, target in owners.items()}
            if any(refused.values()):
                raise InstallRefused(*(f"{owner} {why}" for owner, why in refused.items() if why))
            changes = tuple((before[owner], _advanced(before[owner], event, owners[owner], now)) for owner in owners)
            rows = [_row(owner, after) for owner, (old, after) in zip(owners, changes, strict=True) if after != old]
            if rows:
                self._upsert.run(connection, rows)
        return changes

    def _in(self, connection: Connection, owner: str) -> InstallRecord | None:
        row = connection.execute(select(INSTALLS).where(INSTALLS.c.system == owner)).first()
        return None if row is None else _record(row)

    def by_token(self, token: str) -> str | None:
        """The system whose install has this token."""
        if not token:
            return None  # a record made by an operator's word alone has none
        with self._database.read() as connection:
            return connection.scalar(select(INSTALLS.c.system).where(INSTALLS.c.token == storable(token)))


def _advanced(record: InstallRecord | None, event: InstallEvent, target: Target, now: float) -> InstallRecord:
    token = secrets.token_urlsafe(TOKEN_OCTETS)
    return advance(record, event, mode=target.install, attempts=target.install_attempts, now=now, token=token)


def _row(system: str, record: InstallRecord) -> tuple[object, ...]:
    note = storable(record.note)
    return (system, record.state.value, record.token, record.attempts, record.since, record.boot_at, note)


def _record(row: Sequence[Any]) -> InstallRecord:
    return InstallRecord(InstallState(row[1]), *row[2:])
