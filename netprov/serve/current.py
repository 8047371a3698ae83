"""What a worker serves now: swapped whole, by one assignment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from netprov.inventory.model import Inventory

T = TypeVar("T")


class Current(Generic[T]):
    """What `make` makes of the newest inventory, once of each: a Generation, or what holds one.

    It is made by the thread that `update` is called in, while the one before goes on serving. Who answers a request
    calls for it once and keeps what it got: the next call may give another.
    """

    def __init__(self, inventory: Inventory, make: Callable[[Inventory], T]) -> None:
        self._make = make
        self._now = make(inventory)

    def update(self, inventory: Inventory) -> None:
        self._now = self._make(inventory)

    def __call__(self) -> T:
        return self._now
