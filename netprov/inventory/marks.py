"""What tells which declared system a machine is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from netprov.mac import Mac

if TYPE_CHECKING:
    from netprov.inventory.model import Target

K = TypeVar("K")

FIELDS = {
    "uuid": "UUID",
    "client_id": "client-id",
    "serial": "serial number",
    "circuit_id": "circuit-id",
    "remote_id": "remote-id",
    "hostname": "hostname",
}
"""A system's own fields that no other system may have the same of, and how messages name them."""


@dataclass(frozen=True, slots=True)
class Marks:
    """For each kind of mark, who has it. A UUID stands in either byte order, a host name in small letters."""

    macs: Mapping[Mac, Target] = field(default_factory=dict)
    ips: Mapping[IPv4Address, Target] = field(default_factory=dict)
    uuids: Mapping[str, Target] = field(default_factory=dict)
    client_ids: Mapping[bytes, Target] = field(default_factory=dict)
    serials: Mapping[str, Target] = field(default_factory=dict)
    circuit_ids: Mapping[bytes, Target] = field(default_factory=dict)
    remote_ids: Mapping[bytes, Target] = field(default_factory=dict)
    hostnames: Mapping[str, Target] = field(default_factory=dict)

    @classmethod
    def of(cls, systems: Iterable[Target]) -> Marks:
        """Those of these systems. A mark that two have is the first one's; load() refuses such an inventory."""
        own = tuple(systems)
        cards = [(card, system) for system in own for card in system.interfaces]
        uuids = [(system.uuid, system) for system in own if system.uuid]
        return cls(
            macs=_firsts((card.mac, system) for card, system in cards if card.mac),
            ips=_firsts((card.ip.ip, system) for card, system in cards if card.ip),
            uuids=_firsts((*uuids, *((_turned(uuid), system) for uuid, system in uuids))),
            client_ids=_firsts((system.client_id, system) for system in own if system.client_id),
            serials=_firsts((system.serial, system) for system in own if system.serial),
            circuit_ids=_firsts((system.circuit_id, system) for system in own if system.circuit_id),
            remote_ids=_firsts((system.remote_id, system) for system in own if system.remote_id),
            hostnames=_firsts((system.hostname.lower(), system) for system in own if system.hostname),
        )


def recognisable(system: Target) -> bool:
    """Whether a packet can tell that it is this system's, whatever address it comes from."""
    own = (system.uuid, system.client_id, system.serial, system.circuit_id, system.remote_id)
    return any(own) or any(card.mac for card in system.interfaces)


def _firsts(pairs: Iterable[tuple[K, Target]]) -> dict[K, Target]:
    found: dict[K, Target] = {}
    for mark, system in pairs:
        found.setdefault(mark, system)
    return found


def _turned(uuid: str) -> str:
    """SMBIOS keeps a UUID's first three fields little-endian; loaders and operators print either order."""
    return str(UUID(bytes_le=UUID(uuid).bytes))
