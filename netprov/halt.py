"""The end of an asyncio worker, asked for by a signal handler or another thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Halt:
    """Made anywhere, begun in the worker's loop. It may be asked for before the loop runs."""

    def __init__(self) -> None:
        self.asked = False
        self._event = asyncio.Event()  # of the loop's own thread
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """The running loop is the worker's from here on."""
        self._loop = asyncio.get_running_loop()

    def end(self) -> None:
        """The worker takes no more calls."""
        self._loop = None

    def ask(self) -> None:
        """For a signal handler or another thread."""
        self.asked = True
        self.call(self._event.set)

    def call(self, work: Callable[[], object]) -> None:
        """Do `work` in the worker's loop, where it runs. For another thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(work)

    async def within(self, seconds: float) -> bool:
        """Wait for it; whether it came in `seconds`."""
        return self.asked or await within(self._event, seconds)


async def within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for `event`; whether it came in `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
