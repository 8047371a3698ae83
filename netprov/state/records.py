"""What the state database keeps, as values: whoever has these needs no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from math import isinf
from typing import Any, Literal

from netprov.quick import quick

LeaseState = Literal["leased", "declined", "released"]


@quick
@dataclass(frozen=True, slots=True)
class Lease:
    """One address and who has it. `expires` is in seconds since the epoch; what is unknown is empty or None."""

    ip: IPv4Address
    mac: str
    client_id: bytes = b""
    hostname: str = ""
    expires: float = 0.0
    state: LeaseState = "leased"
    subnet: str = ""
    uuid: str = ""
    arch: int | None = None
    circuit_id: bytes = b""
    remote_id: bytes = b""
    system: str = ""


def lease_of(row: Sequence[Any]) -> Lease:
    """The lease in a row of the table, its columns in their order."""
    return Lease(IPv4Address(row[0]), *row[1:])


def standing(lease: Lease, now: float) -> str:
    """ "leased", "expired", "released" or "declined"."""
    return "expired" if lease.state == "leased" and lease.expires <= now else lease.state


def lease_object(lease: Lease, now: float) -> dict[str, object]:
    """The lease as JSON, as the API and `netprov leases --json` give it. `expires` None: never."""
    return {
        "ip": str(lease.ip),
        "mac": lease.mac,
        "state": standing(lease, now),
        "expires": None if isinf(lease.expires) else lease.expires,
        "system": lease.system,
        "hostname": lease.hostname,
        "subnet": lease.subnet,
        "uuid": lease.uuid,
        "arch": lease.arch,
        "client_id": lease.client_id.hex(),
        "circuit_id": lease.circuit_id.hex(),
        "remote_id": lease.remote_id.hex(),
    }


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
