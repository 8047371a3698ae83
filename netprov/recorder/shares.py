"""Who may keep how much of the record: when it is full, what is forgotten. Decides; touches no file.

| when the record is full                            | is forgotten                                            |
|----------------------------------------------------|---------------------------------------------------------|
| strangers have more than a quarter of it           | the strangers that were quiet the longest               |
| machines have more than the others' equal share    | the oldest packets of those: the noisiest give way first |
| … and every one has only about a boot's packets    | the machines that were quiet the longest, as a whole    |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

BOOT = 49_152
"""Octets that the packets of a boot take, amply: to so much a machine has a right while a quieter one has packets."""

STRANGERS = 4
"""The part of the record that machines nobody declared may have: 1 in so many. MACs can be invented by the million."""

SLACK = 32
"""Room for 1/SLACK of the record is made at once."""


@dataclass(slots=True)
class Share:
    """What the record holds of one machine. `last`: the count of the last change, greater is later."""

    octets: int = 0
    last: int = 0
    declared: bool = False


class Shares:
    """The shares of all machines, by owner."""

    def __init__(self) -> None:
        self._shares: dict[str, Share] = {}
        self._count = 0
        self.octets = 0

    def add(self, owner: str, octets: int, declared: bool) -> None:
        share = self._shares.setdefault(owner, Share())
        self._count += 1
        share.octets += octets
        share.last = self._count
        share.declared = share.declared or declared
        self.octets += octets

    def take(self, owner: str, octets: int) -> None:
        """So much of it was forgotten."""
        share = self._shares[owner]
        share.octets -= octets
        self.octets -= octets
        if share.octets <= 0:
            del self._shares[owner]

    def __getitem__(self, owner: str) -> Share:
        return self._shares[owner]

    def __len__(self) -> int:
        return len(self._shares)

    def excess(self, bound: int) -> Iterator[tuple[str, int]]:
        """Whose oldest packets are to be forgotten, and how many octets of them at least, so that `bound` is kept.

        Each owner once. Nothing, where it is kept already.
        """
        if self.octets <= bound:
            return
        target = bound - bound // SLACK
        left = {owner: share.octets for owner, share in self._shares.items()}
        strangers = [owner for owner in left if not self._shares[owner].declared]
        theirs = sum(left[owner] for owner in strangers)
        self._cut(left, strangers, min(self.octets - target, theirs - target // STRANGERS))
        self._cut(left, list(left), sum(left.values()) - target)
        for owner, octets in left.items():
            if octets < self._shares[owner].octets:
                yield owner, self._shares[owner].octets - octets

    def _cut(self, left: dict[str, int], owners: list[str], over: int) -> None:
        """Take `over` octets from what `owners` have left."""
        if over <= 0:
            return
        level = max(BOOT, _level([left[owner] for owner in owners], sum(left[owner] for owner in owners) - over))
        for owner in sorted(owners, key=left.__getitem__, reverse=True):
            cut = max(0, min(over, left[owner] - level))
            left[owner] -= cut
            over -= cut
        for owner in sorted(owners, key=lambda owner: self._shares[owner].last):
            if over <= 0:
                return
            over -= left[owner]
            left[owner] = 0


def _level(octets: list[int], target: int) -> int:
    """The most that each may have so that all together have `target`."""
    octets.sort()
    for number, least in enumerate(octets):
        rest = len(octets) - number
        if least * rest >= target:
            return target // rest
        target -= least
    return max(octets, default=0)
