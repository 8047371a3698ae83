"""The journal's one writer: reads what the workers record, correlates it, and stores it in batches."""

from __future__ import annotations

import logging
import os
import select
import socket
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from netprov.boot.reason import Reason
from netprov.errors import PeerError
from netprov.inventory.model import Inventory, ServerSettings
from netprov.journal.correlate import Correlator, Placed
from netprov.journal.event import Event, Kind
from netprov.journal.lines import Lines
from netprov.journal.log import log_events
from netprov.journal.order import HOLD, Order
from netprov.journal.recorder import lost_event
from netprov.journal.running import Transfers
from netprov.journal.store import Store
from netprov.journal.wire import MESSAGE_OCTETS, decode, separated
from netprov.state.sqlite import is_damaged, put_aside

_log = logging.getLogger(__name__)

BATCH_SECONDS = 0.2
BATCH_EVENTS = 1000
_GATHER = 0.02  # seconds; to wake who waits for each event costs a worker more than the event does
_WAITING = 20_000  # then the sockets are left to fill: the workers drop and count
_RETRY = 1.0  # seconds between attempts at a file that does not open
_TIDY = 60.0  # seconds of idleness after which old events are looked for
_RESTORED = 5000  # events read back at the start: who has which address


class JournalWriter:
    """Stores what comes over `sockets` (each the writer's end of recorder.channel()) in the journal at `path`.

    For a process of its own: `run()` until `stop()`, which a signal handler may call. Nothing that the file or its disk
    does makes it raise: events are dropped and counted, and it goes on when the trouble is over.
    """

    def __init__(
        self,
        path: Path,
        sockets: Sequence[socket.socket],
        settings: ServerSettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._sockets = list(sockets)
        self._poll = select.poll()
        self._settings = settings
        self._clock = clock
        self._order = Order()
        self._store: Store | None = None
        self._retry_at = 0.0
        self._tidied = 0.0
        self._restored = False
        self._trouble = ""  # what was said last, so that it is said once
        self._lost = 0
        self._correlator = Correlator(self._recall)
        self._transfers = Transfers()
        self._moved = 0.0
        self._lines = Lines()
        self._stopping = False
        self._awake, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def update(self, inventory: Inventory) -> None:
        """A new generation: how much to keep may have changed."""
        self._settings = inventory.settings.server

    def stop(self) -> None:
        """Let `run()` store what was recorded so far, and return."""
        self._stopping = True
        os.write(self._wake, b"x")

    def run(self) -> None:
        """Write until stopped."""
        self._open(time.monotonic())
        self._poll.register(self._awake, select.POLLIN)
        for sock in self._sockets:
            self._poll.register(sock, select.POLLIN)
        while not self._stopping:
            if len(self._order) < _WAITING:
                if self._poll.poll(self._patience(time.monotonic()) * 1000):
                    time.sleep(_GATHER)
                self._read()
            else:
                time.sleep(HOLD)
            self._write_due(time.monotonic())
            self._move_due(time.monotonic())
        self._read()
        self._write(self._order.flush())
        self._close()

    def _patience(self, now: float) -> float:
        oldest = self._order.oldest
        moving = max(0.0, self._moved + BATCH_SECONDS - now) if self._transfers.waiting else _TIDY
        return moving if oldest is None else min(moving, max(0.0, oldest + self._batch_seconds() - now))

    def _batch_seconds(self) -> float:
        return HOLD if len(self._order) >= BATCH_EVENTS else BATCH_SECONDS

    def _read(self) -> None:
        for sock in list(self._sockets):
            for _ in range(BATCH_EVENTS):
                try:
                    message = sock.recv(MESSAGE_OCTETS)
                except BlockingIOError:
                    break
                if not message:  # every worker that recorded here has ended
                    self._sockets.remove(sock)
                    self._poll.unregister(sock)
                    break
                for data in separated(message):
                    self._take(data)

    def _take(self, data: bytes) -> None:
        try:
            event = decode(data)
            if not self._transfers.take(event):
                self._order.push(event, time.monotonic())
        except PeerError as error:
            self._lost += 1
            _log.error("dropped what a worker recorded: %s", error)

    def _write_due(self, now: float) -> None:
        oldest = self._order.oldest
        if oldest is not None and now >= oldest + self._batch_seconds():
            self._write(self._order.pop(now))
        elif oldest is None and now - self._tidied >= _TIDY:
            self._write([])

    def _move_due(self, now: float) -> None:
        """Store how far the transfers under way are. What cannot be stored is no loss: in a second there is news."""
        if not self._transfers.waiting or now < self._moved + BATCH_SECONDS:
            return
        self._moved = now
        if self._store is None:
            return
        try:
            self._store.move(self._transfers, self._correlator.where, self._clock())
        except (sqlite3.Error, OSError) as error:
            self._fail(error)

    # storing

    def _write(self, events: list[Event]) -> None:
        self._tidied = now = time.monotonic()
        if self._store is None:
            self._open(now)
        placed = self._lines.sift(list(map(self._correlator.place, events)))
        lost = [Placed(lost_event(self._clock(), self._lost), "", 0)] if self._lost else []
        log_events([*placed, *lost])
        if self._stored(placed + lost):
            self._lost = 0
            self._trouble = ""
        else:
            self._lost += len(events)

    def _stored(self, placed: list[Placed]) -> bool:
        if self._store is None:
            return False
        try:
            oldest = self._clock() - self._settings.journal_age
            self._store.add(placed, self._settings.journal_events, oldest)
            for machine, boot, lines in self._lines.long():
                self._store.trim(machine, boot, lines)
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
            return False
        return True

    def _fail(self, error: Exception) -> None:
        """The next batch begins with a fresh connection; a damaged file goes out of the way."""
        self._close()
        self._say(f"{self._path}: {error}; events are dropped until this is over")
        if is_damaged(error):
            aside = put_aside(self._path, error)
            self._say(aside.text)
            if aside.moved:
                damaged = Event(self._clock(), Kind.SERVER, Reason.JOURNAL_DAMAGED, aside.text)
                self._order.push(damaged, time.monotonic())
                self._retry_at = 0.0

    def _open(self, now: float) -> None:
        if now < self._retry_at:
            return
        for _ in range(2):  # the second time after a damaged file was moved away
            self._retry_at = now + _RETRY
            try:
                self._store = Store(self._path)
                self._restore(self._store)
                return
            except (sqlite3.Error, OSError) as error:
                self._fail(error)
                if self._retry_at:
                    return

    def _restore(self, store: Store) -> None:
        """Once: later the correlator knows more than the file."""
        if not self._restored:
            for placed in store.latest(_RESTORED):
                self._correlator.restore(placed)
            self._restored = True

    def _recall(self, machine: str) -> Sequence[Placed]:
        if self._store is None:
            return ()
        try:
            return self._store.latest_boot(machine)
        except sqlite3.Error as error:
            self._say(f"{self._path}: {error}")
            return ()

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _say(self, text: str) -> None:
        if text != self._trouble:
            self._trouble = text
            _log.error("%s", text)
