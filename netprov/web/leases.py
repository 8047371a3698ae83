"""Leases as the page and the API list them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from netprov.state.records import Lease, lease_object, standing


@dataclass(frozen=True, slots=True)
class Page:
    leases: tuple[dict[str, object], ...]
    number: int
    pages: int
    total: int


def search(leases: Iterable[Lease], text: str, number: int, per_page: int, now: float) -> Page:
    """Those in whose address, MAC, system, host name or state every word of `text` stands; too far is the last page."""
    words = text.lower().split()
    found: Sequence[Lease] = [lease for lease in leases if not words or _matches(lease, words, now)]
    pages = max(1, -(-len(found) // per_page))
    number = min(max(1, number), pages)
    part = found[(number - 1) * per_page : number * per_page]
    return Page(tuple(lease_object(lease, now) for lease in part), number, pages, len(found))


def _matches(lease: Lease, words: Iterable[str], now: float) -> bool:
    text = "\n".join((str(lease.ip), lease.mac, lease.system, lease.hostname, standing(lease, now))).lower()
    return all(word in text for word in words)
