"""The HTTP worker: an event loop over sockets that somebody else has bound."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from netprov.descriptors import room_for
from netprov.http.application import Application
from netprov.http.connections import Limits
from netprov.http.front import Front
from netprov.http.tap import HttpTap
from netprov.journal.event import Event

BACKLOG = 1024  # connections the kernel holds for us: a room of machines that all boot at once


class HttpWorker:
    """Serves `application` on bound stream sockets, in this process and thread, until it is told to stop.

    `record`, `clock` and `tap` are as Front has them.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        application: Application,
        record: Callable[[Event], None],
        clock: Callable[[], float] = time.time,
        tap: HttpTap | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._sockets = sockets
        self._limits = limits or Limits()
        self._front = partial(Front, application, record, clock, tap)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._drain_seconds: float | None = None

    def run(self) -> None:
        """Serves. Returns once `stop` was called and the requests under way have ended."""
        asyncio.run(self._serve())

    def stop(self, drain_seconds: float) -> None:
        """No new connections; requests under way get `drain_seconds` to end. For a signal handler or another thread."""
        self._drain_seconds = drain_seconds
        loop, stopped = self._loop, self._stopped
        if loop is not None and stopped is not None:
            loop.call_soon_threadsafe(stopped.set)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._loop = loop
        limits = replace(self._limits, connections=room_for(self._limits.connections))
        front = self._front(limits)
        servers = [await loop.create_server(front.connections, sock=sock, backlog=BACKLOG) for sock in self._sockets]
        if self._drain_seconds is None:
            await self._stopped.wait()
        for server in servers:
            server.close()
        await front.drain(self._drain_seconds or 0.0)
        self._loop = None
