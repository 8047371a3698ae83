"""What is new in the journal, told to the browsers that look: one reader, however many look.

Nothing is read while nobody looks.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

logger = logging.getLogger(__name__)

BROWSERS = 200  # at once, of one HTTP worker: each is a connection that stays
POLL = 0.4  # seconds
BEAT = 15.0  # seconds after which a line is sent anyway: proxies cut what is quiet for 30 to 60
WAITING = 256  # messages that may wait for one browser; one that is slower is cut, comes again, and loads anew


@dataclass(frozen=True, slots=True)
class Message:
    """`event` is "machine" (data: a row), or "reload": more happened than is told one by one."""

    event: str
    data: object

    def octets(self) -> bytes:
        return f"event: {self.event}\ndata: {json.dumps(self.data, separators=(',', ':'))}\n\n".encode()


News = Callable[[int | None], tuple[int, Sequence[Message]]]
"""What is newer than the event of this id (None: from now on), and the id of the newest. Called in one thread."""


class Browser:
    """One that looks: an answer that goes on, of messages as they come and a comment where none does for BEAT seconds.

    `among`: those that are told. For the event loop's thread.
    """

    def __init__(self, among: set[Browser]) -> None:
        self._among = among
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        among.add(self)

    def __len__(self) -> int:
        """How much waits for it."""
        return self._waiting.qsize()

    def tell(self, octets: bytes) -> None:
        """One that takes nothing is cut."""
        if len(self) >= WAITING:
            self.end()
        else:
            self._waiting.put_nowait(octets)

    def end(self) -> None:
        """It has gone, or the server stops: its place is free, and the stream over."""
        self._among.discard(self)
        self._waiting.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b": netprov\n\n"
        while True:
            try:
                async with asyncio.timeout(BEAT):
                    octets = await self._waiting.get()
            except TimeoutError:
                octets = b": beat\n\n"
            if octets is None:
                return
            yield octets


class Live:
    """Hands what `news` gives to every browser that listens. All methods are for the event loop's thread."""

    def __init__(self, news: News, browsers: int = BROWSERS) -> None:
        self._news = news
        self._most = browsers
        self._browsers: set[Browser] = set()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._thread = ThreadPoolExecutor(1, "live")

    def __len__(self) -> int:
        return len(self._browsers)

    def listen(self) -> Browser | None:
        """Another browser; None where too many listen already."""
        if self._closed or len(self) >= self._most:
            return None
        browser = Browser(self._browsers)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._follow())
        return browser

    def close(self) -> None:
        """End every stream; nobody may join any more."""
        self._closed = True
        for browser in tuple(self._browsers):
            browser.end()
        if self._task is not None:
            self._task.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        seen: int | None = None
        try:
            while self._browsers:
                try:
                    seen, messages = await loop.run_in_executor(self._thread, self._news, seen)
                except Exception:  # the next look may succeed, and browsers wait for it
                    logger.exception("what is new could not be read; it is tried again")
                    messages = ()
                for message in messages:
                    octets = message.octets()
                    for browser in tuple(self._browsers):
                        browser.tell(octets)
                await asyncio.sleep(POLL)
        finally:
            self._task = None
