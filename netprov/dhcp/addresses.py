"""Which address a client gets, keeps, gives back or complains of: leases, offers and pools together."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address

from netprov.dhcp.leases import DECLINED, LEASED, RELEASED, Leases, holder
from netprov.dhcp.offers import Offer, Offers, Source
from netprov.dhcp.pool import Pool
from netprov.inventory.model import Inventory
from netprov.state.records import Lease

STALE_OFFER = 2.0
"""Seconds after which an offer may go to another client of the same source, where no address is left: a client that
wants its offer asks for it at once."""

_MIN_SHARE = 16  # offers any source may hold, however small the pool


class Addresses:
    """The addresses of one inventory generation. `own`: our own addresses, never given out.

    A subnet is named by its key: the network as text.
    """

    def __init__(self, inventory: Inventory, leases: Leases, now: float, own: Iterable[IPv4Address] = ()) -> None:
        self.leases = leases
        self.offers = Offers(inventory.settings.dhcp.offer_hold)
        self._declined: deque[IPv4Address] = deque()
        self.update(inventory, now, own)

    def update(self, inventory: Inventory, now: float, own: Iterable[IPv4Address] = ()) -> None:
        """Another inventory generation: the leases and offers stay."""
        self._probation = inventory.settings.dhcp.decline_probation
        self.offers.hold = inventory.settings.dhcp.offer_hold
        self._reserved = frozenset(int(ip) for ip, _ in inventory.addresses())
        kept = sum(not any(i.ip for i in system.interfaces) for system in inventory.systems())
        self._pools: dict[str, Pool] = {}
        self._never: dict[str, frozenset[int]] = {}  # what is in a range and yet not to be given out
        own = tuple(own)
        for subnet in inventory.subnets:
            net = subnet.subnet
            key = str(net)
            self._pools[key] = Pool(subnet.ranges, kept)
            edges = (net.network_address, net.broadcast_address) if net.prefixlen < 31 else ()
            others = (*edges, *subnet.router, *subnet.dns, *own)
            self._never[key] = self._reserved.union(map(int, others))
        longest = max((subnet.lease for subnet in inventory.subnets), default=0)
        for lease in sorted(self.leases, key=lambda lease: lease.expires):
            self._adopt(lease, now, max(longest, self._probation))

    def _adopt(self, lease: Lease, now: float, longest: float) -> None:
        """Takes over a stored lease. One that ends later than any we give was stored while the clock was ahead."""
        if lease.expires > now + longest:
            lease = replace(lease, expires=now + longest)
            self.leases.put(lease)
        pool = self._pools.get(lease.subnet)
        if pool is None or lease.ip not in pool:
            return
        if self.leases.taken(lease.ip, now):
            pool.watch(lease)
        else:
            pool.give_back(lease.ip)

    # questions

    def size(self, key: str) -> int:
        """How many addresses the subnet's ranges hold."""
        return self._pools[key].size

    def may_have(self, ip: IPv4Address, client: str, key: str, declared: bool, now: float) -> bool:
        """Whether the client could have this very address of the subnet's ranges now."""
        return (
            self._pools[key].open_to(ip, declared)
            and int(ip) not in self._never[key]
            and self.nobody_elses(ip, client, now)
        )

    def nobody_elses(self, ip: IPv4Address, client: str, now: float) -> bool:
        """Whether no other client has the address leased or offered."""
        if self.leases.taken(ip, now):
            lease = self.leases.at(ip)
            if lease is None or lease.state == DECLINED or holder(lease) != client:
                return False
        offer = self.offers.at(ip)
        return offer is None or offer.client == client or not 0 <= now - offer.at < self.offers.hold

    def reserved_for_other(self, ip: IPv4Address, reserved: IPv4Address | None) -> bool:
        """Whether a declared system's address is asked for by somebody else."""
        return int(ip) in self._reserved and (reserved is None or ip != reserved)

    def _free(self, ip: IPv4Address, key: str, now: float) -> bool:
        return int(ip) not in self._never[key] and self.offers.at(ip) is None and not self.leases.taken(ip, now)

    # changes

    def offer(
        self,
        client: str,
        key: str,
        now: float,
        *,
        reserved: IPv4Address | None,
        wanted: IPv4Address | None,
        declared: bool,
        source: Source,
    ) -> IPv4Address | None:
        """The address to offer, now held for the client; None: there is none.

        In this order (RFC 2131 §4.3.1): the declared one, the one the client has or had, what was offered already, the
        one it asks for, any free one.
        """
        self._expire(now)
        ip = self._known_address(client, key, now, reserved=reserved, wanted=wanted, declared=declared)
        counted = None if declared else source
        held = self.offers.at(ip) if ip is not None else None
        contested = held is not None and held.contested
        if ip is None:
            ip = self._unused(key, now, declared, source)
        if ip is None:
            ip, contested = self._recycle(key, now, declared, source), True
        if ip is None:
            return None
        freed = self.offers.put(Offer(ip, client, key, now, counted, contested))
        if freed is not None:
            self._idle(freed, key, now)
        return ip

    def _known_address(
        self, client: str, key: str, now: float, *, reserved: IPv4Address | None, wanted: IPv4Address | None,
        declared: bool,
    ) -> IPv4Address | None:  # fmt: skip
        if reserved is not None and self.nobody_elses(reserved, client, now):
            return reserved
        lease, offer = self.leases.of(client, key), self.offers.of(client, key)
        for ip in (lease.ip if lease else None, offer.ip if offer else None, wanted):
            if ip is not None and self.may_have(ip, client, key, declared, now):
                return ip
        return None

    def _unused(self, key: str, now: float, declared: bool, source: Source) -> IPv4Address | None:
        """A free address; None: there is none, or what is free is not for a source that has its share of offers."""
        if not declared and self._sated(key, source):
            return None
        return self._pools[key].take(declared, now, self.leases.at, lambda ip: self._free(ip, key, now))

    def _sated(self, key: str, source: Source) -> bool:
        return self.offers.count(source) >= max(_MIN_SHARE, self._pools[key].share // 2)

    def _recycle(self, key: str, now: float, declared: bool, source: Source) -> IPv4Address | None:
        """The address of the source's oldest offer: at once where the source has its share, else once that is stale."""
        oldest = self.offers.oldest(source)
        age = 0.0 if not declared and self._sated(key, source) else STALE_OFFER
        if oldest is None or oldest.subnet != key or 0 <= now - oldest.at < age:
            return None
        self.offers.drop(oldest.ip)
        return oldest.ip if self._free(oldest.ip, key, now) else None

    def _expire(self, now: float) -> None:
        for offer in self.offers.expire(now):
            self._idle(offer.ip, offer.subnet, now)

    def _idle(self, ip: IPv4Address, key: str, now: float) -> None:
        pool = self._pools.get(key)
        if pool is not None and not self.leases.taken(ip, now):
            pool.give_back(ip)

    def recycled_to(self, ip: IPv4Address, source: Source, now: float) -> bool:
        """Whether nothing but an offer holds the address that was another client's before, both of this source: then
        who asks first has it."""
        offer = self.offers.at(ip)
        return offer is not None and offer.contested and offer.source == source and not self.leases.taken(ip, now)

    def grant(self, lease: Lease, now: float) -> list[Lease]:
        """The client has the address from now on; the leases that changed by it: this one, and one it gave up."""
        self.offers.drop(lease.ip)
        changed = [lease]
        former = self.leases.of(holder(lease), lease.subnet)
        if former is not None and former.ip != lease.ip and former.state == LEASED and former.expires > now:
            changed.append(self._end(former, now))
        self.leases.put(lease)
        pool = self._pools.get(lease.subnet)
        if pool is not None and lease.ip in pool:
            pool.watch(lease)
        return changed

    def withdraw(self, client: str, key: str, now: float) -> None:
        """The client took another server's offer."""
        offer = self.offers.of(client, key)
        if offer is not None:
            self.offers.drop(offer.ip)
            self._idle(offer.ip, offer.subnet, now)

    def release(self, ip: IPv4Address, client: str, now: float) -> Lease | None:
        """The client gives the address back: its lease, ended; None: it has no such lease."""
        lease = self.leases.at(ip)
        if lease is None or holder(lease) != client or lease.state != LEASED:
            return None
        return self._end(lease, now)

    def _end(self, lease: Lease, now: float) -> Lease:
        ended = replace(lease, state=RELEASED, expires=now)
        self.leases.put(ended)
        self._idle(lease.ip, lease.subnet, now)
        return ended

    def decline(self, ip: IPv4Address, client: str, key: str, now: float) -> list[Lease] | None:
        """The client found the address in use: it rests. None: the client was never given it.

        At most a quarter of a pool rests at once; the one that rested longest comes back early. So a client that
        declines everything cannot empty the pool.
        """
        lease, offer = self.leases.at(ip), self.offers.at(ip)
        if not (lease is not None and holder(lease) == client) and not (offer is not None and offer.client == client):
            return None
        self.offers.drop(ip)
        resting = Lease(ip, "", b"", "", now + self._probation, DECLINED, key)
        self.leases.put(resting)
        changed = [resting]
        pool = self._pools[key]
        if ip in pool:
            pool.watch(resting)
            self._declined.append(ip)
        while len(self._declined) > max(1, pool.size // 4):
            early = self.leases.at(self._declined.popleft())
            if early is not None and early.state == DECLINED and early.expires > now and early.ip != ip:
                changed.append(self._end(early, now))
        return changed

    def shift(self, seconds: float, now: float) -> list[Lease]:
        """The clock was set by `seconds`: every lease and offer lasts as long as it would have; the leases to store."""
        moved = self.leases.shift(seconds)
        for pool in self._pools.values():
            pool.rewind()
        for lease in moved:
            home = self._pools.get(lease.subnet)
            if home is not None and lease.ip in home and self.leases.taken(lease.ip, now):
                home.watch(lease)
        self.offers.shift(seconds)
        return moved
