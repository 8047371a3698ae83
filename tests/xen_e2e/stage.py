"""The stage on which the scenarios are played: a few at once, in one dom0, while tests look at those that are over."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from .scenarios import SCENARIOS, Played, World

# dom0 and the domUs have two processors; with more at once libxl's hotplug scripts run into their time limit (40 s)
# where the machine is busy with other things as well
AT_ONCE = 2


class Stage:
    """Begins with the scenarios `names`, in their order."""

    def __init__(self, world: World, names: Sequence[str]) -> None:
        self.world = world
        self.began = time.monotonic()
        self.seconds: dict[str, float] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._plays: dict[str, Future[Played]] = {name: self._pool.submit(self._play, name) for name in names}

    def played(self, name: str) -> Played:
        """How it went. Raises what the scenario raised."""
        return self._plays[name].result()

    def all_played(self) -> None:
        """Until none is played any more, whatever became of them."""
        for play in self._plays.values():
            play.exception()

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _play(self, name: str) -> Played:
        began = time.monotonic()
        try:
            return SCENARIOS[name](self.world)
        finally:
            self.seconds[name] = time.monotonic() - began
