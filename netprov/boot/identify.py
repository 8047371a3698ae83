"""Which declared system a request is from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest
from netprov.inventory.model import Inventory, Target
from netprov.quick import quick


@quick
@dataclass(frozen=True, slots=True)
class Match:
    """The system, and by what it was known."""

    target: Target
    reason: Reason
    by: str  # "MAC 52:54:00:12:34:56"


def identify(request: BootRequest, inventory: Inventory) -> Match | None:
    """The declared system that asks, by the first of these that is declared: UUID, MAC (of any interface), client-id,
    serial number, circuit-id or remote-id of the relay, address. None: nothing matches.
    """
    for index, key, reason, by in _candidates(request, inventory):
        name = index.get(key)
        if name is not None:
            return Match(inventory.systems[name], reason, by.format(key if reason is not _ID else key.hex(":")))
    return None


_ID = Reason.MATCH_CLIENT_ID
_Candidate = tuple[Mapping[Any, str], Any, Reason, str]


def _candidates(request: BootRequest, inventory: Inventory) -> Iterator[_Candidate]:
    """Where to look, and for what: the index, the key in it, and the form of Match.by."""
    if request.uuid and inventory.by_uuid:
        for spelled in _both_orders(request.uuid):
            yield inventory.by_uuid, spelled, Reason.MATCH_UUID, "UUID {}"
    if request.mac is not None:
        yield inventory.by_mac, request.mac, Reason.MATCH_MAC, "MAC {}"
    if request.client_id:
        yield inventory.by_client_id, request.client_id, Reason.MATCH_CLIENT_ID, "client-id {}"
    if request.serial:
        yield inventory.by_serial, request.serial, Reason.MATCH_SERIAL, "serial {!r}"
    if request.circuit_id:
        yield inventory.by_circuit_id, request.circuit_id, Reason.MATCH_CIRCUIT, "circuit-id {!r}"
    if request.remote_id:
        yield inventory.by_remote_id, request.remote_id, Reason.MATCH_CIRCUIT, "remote-id {!r}"
    if request.ip is not None:
        yield inventory.by_ip, request.ip, Reason.MATCH_IP, "address {}"


@lru_cache(maxsize=4096)  # uuid.UUID takes four microseconds
def _both_orders(uuid: str) -> tuple[str, ...]:
    """SMBIOS keeps a UUID's first three fields little-endian; loaders and operators print either order."""
    try:
        parsed = UUID(uuid)
    except ValueError:
        return (uuid,)
    return (uuid, str(UUID(bytes_le=parsed.bytes)))
