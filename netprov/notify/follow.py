"""Reads the journal as it grows, judges the boots that change, and queues what webhooks are to be told.

This is the one place where verdicts become messages: once for each boot and verdict, also across restarts.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from netprov.explain.server import our_address
from netprov.inventory.model import Inventory, Notice
from netprov.journal.correlate import Placed
from netprov.journal.timeline import Timeline
from netprov.journal.verdicts import Context, verdicts
from netprov.notify.news import News, body, news_of, verdict_news
from netprov.notify.spool import Entry, Spool
from netprov.notify.watch import LOOKS, Watch
from netprov.state.sqlite import identity

BATCH = 2000  # events read at once: some 60 ms
JUDGED = 40  # boots judged at once: some 2 ms each
SEEDED = 5000  # events looked back at the start, for boots that may yet get a verdict
OLD = 86_400.0
"""Seconds after which an event is no news any more: webhooks may have been undeclared for a month."""

NOTED = 5.0  # seconds after which it is noted how far the journal is read, where nothing was queued


class Round(NamedTuple):
    """What one look found: whether there is more to read at once, how many messages were queued, and how many had to
    give way to them.
    """

    more: bool = False
    queued: int = 0
    dropped: int = 0


class Follower:
    """For one thread. `round` may raise sqlite3.Error for the spool's file, ConfigError for the journal's."""

    def __init__(
        self,
        journal: Path,
        spool: Spool,
        inventory: Inventory,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._path = journal
        self._spool = spool
        self._clock = clock
        self._monotonic = monotonic
        self._watch = Watch()
        self._journal: Timeline | None = None
        self._mark = ""
        self._fresh = False  # there was no journal when it was first looked for
        self._seen = 0
        self._noted = (0, 0.0)  # the event, and when
        self.update(inventory)

    def update(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._wanted = {
            notice: tuple(hook.name for hook in inventory.settings.server.webhooks if notice in hook.events)
            for notice in Notice
        }
        http, address = inventory.settings.http, our_address(inventory)
        port = f":{http.port}" if http.port != 80 else ""
        self._base = f"http://{address}{port}" if http.enabled and address is not None else ""

    def round(self) -> Round:
        """Queue what is new."""
        if not self._opened():
            return Round()
        assert self._journal is not None
        batch = self._journal.after(self._seen, BATCH)
        entries = [entry for _, placed in batch for entry in self._of_event(placed)]
        entries += self._of_verdicts()
        seen = batch[-1][0] if batch else self._seen
        now = self._monotonic()
        dropped = 0
        if entries or (seen != self._noted[0] and now >= self._noted[1] + NOTED):
            dropped = self._spool.queue(entries, self._mark, seen, self._clock())
            self._noted = (seen, now)
        self._seen = seen
        return Round(len(batch) == BATCH, len(entries), dropped)

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _opened(self) -> bool:
        """Open the journal, or the one that took its place. Whether there is one."""
        found = identity(self._path)
        mark = f"{found[0]}:{found[1]}" if found is not None else ""
        if not mark:
            self._fresh = True
            return False
        if self._journal is not None and mark == self._mark:
            return True
        self.close()
        journal = Timeline(self._path)
        try:
            self._begin(journal, mark)
        except BaseException:  # whatever ends it: nobody else has it yet
            journal.close()
            raise
        self._journal = journal
        return True

    def _begin(self, journal: Timeline, mark: str) -> None:
        known, seen = self._spool.place()
        newest = journal.newest()
        if not known:  # the first time: what was before anybody asked is no news
            seen = 0 if self._fresh else newest
        elif known != mark or seen > newest:
            self._spool.begin_journal()
            self._watch, seen = Watch(), 0
        self._seed(journal, seen)
        self._mark, self._seen = mark, seen
        self._spool.queue((), mark, seen, self._clock())

    def _seed(self, journal: Timeline, seen: int) -> None:
        """A boot that was silent when the server stopped may get its verdict now."""
        now, clock = self._monotonic(), self._clock()
        for id, placed in journal.after(max(0, seen - SEEDED), SEEDED):
            age = clock - placed.event.at
            if id <= seen and placed.boot and 0 <= age < LOOKS[-1]:
                self._watch.note(placed.machine, placed.boot, now - age)

    def _of_event(self, placed: Placed) -> list[Entry]:
        if self._clock() - placed.event.at > OLD:
            return []
        if placed.boot and self._wanted[Notice.VERDICT]:
            self._watch.note(placed.machine, placed.boot, self._monotonic())
        return [entry for news in news_of(placed) if (entry := self._entry(news)) is not None]

    def _of_verdicts(self) -> list[Entry]:
        assert self._journal is not None
        if not self._wanted[Notice.VERDICT]:
            return []
        context = Context.of(self._inventory, self._clock())
        entries: list[Entry] = []
        for machine, number, ended in self._watch.due(self._monotonic(), JUDGED):
            boot = self._journal.boot(machine, number)
            if boot is None:
                continue
            found = [verdict_news(boot, verdict) for verdict in verdicts(boot, replace(context, ended=ended))]
            entries += self._entries(found)
        return entries

    def _entries(self, found: Sequence[News]) -> list[Entry]:
        return [entry for news in found if (entry := self._entry(news)) is not None]

    def _entry(self, news: News) -> Entry | None:
        """None where nobody wants to know, or everybody was told."""
        hooks = self._wanted[news.type]
        if not hooks or (news.once and self._spool.was_told(news.once)):
            return None
        id = f"msg_{secrets.token_hex(12)}"
        return Entry(id, body(news, id, self._base), hooks, news.once)
