"""Who was last seen at an address, by DHCP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from sqlalchemy import delete, select

from netprov.quick import quick
from netprov.state.database import Database, Upsert, storable
from netprov.state.tables import SIGHTINGS


@quick
@dataclass(frozen=True, slots=True)
class Sighting:
    """What a machine at `ip` told about itself, at `at` (seconds since the epoch). What is unknown is empty or None.

    A loader's later question, by TFTP or HTTP, comes from the address alone: this says whose it is. In proxy mode the
    address is what the client asked another server for (option 50, or ciaddr).
    """

    ip: IPv4Address
    mac: str
    uuid: str = ""
    client_id: bytes = b""
    serial: str = ""
    circuit_id: bytes = b""
    remote_id: bytes = b""
    arch: int | None = None
    at: float = 0.0


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
