"""The addresses of one subnet that may be given to anybody: which is free, found without searching."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address

from netprov.inventory.model import Range
from netprov.state.records import Lease

Numbers = tuple[int, int]  # first and last


class _Part:
    """Some of a pool's addresses: those never used, in order, then those idle the longest."""

    def __init__(self, ranges: Iterable[Numbers]) -> None:
        self.ranges = tuple(ranges)
        self._size = sum(last - first + 1 for first, last in self.ranges)
        self._fresh: Iterator[int] = (n for first, last in self.ranges for n in range(first, last + 1))
        self._idle: OrderedDict[IPv4Address, None] = OrderedDict()

    def __contains__(self, ip: IPv4Address) -> bool:
        number = int(ip)
        for first, last in self.ranges:  # noqa: SIM110 -- any() would make a generator, for mostly one range
            if first <= number <= last:
                return True
        return False

    def __len__(self) -> int:
        return self._size

    def give_back(self, ip: IPv4Address) -> None:
        self._idle[ip] = None
        self._idle.move_to_end(ip)

    def take(self, known: Callable[[IPv4Address], bool], free: Callable[[IPv4Address], bool]) -> IPv4Address | None:
        """The next address that is `free`; of those never given out, one that is not `known` to have been."""
        for number in self._fresh:
            ip = IPv4Address(number)
            if not known(ip) and free(ip):
                return ip
        while self._idle:
            ip, _ = self._idle.popitem(last=False)
            if free(ip):
                return ip
        return None


class Pool:
    """The ranges of one subnet. The last `kept` addresses, at most a quarter, go to declared machines only.

    Every address leaves by `take` once and comes back by `give_back` or when its lease ends, so finding one costs the
    same however full the pool is.
    """

    def __init__(self, ranges: Iterable[Range], kept: int = 0) -> None:
        numbers = [(int(r.first), int(r.last)) for r in ranges]
        self.size = sum(last - first + 1 for first, last in numbers)
        common, last = _split(numbers, self.size - min(kept, self.size // 4))
        self._common, self._kept = _Part(common), _Part(last)
        self._ends: list[tuple[float, IPv4Address]] = []

    @property
    def share(self) -> int:
        """How many addresses anybody may have."""
        return len(self._common)

    def __contains__(self, ip: IPv4Address) -> bool:
        return ip in self._common or ip in self._kept

    def open_to(self, ip: IPv4Address, declared: bool) -> bool:
        """Whether a machine may have `ip` of this pool."""
        return ip in self._common or (declared and ip in self._kept)

    def watch(self, lease: Lease) -> None:
        """The lease began or was prolonged: its address comes back when it ends."""
        heapq.heappush(self._ends, (lease.expires, lease.ip))

    def rewind(self) -> None:
        """Forgets when leases end: each running one is to be watched again."""
        self._ends.clear()

    def give_back(self, ip: IPv4Address) -> None:
        """The address is free again."""
        if ip in self._common:
            self._common.give_back(ip)
        elif ip in self._kept:
            self._kept.give_back(ip)

    def take(
        self,
        declared: bool,
        now: float,
        lease_at: Callable[[IPv4Address], Lease | None],
        free: Callable[[IPv4Address], bool],
    ) -> IPv4Address | None:
        """A free address, never used ones first, then those idle the longest; None: the pool is empty."""
        self._collect(now, lease_at)
        parts = (self._kept, self._common) if declared else (self._common,)
        for part in parts:
            ip = part.take(lambda ip: lease_at(ip) is not None, free)
            if ip is not None:
                return ip
        return None

    def _collect(self, now: float, lease_at: Callable[[IPv4Address], Lease | None]) -> None:
        """Brings back the addresses whose leases have ended. A prolonged lease's earlier ends say nothing."""
        ends = self._ends
        while ends and ends[0][0] <= now:
            expires, ip = heapq.heappop(ends)
            lease = lease_at(ip)
            if lease is not None and lease.expires == expires:
                self.give_back(ip)
        if len(ends) > 4 * self.size + 1024:
            kept = (lease_at(ip) for ip in {ip for _, ip in ends})
            self._ends = [(lease.expires, lease.ip) for lease in kept if lease is not None]
            heapq.heapify(self._ends)


def _split(numbers: list[Numbers], count: int) -> tuple[list[Numbers], list[Numbers]]:
    """The first `count` addresses, and the rest."""
    head: list[Numbers] = []
    tail: list[Numbers] = []
    for first, last in numbers:
        here = min(count, last - first + 1)
        count -= here
        if here:
            head.append((first, first + here - 1))
        if first + here <= last:
            tail.append((first + here, last))
    return head, tail
