"""Who has which address: the leases in memory, by address and by client.

A client is known by its hardware address, whatever client-id it sends: firmware, loader, installer and installed system
of one machine send three different ones in one boot, and the machine must keep its address (warewulf#802,
coreos/bugs#1432). A client-id alone counts only where there is no hardware address (Infiniband, RFC 4390); so a
client-id never takes another machine's lease. One UUID has as many addresses as it has network cards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Literal

from netprov.dhcp.packet import Packet
from netprov.state.records import Lease

LEASED: Literal["leased"] = "leased"
DECLINED: Literal["declined"] = "declined"
RELEASED: Literal["released"] = "released"


def client_of(packet: Packet) -> str:
    """The client's key; "" for a packet that says neither."""
    return packet.hardware or (f"id:{packet.client_id.hex()}" if packet.client_id else "")


def holder(lease: Lease) -> str:
    """The key of the client that has, or had, the lease."""
    return lease.mac or (f"id:{lease.client_id.hex()}" if lease.client_id else "")


class Leases:
    """Every lease, the ended ones too: a machine that comes back gets its old address while nobody else has it."""

    def __init__(self, leases: Iterable[Lease] = ()) -> None:
        self._by_ip: dict[int, Lease] = {}  # by number: an IPv4Address takes ten times as long to hash
        self._by_client: dict[tuple[str, str], int] = {}
        for lease in sorted(leases, key=lambda lease: lease.expires):
            self.put(lease)

    def __iter__(self) -> Iterator[Lease]:
        return iter(self._by_ip.values())

    def at(self, ip: IPv4Address) -> Lease | None:
        return self._by_ip.get(int(ip))

    def of(self, client: str, subnet: str) -> Lease | None:
        """The client's lease in this subnet, running or ended."""
        ip = self._by_client.get((subnet, client))
        return self._by_ip[ip] if ip is not None else None

    def put(self, lease: Lease) -> None:
        """Sets the lease of its address."""
        number = int(lease.ip)
        before = self._by_ip.get(number)
        if before is not None:
            key = (before.subnet, holder(before))
            if self._by_client.get(key) == number:
                del self._by_client[key]
        self._by_ip[number] = lease
        if lease.state != DECLINED:
            self._by_client[lease.subnet, holder(lease)] = number

    def taken(self, ip: IPv4Address, now: float) -> bool:
        """Whether the address may not be given to anybody else: leased, or resting after a DECLINE."""
        lease = self._by_ip.get(int(ip))
        return lease is not None and lease.state != RELEASED and lease.expires > now

    def shift(self, seconds: float) -> list[Lease]:
        """Moves every end by `seconds`, the clock having been set by as much; the leases to store."""
        self._by_ip = {ip: replace(lease, expires=lease.expires + seconds) for ip, lease in self._by_ip.items()}
        return list(self._by_ip.values())
