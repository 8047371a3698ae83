"""How far the files under way are, told once a second: not of a chunk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from netprov.http.tcpinfo import tcp_info
from netprov.journal.event import Event
from netprov.journal.running import AT_ONCE, EVERY, progress_event

LEAST = 1 << 18  # octets of a file that is told of; a loader's script goes out in one piece


@dataclass(slots=True, eq=False)
class _File:
    """A file that is being sent. `before`: octets that the connection's client had acknowledged when it began."""

    about: Callable[[], Event | None]
    transport: asyncio.BaseTransport
    size: int
    before: int
    began: float
    told: int = 0
    at: float = 0.0

    def acknowledged(self) -> int:
        """What has arrived: sendfile's own count is that of the socket's buffer, megabytes ahead of a slow client."""
        return max(0, min(self.size, tcp_info(self.transport).acknowledged - self.before))


class Progress:
    """Tells `record` of the files that one worker sends. For the event loop's thread."""

    def __init__(self, record: Callable[[Event], None]) -> None:
        self._record = record
        self._files: dict[_File, None] = {}
        self._skip = 0
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def of(
        self, transport: asyncio.BaseTransport | None, size: int, about: Callable[[], Event | None]
    ) -> Iterator[None]:
        """While it lasts `size` octets go out by `transport`; `about` makes the event that tells of it."""
        if transport is None or size < LEAST:
            yield
            return
        loop = asyncio.get_running_loop()
        file = _File(about, transport, size, tcp_info(transport).acknowledged, loop.time())
        self._files[file] = None
        if self._timer is None:
            self._timer = loop.call_later(EVERY, self._tell)
        try:
            yield
        finally:
            del self._files[file]
            if not self._files and self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _tell(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer, now = loop.call_later(EVERY, self._tell), loop.time()
        self._skip = self._skip + AT_ONCE if self._skip + AT_ONCE < len(self._files) else 0
        for file in islice(self._files, self._skip, self._skip + AT_ONCE):
            octets = file.acknowledged()
            event = file.about() if file.at else None  # at the first look: it may be over before the next
            if event is not None:
                rate = (octets - file.told) / max(now - file.at, 0.001)
                self._record(progress_event(event, octets, rate))
            file.told, file.at = octets, now
