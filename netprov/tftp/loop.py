"""One epoll loop: who may read is called, and nobody's error stops the others."""

from __future__ import annotations

import logging
import select
from collections.abc import Callable

log = logging.getLogger(__name__)

EVENTS = 512  # of one epoll call

Handler = Callable[[float], None]
"""Called with the time when its descriptor can be read."""


class Loop:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}

    def watch(self, fd: int, handler: Handler) -> None:
        self._epoll.register(fd, select.EPOLLIN)
        self._handlers[fd] = handler

    def unwatch(self, fd: int) -> None:
        """Before the descriptor is closed: its number may be another's the next moment."""
        del self._handlers[fd]
        self._epoll.unregister(fd)

    def turn(self, deadline: float | None) -> None:
        """Wait for descriptors, until `deadline` at most, and call their handlers."""
        wait = -1.0 if deadline is None else max(0.0, deadline - self._clock())
        ready = self._epoll.poll(wait, EVENTS)
        now = self._clock()
        for fd, _ in ready:
            handler = self._handlers.get(fd)
            if handler is None:  # closed by a handler before it in this turn
                continue
            try:
                handler(now)
            except Exception:  # one packet must not end the transfers of all others
                log.exception("a TFTP packet could not be handled")

    def close(self) -> None:
        self._epoll.close()
        self._handlers.clear()
