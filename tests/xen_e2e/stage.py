"""The stage on which the scenarios are played: a few at once, in one dom0, while tests look at those that are over."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from .scenarios import SCENARIOS, Played, World

# there is one processor: a second scenario runs in the time in which the first waits for servers and timers. With more
# libxl's hotplug scripts run into their time limit (40 s) on a busy machine.
AT_ONCE = 2


class Stage:
    """Begins with the scenarios `names`, in their order. What everybody said in them is kept in `folder`."""

    def __init__(self, world: World, names: Sequence[str], folder: Path) -> None:
        self.world = world
        self.folder = folder
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
        self._pool.shutdown(wait=False, cancel_futures=True)  # those that are played end with dom0

    def _play(self, name: str) -> Played:
        began = time.monotonic()
        try:
            played = SCENARIOS[name](self.world)
        finally:
            self.seconds[name] = time.monotonic() - began
        for one in (played, played.twin) if played.twin else (played,):
            (self.folder / f"{one.name}.txt").write_text(one.told())
        return played

    def told(self) -> str:
        """How long each scenario took, and where to read what was said in it."""
        took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.seconds.items())
        return f"{time.monotonic() - self.began:.0f} s in all, {AT_ONCE} at once: {took}\nread {self.folder}/"
