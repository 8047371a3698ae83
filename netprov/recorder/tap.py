"""How a worker tells the recorder what it heard and said: it never waits and never fails."""

from __future__ import annotations

import logging
import socket
import struct

from netprov.recorder.entry import Entry, encode

log = logging.getLogger(__name__)

MAX_OCTETS = 32_768
"""One message to the recorder holds so many; an entry alone fits."""


class Tap:
    """Sends entries to the recorder's process, by a socket of journal.recorder.channel(). For one thread.

    What is put waits for `flush`, at the end of a worker's round; what the recorder has no room for is lost.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._waiting: list[bytes] = []
        self._octets = 0
        self.lost = 0  # messages

    def put(self, entry: Entry) -> None:
        try:
            data = encode(entry)
        except (TypeError, ValueError, AttributeError, struct.error):
            log.exception("a packet that cannot be recorded")
            return
        if self._octets + len(data) > MAX_OCTETS:
            self.flush()
        self._waiting.append(data)
        self._octets += len(data)

    def flush(self) -> None:
        waiting = self._waiting
        if not waiting:
            return
        self._waiting, self._octets = [], 0
        try:
            self._sock.send(b"".join(waiting))
        except OSError:
            if not self.lost:
                log.warning("the recorder does not keep up: packets are missing from server.capture's record")
            self.lost += 1
