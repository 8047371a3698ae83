"""Which declared system a request is from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest
from netprov.inventory.model import Inventory, Target


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
    for name, reason, by in _candidates(request, inventory):
        if name is not None:
            return Match(inventory.systems[name], reason, by)
    return None


def _candidates(request: BootRequest, inventory: Inventory) -> Iterator[tuple[str | None, Reason, str]]:
    if request.uuid and inventory.by_uuid:
        for spelled in _both_orders(request.uuid):
            yield inventory.by_uuid.get(spelled), Reason.MATCH_UUID, f"UUID {spelled}"
    if request.mac is not None:
        yield inventory.by_mac.get(request.mac), Reason.MATCH_MAC, f"MAC {request.mac}"
    if request.client_id:
        by = f"client-id {request.client_id.hex(':')}"
        yield inventory.by_client_id.get(request.client_id), Reason.MATCH_CLIENT_ID, by
    if request.serial:
        yield inventory.by_serial.get(request.serial), Reason.MATCH_SERIAL, f"serial {request.serial!r}"
    if request.circuit_id:
        by = f"circuit-id {request.circuit_id!r}"
        yield inventory.by_circuit_id.get(request.circuit_id), Reason.MATCH_CIRCUIT, by
    if request.remote_id:
        by = f"remote-id {request.remote_id!r}"
        yield inventory.by_remote_id.get(request.remote_id), Reason.MATCH_CIRCUIT, by
    if request.ip is not None:
        yield inventory.by_ip.get(request.ip), Reason.MATCH_IP, f"address {request.ip}"


def _both_orders(uuid: str) -> tuple[str, ...]:
    """SMBIOS keeps a UUID's first three fields little-endian; loaders and operators print either order."""
    try:
        parsed = UUID(uuid)
    except ValueError:
        return (uuid,)
    return (uuid, str(UUID(bytes_le=parsed.bytes)))
