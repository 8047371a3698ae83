"""The demo's guests while they boot: how far each came, and what came of it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from netprov.boot.install import InstallState
from netprov.demo.plan import Plan
from netprov.inventory.load import load
from netprov.journal.boots import STAGES, Boot, Stage
from netprov.journal.timeline import Timeline
from netprov.lab.guest import Guest
from netprov.render.generation import Generation
from netprov.render.preview import Preview, Records
from netprov.state.place import Place
from netprov.state.state import open_state

_SAID = r"NETPROV-PROBE ks sha256=([0-9a-f]{64})"


@dataclass(slots=True)
class Watched:
    """A guest that was switched on at `since` (seconds since the epoch); `boot` is what the journal has of it."""

    name: str
    guest: Guest
    since: float
    boot: Boot | None = None
    news_at: float = 0.0  # monotonic: when its journal or console last grew
    _seen: tuple[int, int] = (0, 0)

    def look(self, timeline: Timeline, now: float) -> None:
        """Read what is new of it. `now` is monotonic seconds."""
        boots = timeline.boots([self.name, self.guest.mac])
        self.boot = boots[-1] if boots else None
        console = self.guest.console.path
        seen = (len(self.boot.events) if self.boot else 0, console.stat().st_size if console.exists() else 0)
        if seen != self._seen:
            self._seen, self.news_at = seen, now

    @property
    def stages(self) -> tuple[Stage, ...]:
        return self.boot.stages if self.boot is not None else ()

    @property
    def next_stage(self) -> str:
        """The stage it is in: the first that it has not behind it; "" after the last."""
        done = {stage.name for stage in self.stages if stage.state == "done"}
        last = max((STAGES.index(name) for name in done), default=-1)
        return STAGES[last + 1] if last + 1 < len(STAGES) else ""

    @property
    def called_back(self) -> bool:
        return any(stage.name == "callback" and stage.state == "done" for stage in self.stages)

    def after(self, at: float) -> float:
        """Seconds from its power-on to `at`."""
        return max(0.0, at - self.since)


def until_settled(watched: list[Watched], timeline: Timeline, quiet: float) -> Iterator[None]:
    """Looks at the guests again and again, with a pause for the caller to show them, until each has called back or is
    off, or nothing was heard of any for `quiet` seconds.
    """
    off_since: dict[str, float] = {}
    while True:
        timeline.reopened()
        now = time.monotonic()
        for one in watched:
            one.look(timeline, now)
            if not one.guest.running():
                off_since.setdefault(one.name, now)
        yield
        # the journal hears of what a guest did last a moment after it is off
        over = all(one.called_back or now - off_since.get(one.name, now) > 2.0 for one in watched)
        if over or now - max(one.news_at for one in watched) > quiet:
            return


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one guest. `kickstart` is what netprov renders for its install, `said` the sha256 of what it got
    ("" where its console names none).
    """

    watched: Watched
    installed: bool
    kickstart: bytes
    said: str

    @property
    def sent(self) -> str:
        return hashlib.sha256(self.kickstart).hexdigest()

    @property
    def same(self) -> bool:
        """Whether the guest got the octets that netprov renders."""
        return bool(self.said) and self.said == self.sent


def outcomes(plan: Plan, watched: list[Watched]) -> list[Outcome]:
    """From the server's state, and each guest's console."""
    inventory = load(plan.config)
    found = []
    with open_state(Place(inventory.settings.server.state).where) as state:
        preview = Preview(Generation.of(inventory), Records(state.installs))
        for one in watched:
            record = state.installs.get(one.name)
            system = inventory.system(one.name)
            assert system is not None, "the demo declares its guests"
            answers = preview.answers(system, None)
            match = one.guest.console.find(_SAID)
            installed = record is not None and record.state is InstallState.INSTALLED
            found.append(Outcome(one, installed, answers.body, match[1] if match else ""))
    return found
