"""Who was last seen at an address, by DHCP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from sqlalchemy import Connection, delete, select

from netprov.state.database import Database, storable
from netprov.state.tables import SIGHTINGS


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

    def at(self, ip: IPv4Address) -> Sighting | None:
        """The last sighting at `ip`."""
        with self._database.read() as connection:
            row = connection.execute(select(SIGHTINGS).where(SIGHTINGS.c.ip == int(ip))).first()
        if row is None:
            return None
        return Sighting(IPv4Address(row[0]), *row[1:])

    def put(self, connection: Connection, sightings: Sequence[Sighting]) -> None:
        """Store `sightings` within the transaction that `connection` is in."""
        if sightings:
            self._upsert.run(connection, map(_row, sightings))

    def purge(self, before: float) -> int:
        """Forget sightings older than `before` (seconds since the epoch); how many those were."""
        with self._database.write() as connection:
            return connection.execute(delete(SIGHTINGS).where(SIGHTINGS.c.at < before)).rowcount


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
