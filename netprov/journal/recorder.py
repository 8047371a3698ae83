"""How a worker tells the journal what happened: it never waits and never fails."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence

from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind
from netprov.journal.fact import LOST
from netprov.journal.wire import MESSAGE_OCTETS, encode, joined

_log = logging.getLogger(__name__)

BACKLOG_OCTETS = 4 * 1024 * 1024
"""What may wait for the writer: some 6,500 events, a busy DHCP server's quarter of a second."""

_SO_SNDBUFFORCE = 32  # asm-generic/socket.h; the socket module does not name it


def channel() -> tuple[socket.socket, socket.socket]:
    """A pair: the end that workers record into (they may share it), and the end that the writer reads.

    Whoever keeps both ends open may end the writer and start another: what was recorded meanwhile waits in between.
    """
    workers, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (workers, writer):
        end.setblocking(False)
    try:
        workers.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, BACKLOG_OCTETS)
    except OSError:  # without CAP_NET_ADMIN: as much as net.core.wmem_max allows
        workers.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BACKLOG_OCTETS)
    return workers, writer


class Recorder:
    """Sends events to the journal's writer, from one process. Threads may share it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.lost = 0  # since the last one that got through

    def record(self, event: Event) -> None:
        """Tell the journal. Never blocks, never raises: what the writer has no room for is counted, and told later."""
        data = self._encoded(event)
        if data is not None:
            self._send(data, 1, event.at)

    def record_all(self, events: Sequence[Event]) -> None:
        """Tell the journal of several at once: that takes less time than one by one."""
        parts: list[bytes] = []
        octets = 0
        for event in events:
            data = self._encoded(event)
            if data is None:
                continue
            if octets + len(data) >= MESSAGE_OCTETS:
                self._send(joined(parts), len(parts), event.at)
                parts, octets = [], 0
            parts.append(data)
            octets += len(data) + 1
        if parts:
            self._send(joined(parts), len(parts), events[-1].at)

    def _encoded(self, event: Event) -> bytes | None:
        """None, and counted, where it cannot be written."""
        try:
            return encode(event)
        except (TypeError, ValueError, AttributeError, AssertionError):
            self.lost += 1
            _log.exception("an event that cannot be written: %r", event)
            return None

    def _send(self, message: bytes, count: int, at: float) -> None:
        """`count` events in one message."""
        try:
            if self.lost:
                lost = self.lost
                self._sock.send(encode(lost_event(at, lost)))
                self.lost -= lost
            self._sock.send(message)
        except OSError:
            self.lost += count


def lost_event(at: float, lost: int) -> Event:
    """The event that says how many others are missing."""
    text = f"{lost} event{'s' if lost > 1 else ''} lost"
    return Event(at, Kind.SERVER, Reason.EVENTS_LOST, text, detail=((LOST, str(lost)),))
