"""The TCP connections: how many, which go when there are too many, what a malformed request is told."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from netprov.boot.reason import Reason

logger = logging.getLogger(__name__)

HEADERS = {"Server": "netprov", "X-Content-Type-Options": "nosniff"}
"""In every response. Without nosniff a browser may run an uploaded text as a page."""


Told = Callable[[web.BaseRequest, int, str, Reason | None], None]
"""Takes a request that was not taken, its status, a sentence, and the reason where it is a particular one."""

_TLS = re.compile(r"HTTPS traffic|\\x16\\x03")
"""How aiohttp's parser speaks of a TLS handshake; older ones show its first octets."""

HALF_CLOSED_SECONDS = 0.5
"""From a client's last octet to the end of an idle connection: time for a request just read to be taken up."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one HTTP worker lets its clients take."""

    connections: int = 4096  # the longest idle one goes for a new one; nginx: worker_connections 512, likewise
    idle_seconds: float = 30.0  # for a request's header, and between requests; nginx: 60 and 75, Apache: 20 and 5
    body_seconds: float = 30.0  # for a request's body; Apache: 20
    body: int = 1 << 20  # octets of a request's body; nginx: the same
    stall_seconds: float = 60.0  # without one octet acknowledged by a client; nginx: send_timeout 60
    threads: int = 8  # requests rendered at once: more only wait for one another's interpreter lock


class Connection(web.RequestHandler):
    """One connection. A malformed request is answered in a line and never a traceback in the log."""

    __slots__ = ("_server", "_told")

    def __init__(self, server: Connections, told: Told, idle_seconds: float) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=idle_seconds,
            lingering_time=2.0,
            auto_decompress=False,  # a body is read as it came: no decompression bomb
            access_log=None,  # type: ignore[arg-type]  # None is aiohttp's way to say: no access log
        )
        self._server = server
        self._told = told

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio: True leaves the other direction open
        self._server.half_closed(self)
        return True

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if isinstance(exc, ConnectionError):
            raise ConnectionResetError("the client went away") from exc
        reason = Reason.HTTP_TLS if _TLS.search(message or "") else None
        text = reason.meaning if reason is not None else "the request is malformed"
        if status >= 500:
            logger.error("%s %r could not be answered", request.method, request.path, exc_info=exc)
            text = "the server could not answer; its log says why"
        self._told(request, status, text, reason)
        if request.writer.output_size > 0:
            raise ConnectionResetError("the response ends half-way") from exc
        response = web.Response(status=status, text=text + "\n", headers=HEADERS)
        response.force_close()
        return response


class Connections(web.Server):
    """Makes a Connection of every client that connects, and keeps their number below the limit.

    At the limit the connection that has been without a request the longest is cut for the new one: a thousand clients
    that send a byte a minute cannot keep a machine from booting.
    """

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        told: Told,
        limits: Limits,
    ) -> None:
        super().__init__(handler)
        self._told = told
        self._limits = limits
        self._open: dict[web.RequestHandler, asyncio.Transport] = {}
        self._idle: dict[web.RequestHandler, None] = {}  # in the order in which they became idle
        self._half_closed: set[web.RequestHandler] = set()
        self._when_lost: dict[web.RequestHandler, Callable[[], None]] = {}
        self._full = False

    def __call__(self) -> web.RequestHandler:
        return Connection(self, self._told, self._limits.idle_seconds)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        # The kernel cuts a connection whose client takes nothing for so long; a slow one that goes on taking stays.
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self._limits.stall_seconds * 1000))
        self._open[handler] = transport
        self._idle[handler] = None
        if len(self._open) > self._limits.connections:
            if not self._full:
                logger.warning("%d connections: the longest idle ones are cut", self._limits.connections)
            self._full = True
            victim = next(iter(self._idle))  # the new one itself where every other is busy
            transport = self._open[victim]
            self._forget(victim)
            transport.abort()

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        self._forget(handler)
        self._lost(handler)
        super().connection_lost(handler, exc)

    def _forget(self, handler: web.RequestHandler) -> None:
        self._open.pop(handler, None)
        self._idle.pop(handler, None)
        self._half_closed.discard(handler)
        self._full = self._full and len(self._open) > self._limits.connections * 9 // 10

    def when_lost(self, handler: web.RequestHandler, call: Callable[[], None] | None) -> None:
        """What to call when the client has gone, or says that it sends no more; None: nothing any more.

        An answer that has nothing to send for now would not notice it.
        """
        if call is not None and handler in self._open:
            self._when_lost[handler] = call
        else:
            self._when_lost.pop(handler, None)

    def _lost(self, handler: web.RequestHandler) -> None:
        call = self._when_lost.pop(handler, None)
        if call is not None:
            call()

    def busy(self, handler: web.RequestHandler) -> None:
        """A request of this connection is being answered."""
        self._idle.pop(handler, None)

    def idle(self, handler: web.RequestHandler) -> None:
        """It has been answered."""
        if handler in self._open:
            self._idle[handler] = None
            if handler in self._half_closed:
                self.half_closed(handler)

    def close_idle(self) -> None:
        for handler in tuple(self._idle):
            self._open[handler].close()

    def half_closed(self, handler: web.RequestHandler) -> None:
        """The client sends no more, as busybox nc fed by a pipe says at once: what it has asked is still answered."""
        self._lost(handler)
        if handler in self._open:
            self._half_closed.add(handler)
            asyncio.get_running_loop().call_later(HALF_CLOSED_SECONDS, self._close_idle, handler)

    def _close_idle(self, handler: web.RequestHandler) -> None:
        if handler in self._idle:
            self._open[handler].close()
