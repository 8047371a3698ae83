"""A look into a server's SQLite database without SQLAlchemy, which takes a quarter of a second to import.

It only reads, by the key or all; `netprov.state` is who writes and knows the tables. What is not as it is here when it
is opened (an older schema, a locked or damaged file) is for `netprov.state` to open and to explain.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from netprov.boot.install import InstallRecord, InstallState
from netprov.render.preview import Unchanging
from netprov.state.failure import state_error
from netprov.state.place import Place
from netprov.state.records import Lease, lease_of
from netprov.state.sqlite import read_only

SCHEMA = "1"
"""Of the tables that are read here."""

_WAIT = 1.0  # seconds for another process's transaction


class NotHere(Exception):
    """The database is for netprov.state to open."""


@contextmanager
def look(place: Place, file: Path) -> Iterator[Look]:
    """The database in `file`, which is that of `place`. Raises NotHere; once it is open, StateError."""
    try:
        connection = read_only(file, _WAIT)
    except sqlite3.Error as error:
        raise NotHere(str(error)) from None
    with closing(connection):
        try:
            found = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
            for table in ("installs", "leases"):
                connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()
        except sqlite3.Error as error:
            raise NotHere(str(error)) from None
        if found != (SCHEMA,):
            raise NotHere(f"schema {found}")
        yield Look(place, connection)


@dataclass(frozen=True, slots=True)
class Look:
    """The open database. What is in it cannot be changed through this."""

    place: Place
    connection: sqlite3.Connection

    def rows(self, statement: str, *keys: object) -> list[tuple[Any, ...]]:
        """Raises StateError."""
        try:
            return self.connection.execute(statement, keys).fetchall()
        except sqlite3.Error as error:
            raise state_error(self.place, error) from None

    @property
    def installs(self) -> Installs:
        return Installs(self)

    @property
    def leases(self) -> Leases:
        return Leases(self)


@dataclass(frozen=True, slots=True)
class Installs(Unchanging):
    """The install records."""

    here: Look

    def get(self, system: str) -> InstallRecord | None:
        statement = "SELECT state, token, attempts, since, boot_at, note FROM installs WHERE system = ?"
        found = (InstallRecord(InstallState(row[0]), *row[1:]) for row in self.here.rows(statement, system))
        return next(found, None)


_LEASE = (
    "SELECT ip, mac, client_id, hostname, expires, state, subnet, uuid, arch, circuit_id, remote_id, system FROM leases"
)


@dataclass(frozen=True, slots=True)
class Leases:
    """The addresses given."""

    here: Look

    def at(self, ip: IPv4Address) -> Lease | None:
        return next(map(lease_of, self.here.rows(f"{_LEASE} WHERE ip = ?", int(ip))), None)

    def all(self) -> list[Lease]:
        return [lease_of(row) for row in self.here.rows(f"{_LEASE} ORDER BY ip")]
