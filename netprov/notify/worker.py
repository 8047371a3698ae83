"""The worker that tells webhooks: it follows the journal, and sends to each receiver in order.

A receiver that is dead, slow or hostile costs its own messages time and nothing else: nobody waits for this process.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from aiohttp import ClientSession

from netprov.boot.reason import Reason
from netprov.errors import ConfigError
from netprov.halt import Halt, within
from netprov.inventory.model import Inventory, Webhook
from netprov.journal.event import Event, Kind
from netprov.notify.deliver import GIVE_UP, LONGEST, Answer, attempt, pause, session
from netprov.notify.follow import Follower, Round
from netprov.notify.spool import Spool, Waiting
from netprov.state.place import Place
from netprov.state.sqlite import is_damaged, put_aside

log = logging.getLogger("netprov")

POLL = 0.5  # seconds between two looks into the journal
TROUBLE = 5.0  # seconds after which a file that could not be used is tried again
T = TypeVar("T")


class NotifyWorker:
    """Runs in this process until it is told to stop. `record` tells the journal; it never waits and never fails."""

    def __init__(
        self,
        place: Place,
        inventory: Inventory,
        record: Callable[[Event], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._place = place
        self._inventory = inventory
        self._record = record
        self._clock = clock
        self._hooks: dict[str, Webhook] = {}
        self._senders: dict[str, asyncio.Task[None]] = {}
        self._queued: dict[str, asyncio.Event] = {}
        self._spool: Spool | None = None
        self._follower: Follower | None = None
        self._thread = ThreadPoolExecutor(1, "notify")  # the files are read and written in it, and nowhere else
        self._halt = Halt()
        self._declared: Inventory | None = None  # whose receivers they are
        self._said = ""

    def run(self) -> None:
        """Serve until stopped. The loop is not closed: to do so would wait for a name server that does not answer."""
        asyncio.new_event_loop().run_until_complete(self._serve())

    def stop(self) -> None:
        """For a signal handler or another thread. What waits stays in the spool."""
        self._halt.ask()

    def update(self, inventory: Inventory) -> None:
        """For another thread: what is told from the next look into the journal on."""
        self._inventory = inventory

    async def _serve(self) -> None:
        self._halt.begin()
        async with session() as client:
            while not self._halt.asked:
                await self._halt.within(await self._round(client))
            for sender in self._senders.values():
                sender.cancel()
            await asyncio.gather(*self._senders.values(), return_exceptions=True)
        await self._in_thread(self._close)
        self._halt.end()

    async def _round(self, client: ClientSession) -> float:
        """Look into the journal once. Seconds until the next time."""
        try:
            inventory = self._inventory
            if self._declared is not inventory:
                await self._declare(client, inventory)
                self._declared = inventory
            found = await self._in_thread(self._follow)
        except (sqlite3.Error, OSError, ConfigError) as error:
            await self._in_thread(partial(self._trouble, error))
            self._declared = None
            return TROUBLE
        self._said = ""
        if found.dropped:
            self._gave_up(f"{found.dropped} messages: more wait than there is room for")
        if found.queued:
            for queued in self._queued.values():
                queued.set()
        return 0.05 if found.more else POLL

    async def _declare(self, client: ClientSession, inventory: Inventory) -> None:
        """The receivers as `inventory` declares them; who was changed is tried at once."""
        hooks = {hook.name: hook for hook in inventory.settings.server.webhooks}
        changed = [name for name, hook in hooks.items() if name in self._hooks and self._hooks[name] != hook]
        await self._in_thread(lambda: self._prepare(inventory, changed))
        self._hooks = hooks
        for name in [name for name in self._senders if name not in hooks]:
            self._senders.pop(name).cancel()
            del self._queued[name]
        for name in changed:
            self._queued[name].set()
        for name in hooks:
            if name not in self._senders:
                self._queued[name] = asyncio.Event()
                self._senders[name] = asyncio.get_running_loop().create_task(self._send(client, name))

    # a receiver

    async def _send(self, client: ClientSession, name: str) -> None:
        """Send what waits for one receiver, the oldest first, for ever."""
        queued = self._queued[name]
        while True:
            queued.clear()
            try:
                wait = await self._send_next(client, name)
            except sqlite3.Error:  # the round says so
                wait = TROUBLE
            except Exception:  # one message must not end the task that sends all others
                log.exception("webhook %s: a message could not be sent; it is tried again", name)
                wait = TROUBLE
            if wait:
                await within(queued, wait)

    async def _send_next(self, client: ClientSession, name: str) -> float:
        """Seconds to wait, unless something is queued meanwhile."""
        spool = self._spool
        if spool is None:
            return TROUBLE
        message = await self._in_thread(lambda: spool.next(name))
        now = self._clock()
        if message is None:
            return 60.0
        if message.attempts and now - message.at > GIVE_UP:
            await self._in_thread(lambda: spool.give_up(message, "it was not accepted for a day"))
            self._gave_up(f"webhook {name}: a message that was not accepted for a day", name)
            return 0.0
        if now < message.due <= now + 2 * LONGEST:  # later: the clock was set back
            return min(message.due - now, 60.0)
        answer = await attempt(client, self._hooks[name], message, now)
        await self._settle(spool, message, answer)
        return 0.0

    async def _settle(self, spool: Spool, message: Waiting, answer: Answer) -> None:
        name, now = message.hook, self._clock()
        since = await self._in_thread(lambda: spool.failing(name))
        if answer.taken:
            await self._in_thread(lambda: spool.delivered(message))
            if since:
                self._tell(Reason.WEBHOOK_RECOVERED, logging.INFO, f"webhook {name} accepts messages again", name)
        elif answer.final:
            await self._in_thread(lambda: spool.give_up(message, answer.said))
            self._gave_up(f"webhook {name}: a message that it refuses: {answer.said}", name)
        else:
            due = now + pause(message.attempts + 1, random.random())
            await self._in_thread(lambda: spool.put_off(message, due, answer.said, now))
            if not since:
                text = (
                    f"webhook {name} does not accept messages: {answer.said}; they are kept and tried again for a day"
                )
                self._tell(Reason.WEBHOOK_FAILED, logging.WARNING, text, name)

    def _gave_up(self, text: str, name: str = "") -> None:
        self._tell(Reason.WEBHOOK_DROPPED, logging.WARNING, f"given up: {text}", name)

    def _tell(self, reason: Reason, level: int, text: str, name: str) -> None:
        log.log(level, "%s", text, extra={"reason": reason})
        self._record(Event(self._clock(), Kind.WEBHOOK, reason, text, name=name))

    # the files, in their thread

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _prepare(self, inventory: Inventory, changed: list[str]) -> None:
        if self._spool is None:
            self._spool = Spool(self._place.spool)
        self._spool.keep([hook.name for hook in inventory.settings.server.webhooks], self._clock())
        for name in changed:
            self._spool.hurry(name)
        if self._follower is None:
            self._follower = Follower(self._place.journal, self._spool, inventory, self._clock, time.monotonic)
        else:
            self._follower.update(inventory)

    def _follow(self) -> Round:
        assert self._follower is not None
        return self._follower.round()

    def _trouble(self, error: Exception) -> None:
        """Begin anew with both files; a damaged spool goes out of the way."""
        self._close()
        text = f"webhooks are sent nothing for now: {error}"
        if isinstance(error, sqlite3.Error) and is_damaged(error):
            text = put_aside(self._place.spool, error).text
        if text != self._said:
            self._said = text
            log.error("%s", text)

    def _close(self) -> None:
        if self._follower is not None:
            self._follower.close()
        if self._spool is not None:
            self._spool.close()
        self._follower = self._spool = None
