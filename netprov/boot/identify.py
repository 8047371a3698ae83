"""Which declared system a request is from."""

from __future__ import annotations

from dataclasses import dataclass

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
    if request.uuid and (target := inventory.system_by_uuid(request.uuid)) is not None:
        return Match(target, Reason.MATCH_UUID, f"UUID {target.uuid}")
    if request.mac is not None and (target := inventory.system_by_mac(request.mac)) is not None:
        return Match(target, Reason.MATCH_MAC, f"MAC {request.mac}")
    if request.client_id and (target := inventory.system_by_client_id(request.client_id)) is not None:
        return Match(target, Reason.MATCH_CLIENT_ID, f"client-id {request.client_id.hex(':')}")
    if request.serial and (target := inventory.system_by_serial(request.serial)) is not None:
        return Match(target, Reason.MATCH_SERIAL, f"serial {request.serial!r}")
    if request.circuit_id and (target := inventory.system_by_circuit_id(request.circuit_id)) is not None:
        return Match(target, Reason.MATCH_CIRCUIT, f"circuit-id {request.circuit_id!r}")
    if request.remote_id and (target := inventory.system_by_remote_id(request.remote_id)) is not None:
        return Match(target, Reason.MATCH_CIRCUIT, f"remote-id {request.remote_id!r}")
    if request.ip is not None and (target := inventory.system_by_ip(request.ip)) is not None:
        return Match(target, Reason.MATCH_IP, f"address {request.ip}")
    return None
