"""Leases, durable."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

from sqlalchemy import delete, select

from netprov.state.database import Database, storable
from netprov.state.records import Lease as Lease
from netprov.state.records import LeaseState as LeaseState
from netprov.state.records import Sighting, lease_of
from netprov.state.sightings import SightingStore
from netprov.state.tables import LEASES


class LeaseStore:
    """The leases in the state database. Every method raises StateError and nothing else."""

    def __init__(self, database: Database, sightings: SightingStore) -> None:
        self._database = database
        self._sightings = sightings
        self._upsert = database.upsert(LEASES)

    def all(self) -> list[Lease]:
        """Every lease, expired ones too, by address."""
        with self._database.read() as connection:
            return [lease_of(row) for row in connection.execute(select(LEASES).order_by(LEASES.c.ip))]

    def at(self, ip: IPv4Address) -> Lease | None:
        """The lease of `ip`, expired or not."""
        with self._database.read() as connection:
            row = connection.execute(select(LEASES).where(LEASES.c.ip == int(ip))).first()
        return None if row is None else lease_of(row)

    def commit(self, leases: Sequence[Lease], sightings: Sequence[Sighting] = ()) -> None:
        """Store all of them, each in place of its address's, in one transaction; on return they are on the disk."""
        if not leases and not sightings:
            return
        self._database.store((self._upsert, list(map(_row, leases))), self._sightings.rows(sightings))

    def purge(self, before: float, most: int = 1000) -> int:
        """Forget leases that expired before `before` (seconds since the epoch); how many those were.

        At most `most`, which takes milliseconds: others wait for the write lock.
        """
        some = select(LEASES.c.ip).where(LEASES.c.expires < before).limit(most)
        with self._database.write() as connection:
            return connection.execute(delete(LEASES).where(LEASES.c.ip.in_(some))).rowcount


def _row(lease: Lease) -> tuple[object, ...]:
    return (
        int(lease.ip),
        lease.mac,
        lease.client_id,
        storable(lease.hostname),
        lease.expires,
        lease.state,
        lease.subnet,
        lease.uuid,
        lease.arch,
        lease.circuit_id,
        lease.remote_id,
        storable(lease.system),
    )
