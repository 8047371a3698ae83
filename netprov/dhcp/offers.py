"""Addresses offered and not yet asked for: held for a while, and for no source more than its share."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from netprov.quick import quick

Source = tuple[object, ...]
"""Where questions come from: the relay and its port (circuit-id), or our interface."""


@quick
@dataclass(frozen=True, slots=True)
class Offer:
    ip: IPv4Address
    client: str
    subnet: str
    at: float
    source: Source | None  # None: not counted, a declared machine's
    contested: bool = False  # another client's offer before, for want of any other address: who asks first has it


class Offers:
    """The offers that stand. `hold`: seconds each is kept.

    A flood of DISCOVERs from invented MACs (dhcpstarv) thus circles in its own source's share, and takes no address
    from anybody behind another relay or port.
    """

    def __init__(self, hold: float) -> None:
        self.hold = hold
        self._by_ip: OrderedDict[int, Offer] = OrderedDict()  # by number, the oldest first
        self._by_client: dict[tuple[str, str], int] = {}
        self._by_source: dict[Source, OrderedDict[int, None]] = {}

    def __len__(self) -> int:
        return len(self._by_ip)

    def at(self, ip: IPv4Address) -> Offer | None:
        return self._by_ip.get(int(ip))

    def of(self, client: str, subnet: str) -> Offer | None:
        ip = self._by_client.get((subnet, client))
        return self._by_ip[ip] if ip is not None else None

    def put(self, offer: Offer) -> IPv4Address | None:
        """Holds the offer, in place of the client's former one; the address that became free by it."""
        former = self.of(offer.client, offer.subnet)
        if former is not None:
            self.drop(former.ip)
        self.drop(offer.ip)
        number = int(offer.ip)
        self._by_ip[number] = offer
        self._by_client[offer.subnet, offer.client] = number
        if offer.source is not None:
            self._by_source.setdefault(offer.source, OrderedDict())[number] = None
        return former.ip if former is not None and former.ip != offer.ip else None

    def drop(self, ip: IPv4Address) -> Offer | None:
        """Forgets the offer of `ip`."""
        offer = self._by_ip.pop(int(ip), None)
        if offer is None:
            return None
        del self._by_client[offer.subnet, offer.client]
        if offer.source is not None:
            mine = self._by_source[offer.source]
            del mine[int(ip)]
            if not mine:
                del self._by_source[offer.source]
        return offer

    def expire(self, now: float) -> Iterator[Offer]:
        """Drops what was held long enough; each such offer."""
        while self._by_ip:
            offer = next(iter(self._by_ip.values()))
            if 0 <= now - offer.at < self.hold:
                return
            self.drop(offer.ip)
            yield offer

    def count(self, source: Source) -> int:
        return len(self._by_source.get(source, ()))

    def oldest(self, source: Source) -> Offer | None:
        """The source's oldest offer."""
        mine = self._by_source.get(source)
        return self._by_ip[next(iter(mine))] if mine else None

    def shift(self, seconds: float) -> None:
        """Moves every offer's time by `seconds`, the clock having been set by as much."""
        for number, offer in tuple(self._by_ip.items()):
            self._by_ip[number] = replace(offer, at=offer.at + seconds)
