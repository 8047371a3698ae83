"""Who was last seen at an address, by DHCP."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

from sqlalchemy import delete, select

from netprov.state.database import Database, Upsert, storable
from netprov.state.records import Sighting as Sighting
from netprov.state.tables import SIGHTINGS


class SightingStore:
    """The sightings in the state database. Every method raises StateError and nothing else."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._upsert = database.upsert(SIGHTINGS)
        self._lookup = database.lookup(SIGHTINGS.c.ip)

    def at(self, ip: IPv4Address) -> Sighting | None:
        """The last sighting at `ip`."""
        row = self._database.find(self._lookup, int(ip))
        return None if row is None else Sighting(IPv4Address(row[0]), *row[1:])

    def rows(self, sightings: Sequence[Sighting]) -> tuple[Upsert, list[tuple[object, ...]]]:
        """What Database.store takes to store `sightings`."""
        return self._upsert, list(map(_row, sightings))

    def purge(self, before: float, most: int = 1000) -> int:
        """Forget sightings older than `before` (seconds since the epoch); how many those were.

        At most `most`, which takes milliseconds: others wait for the write lock.
        """
        some = select(SIGHTINGS.c.ip).where(SIGHTINGS.c.at < before).limit(most)
        with self._database.write() as connection:
            return connection.execute(delete(SIGHTINGS).where(SIGHTINGS.c.ip.in_(some))).rowcount


def _row(sighting: Sighting) -> tuple[object, ...]:
    return (
        int(sighting.ip),
        sighting.mac,
        sighting.uuid,
        sighting.client_id,
        storable(sighting.serial),
        sighting.circuit_id,
        sighting.remote_id,
        sighting.arch,
        sighting.at,
    )
