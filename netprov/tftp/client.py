"""The receiving side of a read request. No socket, no clock; fetch.py has both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from netprov.errors import PeerError
from netprov.tftp.codec import Code, Data, Error, Mode, Oack, Request, ack, decode, encode, error
from netprov.tftp.negotiate import DEFAULT_BLKSIZE
from netprov.tftp.rtt import RetransmitTimer

TRIES = 6  # of one packet without an answer; with the doubling about 20 s
PLAIN_AFTER = 3  # requests with options unanswered: some old servers drop them silently
FLOOR = 0.25  # seconds: the sender is to repeat first, what we repeat is for where it does not
ENOUGH = 1 << 32  # octets a file may have where the caller names no limit


class FetchError(PeerError):
    """The file did not come. `code` is the server's, None where it gave none (silence, a protocol fault)."""


class NotFoundError(FetchError):
    """The server says that it has no such file: another name is worth a try, after any other error it is not."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to ask for. A blksize of 512 and a windowsize of 1 are TFTP's own, and asked for by saying nothing.

    `blksize` 1468 fills an Ethernet frame. The server may grant less of both. `limit`: the octets the file may have.
    """

    name: str
    blksize: int = 1468
    windowsize: int = 16
    mode: Mode = Mode.OCTET
    limit: int = ENOUGH
    more: tuple[tuple[str, str], ...] = ()  # further options; a server that does not know one passes it over

    def request(self, plain: bool) -> Request:
        options = []
        if not plain:
            options.append(("tsize", "0"))
            if self.blksize != DEFAULT_BLKSIZE:
                options.append(("blksize", str(self.blksize)))
            if self.windowsize > 1:
                options.append(("windowsize", str(self.windowsize)))
            options += self.more
        return Request(self.name, self.mode, tuple(options))


class Fetch:
    """Receives one file; `write` gets its octets in order. Methods return the packets to send to the server.

    Until the first answer they go to the server's port 69, then to the port that answer came from: who owns the socket
    sees to it, and to answering other ports with ERROR 5. Raises FetchError or NotFoundError where it cannot go on.
    """

    def __init__(self, wish: Wish, write: Callable[[bytes], object]) -> None:
        self._wish = wish
        self._write = write
        self._timer = RetransmitTimer(floor=FLOOR)
        self._tries = 0
        self._sent_at = self._deadline = 0.0
        self._again = False  # what is unanswered was sent twice
        self._last = b""
        self._plain = False
        self._in_window = 0
        self._gap_told = False
        self._block = 0  # the last in order, counted on past 65535
        self.tsize: int | None = None
        self.blksize = DEFAULT_BLKSIZE
        self.windowsize = 1
        self.octets = 0
        self.retransmits = 0
        self.answered = False
        self.done = False

    def deadline(self) -> float:
        return self._deadline

    def start(self, now: float) -> list[bytes]:
        if "\0" in self._wish.name:  # it would end the name, and the rest would be taken for mode and options
            raise FetchError("TFTP cannot ask for a name with a NUL in it")
        return self._put(encode(self._wish.request(self._plain)), now)

    def _put(self, packet: bytes, now: float) -> list[bytes]:
        self._last = packet
        self._again = False
        self._sent_at = now
        self._deadline = now + self._timer.interval
        return [packet]

    def timeout(self, now: float) -> list[bytes]:
        """Nothing came until the deadline. Raises FetchError after TRIES times."""
        if self.done or now < self._deadline:
            return []
        self._tries += 1
        if self._tries >= TRIES:
            raise FetchError("the server stopped answering" if self.answered else "the server does not answer")
        self._timer.back_off()
        self.retransmits += 1
        if not self.answered and self._tries == PLAIN_AFTER:
            self._plain = True
            self._last = encode(self._wish.request(plain=True))
        packets = self._put(self._last if not self._block else ack(self._block), now)
        self._again = True
        self._in_window = 0
        return packets

    def receive(self, datagram: bytes, now: float) -> list[bytes]:
        try:
            packet = decode(datagram)
        except PeerError:
            return []
        match packet:
            case Error(code, text):
                return self._refused(code, text, now)
            case Oack(options):
                return self._agreed({name.lower(): value for name, value in options}, now)
            case Data(block, data):
                return self._data(block, data, now)
            case _:
                return []

    def _refused(self, code: int, text: str, now: float) -> list[bytes]:
        if not self.answered and not self._plain and code in (Code.OPTION, Code.ILLEGAL):
            self._plain = True  # a server that chokes on options: ask as RFC 1350 does
            return self.start(now)
        if code == Code.NOT_FOUND:
            raise NotFoundError(text or "no such file", code)
        raise FetchError(f"{text or 'the server refuses'} (TFTP error {code})", code)

    def _agreed(self, options: dict[str, str], now: float) -> list[bytes]:
        if self._block or (self.answered and self._last != ack(0)):
            return []
        if self.answered:  # our ACK 0 was lost
            return [self._last]
        asked = dict(self._wish.request(self._plain).options)
        try:
            # an option not asked for (tftpy's server sends blksize 512 with everything) says nothing new
            values = {name: int(value) for name, value in options.items() if name in asked}
        except ValueError:
            raise FetchError("the server's option values are not numbers") from None
        blksize, windowsize = values.get("blksize", DEFAULT_BLKSIZE), values.get("windowsize", 1)
        if not 8 <= blksize <= max(DEFAULT_BLKSIZE, self._wish.blksize):
            raise FetchError(f"the server answers blksize {blksize} where {self._wish.blksize} was asked")
        if not 1 <= windowsize <= self._wish.windowsize:
            raise FetchError(f"the server answers windowsize {windowsize} where {self._wish.windowsize} was asked")
        self.tsize = values.get("tsize")
        if self.tsize is not None and self.tsize > self._wish.limit:
            raise FetchError(f"the file has {self.tsize} octets; {self._wish.limit} are allowed")
        self.blksize, self.windowsize = blksize, windowsize
        self._heard(now)
        return self._put(ack(0), now)

    def _heard(self, now: float) -> None:
        self.answered = True
        self._tries = 0
        if self._again:
            self._timer.progress()
        else:
            self._timer.sample(now - self._sent_at)

    def _data(self, number: int, data: bytes, now: float) -> list[bytes]:
        ahead = (number - self._block) & 0xFFFF
        if ahead != 1:
            return self._out_of_order(ahead, now)
        if len(data) > self.blksize:
            raise FetchError(f"a block of {len(data)} octets where {self.blksize} were agreed")
        self.octets += len(data)
        if self.octets > self._wish.limit:
            raise FetchError(f"the file has more than the {self._wish.limit} octets allowed")
        if self._in_window == 0:
            self._heard(now)
        self._write(data)
        self._block += 1
        self._in_window += 1
        self._gap_told = False
        self._tries = 0
        self._deadline = now + self._timer.interval
        if len(data) < self.blksize:
            self.done = True
            self._in_window = 0
            if self.tsize is not None and self.tsize != self.octets and self._wish.mode is Mode.OCTET:
                raise FetchError(f"{self.octets} octets came of the {self.tsize} announced")
            return [ack(self._block)]
        if self._in_window < self.windowsize:
            return []
        self._in_window = 0
        return self._put(ack(self._block), now)

    def _out_of_order(self, ahead: int, now: float) -> list[bytes]:
        """A block twice: the sender missed our ACK, or sent early. A block too far: one between is lost."""
        if ahead == 0 and self._block:
            if self._in_window:
                return []  # the window goes on; its end will be acknowledged
            return [ack(self._block)]
        if 0 < ahead <= self.windowsize and not self._gap_told:
            self._gap_told = True  # RFC 7440 §4: ask once for what is missing
            self._in_window = 0
            return self._put(ack(self._block), now)
        return []


def stranger(code: int = Code.UNKNOWN_TID) -> bytes:
    """The answer to a packet from a port that is not the transfer's (RFC 1350 §4)."""
    return error(code, "unknown transfer ID")
