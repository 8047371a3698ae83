"""An HTTP conversation as TCP segments: the recorder keeps heads, the segments around them are made.

Bodies are not kept. They are segments of which only the headers are there, as a capture with a small snaplen has them,
spread evenly over the time that the answer took. In the middle of a very long body segments are left out: Wireshark
takes them for packets that the capture missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netprov.recorder.entry import Entry, What
from netprov.recorder.frames import ACK, FIN, PSH, RST, SYN, End, Frame, tcp

MSS = 1460  # RFC 879, for Ethernet: 1500 octets less IPv4's and TCP's headers
LARGE = 44 * MSS
"""Octets of a body's segment: as a network card is given them to cut, and as a capture on the server shows them."""
BODY = 64
"""Segments of a body: 4 MB. Of a longer one half of them stand at its beginning, half at its end."""
_TICK = 1e-6  # seconds between segments that are made up


class _Side:
    def __init__(self, end: End) -> None:
        self.end = end
        self.next = 0  # sequence number


class Connection:
    """The segments of one TCP connection, from its entries in the order of their time."""

    def __init__(self, machine: End, server: End) -> None:
        self._machine = _Side(machine)
        self._server = _Side(server)
        self._open = False
        self._closing = False  # the answer says that it is the last
        self._rest = 0  # octets of the answer's body that are yet to come …
        self._since = 0.0  # … from then on

    def frames(self, entries: Sequence[Entry]) -> Iterator[Frame]:
        for entry in entries:
            if not self._open:
                yield from self._handshake(entry.at)
            match entry.what:
                case What.HTTP_REQUEST:
                    self._server.next += self._rest  # the end of the answer before is not on record
                    self._rest = 0
                    yield from self._asks(entry)
                case What.HTTP_ANSWER:
                    yield from self._answers(entry)
                case What.HTTP_DONE:
                    yield from self._body(entry.at)
                    if self._closing:
                        yield from self._end(entry.at + 2 * _TICK)
                case What.HTTP_CLOSED:
                    yield from self._body(entry.at)
                    yield self._segment(entry.at + 2 * _TICK, self._machine, self._server, RST | ACK)
                    self._open = False

    def _handshake(self, at: float) -> Iterator[Frame]:
        self._open, self._closing = True, False
        begin = at - 4 * _TICK
        yield self._segment(begin, self._machine, self._server, SYN)
        yield self._segment(begin + _TICK, self._server, self._machine, SYN | ACK)
        yield self._segment(begin + 2 * _TICK, self._machine, self._server, ACK)

    def _asks(self, entry: Entry) -> Iterator[Frame]:
        yield from self._head(entry, self._machine, self._server)
        self._machine.next += self._rest
        self._rest = 0
        yield self._segment(entry.at + _TICK, self._server, self._machine, ACK)

    def _answers(self, entry: Entry) -> Iterator[Frame]:
        self._closing = b"\r\nconnection: close\r\n" in entry.data.lower()
        self._since = entry.at
        yield from self._head(entry, self._server, self._machine)
        if not self._rest:
            yield self._segment(entry.at + _TICK, self._machine, self._server, ACK)

    def _head(self, entry: Entry, side: _Side, other: _Side) -> Iterator[Frame]:
        """What is on record of a message. Where that is not all, in one segment: the dissection of a head that goes on
        in a segment behind one that was cut fails."""
        data, length = entry.data, max(entry.length, len(entry.data))
        if length == len(data):
            for begin in range(0, length, MSS):
                yield self._segment(entry.at, side, other, PSH | ACK, data[begin : begin + MSS])
        else:
            yield self._segment(entry.at, side, other, PSH | ACK, data, max(len(data), min(length, MSS)))
        self._rest = length - max(len(data), min(length, MSS))

    def _body(self, until: float) -> Iterator[Frame]:
        """What is left of the answer's body, and its acknowledgement."""
        if not self._rest:
            return
        whole, self._rest = self._rest, 0
        starts = range(0, whole, LARGE)
        seconds = max(0.0, until - self._since)
        begin = self._server.next
        for number, start in enumerate(starts):
            if BODY // 2 <= number < len(starts) - BODY // 2:
                continue
            size = min(LARGE, whole - start)
            self._server.next = begin + start
            at = self._since + 2 * _TICK + seconds * start / whole
            yield self._segment(at, self._server, self._machine, PSH | ACK, b"", size)
        yield self._segment(until + _TICK, self._machine, self._server, ACK)

    def _end(self, at: float) -> Iterator[Frame]:
        yield self._segment(at, self._server, self._machine, FIN | ACK)
        yield self._segment(at + _TICK, self._machine, self._server, FIN | ACK)
        yield self._segment(at + 2 * _TICK, self._server, self._machine, ACK)
        self._open = False

    def _segment(self, at: float, side: _Side, other: _Side, flags: int, data: bytes = b"", length: int = 0) -> Frame:
        acknowledged = other.next if flags & ACK else 0
        frame = tcp(at, side.end, other.end, side.next, acknowledged, flags, data, length)
        side.next += max(length, len(data)) + (1 if flags & (SYN | FIN) else 0)
        return frame
