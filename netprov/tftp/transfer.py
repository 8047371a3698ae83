"""The sending side of one read request (RFC 1350, 1123 §4.2.3, 2347, 7440). No socket, no clock.

Rule 1: everything that decides what is sent next is in this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from netprov.errors import PeerError
from netprov.tftp.codec import Ack, Code, Error, Oack, ack, decode, encode, error
from netprov.tftp.frames import Frames
from netprov.tftp.negotiate import Terms
from netprov.tftp.rtt import RetransmitTimer

Run = bytes | memoryview
"""One packet, or whole frames of Transfer.stride octets one after the other (the last may be short), each a packet."""

GIVE_UP = 25.0  # seconds without progress; edk2 and iPXE have given up by then (6 tries, doubling from 0.5-4 s)
GIVE_UP_TIMEOUTS = 3  # … or so many of the client's own intervals, where that is longer
OPENING_TRIES = 5  # times an OACK is sent to an address that has not answered yet: it may not have asked at all
OPENING_TRIES_DATA = 3  # likewise a DATA 1: it is larger than the request was, the address may be a victim's


class State(Enum):
    OPENING = "opening"  # nothing acknowledged yet: the request's source address may be forged
    SENDING = "sending"
    DONE = "done"
    ABORTED = "aborted"  # by the client: an ERROR, or its port is closed
    FAILED = "failed"  # by us: no more answers, or the file cannot be read


SAMPLE_ALL = 16  # blocks in lock-step whose round trip is measured each …
SAMPLE_EVERY = 8  # … and from then on every so many: a link does not change from one block to the next

NOTHING: tuple[Run, ...] = ()


class Transfer:
    """Sends `frames` by `terms`. Each method that takes `now` (seconds, any origin) returns what to send at once.

    A duplicate ACK never makes a packet (Sorcerer's Apprentice, RFC 1123 §4.2.3.1); an ACK within the window resumes
    after the block it names (RFC 7440 §4); an ERROR is never answered. Until the first ACK there is one packet on the
    way, sent `opening_tries` times at most.
    """

    __slots__ = (
        "_acked", "_deadline", "_expected", "_frames", "_give_up", "_opening", "_progress_at", "_resent", "_sent",
        "_sent_at", "_started_at", "_terms", "_timer", "_tries", "_window", "ended", "ended_at", "failure",
        "peer_error", "retransmits", "state", "stray", "why",
    )  # fmt: skip

    def __init__(self, frames: Frames, terms: Terms, opening_tries: int = OPENING_TRIES) -> None:
        self._frames = frames
        self._terms = terms
        self._window = terms.windowsize
        self._opening: Run = encode(Oack(terms.granted)) if terms.granted else b""
        self._tries = opening_tries if terms.granted else min(opening_tries, OPENING_TRIES_DATA)
        self._timer = RetransmitTimer(None if terms.timeout is None else float(terms.timeout))
        self._give_up = max(GIVE_UP, GIVE_UP_TIMEOUTS * (terms.timeout or 0.0))
        self._acked = 0  # the last block acknowledged; blocks count on past 65535
        self._sent = 0  # the last block on the way
        self._expected = b""  # the ACK that ends the window on the way
        self._resent = False  # part of it was sent twice, so its ACK measures no round trip
        self._sent_at = self._progress_at = self._started_at = self._deadline = self.ended_at = 0.0
        self.state = State.OPENING
        self.ended = False
        self.retransmits = 0  # packets
        self.stray = 0  # packets that are none of this transfer's
        self.peer_error: Error | None = None
        self.failure: PeerError | None = None
        self.why = ""  # what the client did, where it ended the transfer without an ERROR

    @property
    def stride(self) -> int:
        return self._frames.stride

    @property
    def blocks(self) -> int:
        return self._frames.blocks

    @property
    def opening(self) -> bool:
        """Whether the client has not answered yet."""
        return self.state is State.OPENING

    @property
    def terms(self) -> Terms:
        return self._terms

    @property
    def size(self) -> int:
        return self._frames.size

    @property
    def octets(self) -> int:
        """File octets acknowledged."""
        return min(self._acked * self._frames.blksize, self._frames.size)

    @property
    def started(self) -> bool:
        """Whether the client took any of the file: ending before that, it wanted only to know the size."""
        return self._acked > 0

    @property
    def seconds(self) -> float:
        """How long it took; 0 while it goes on."""
        return max(0.0, self.ended_at - self._started_at) if self.ended else 0.0

    def age(self, now: float) -> float:
        """Seconds since it began."""
        return now - self._started_at

    def deadline(self) -> float:
        """When to call `timeout`, unless something comes first. Of no meaning once the transfer has ended."""
        return self._deadline

    def start(self, now: float) -> Sequence[Run]:
        self._started_at = self._progress_at = now
        if self._opening:
            self._expected = ack(0)
            return self._open(now)
        runs = self._send(now)
        if runs and not self.ended:
            self._opening = runs[0]
        return runs

    def again(self, now: float) -> Sequence[Run]:
        """The client repeats its request: what opened the transfer was lost, or crossed it."""
        if self.state is not State.OPENING:
            return NOTHING
        self.retransmits += 1
        self._resent = True
        return self._open(now)

    def _open(self, now: float) -> Sequence[Run]:
        self._sent_at = now
        self._deadline = now + self._timer.interval
        return (self._opening,)

    def receive(self, datagram: bytes, now: float) -> Sequence[Run]:
        if self.ended:
            return NOTHING
        if datagram == self._expected:  # nearly always
            return self._acknowledged(self._sent, now)
        try:
            packet = decode(datagram)
        except PeerError:
            self.stray += 1
            return NOTHING
        if isinstance(packet, Error):
            self.peer_error = packet
            self._end(State.ABORTED, now)
        elif isinstance(packet, Ack):
            return self._ack(packet.block, now)
        else:
            self.stray += 1
        return NOTHING

    def _ack(self, number: int, now: float) -> Sequence[Run]:
        ahead = (number - self._acked) & 0xFFFF
        if 0 < ahead <= self._sent - self._acked:
            return self._acknowledged(self._acked + ahead, now)
        if self._sent == 0 and number == 0:  # ACK 0 with octets after it
            return self._acknowledged(0, now)
        return NOTHING

    def _acknowledged(self, block: int, now: float) -> Sequence[Run]:
        self.state = State.SENDING
        if self._resent:
            self._timer.progress()
        elif block % SAMPLE_EVERY == 0 or block < SAMPLE_ALL or self._window > 1:
            self._timer.sample(now - self._sent_at)
        missed = self._sent - block
        self._resent = missed > 0  # what the client missed goes out a second time
        self.retransmits += missed
        self._progress_at = now
        self._acked = block
        if block >= self._frames.blocks:
            self._end(State.DONE, now)
            return NOTHING
        return self._send(now)

    def _send(self, now: float) -> Sequence[Run]:
        """The window after the last acknowledged block."""
        acked, frames = self._acked, self._frames
        count = frames.blocks - acked
        if count > self._window:
            count = self._window
        try:
            runs = frames.runs(acked + 1, count)
        except PeerError as problem:
            return self._fail(problem, now)
        self._sent = sent = acked + count
        self._expected = ack(sent)
        self._sent_at = now
        self._deadline = now + self._timer.interval
        return runs

    def timeout(self, now: float) -> Sequence[Run]:
        if self.ended or now < self._deadline:
            return NOTHING
        self._resent = True
        if self.state is State.OPENING:
            self._tries -= 1
            if self._tries <= 0:
                return self._silent(now)
            self._timer.back_off()
            self.retransmits += 1
            return self._open(now)
        if now - self._progress_at >= self._give_up:
            return self._silent(now)
        self._timer.back_off()
        self.retransmits += self._sent - self._acked
        return self._send(now)

    def _silent(self, now: float) -> Sequence[Run]:
        """No more answers. No ERROR either: nobody is there to read it."""
        self.failure = PeerError("the client stopped answering")
        self._end(State.FAILED, now)
        return NOTHING

    def _fail(self, problem: PeerError, now: float) -> Sequence[Run]:
        self.failure = problem
        self._end(State.FAILED, now)
        return (error(Code.UNDEFINED if problem.code is None else problem.code, problem.text),)

    def unreachable(self, now: float) -> None:
        """The network says that the client's port is closed (ICMP).

        Of a client that has all but the last window this is the last ACK, lost: many close their port with it.
        """
        if not self.ended:
            last = self.started and self._sent == self._frames.blocks
            self.why = "closed its port"
            self._end(State.DONE if last else State.ABORTED, now)

    def cancel(self, why: PeerError, now: float) -> Sequence[Run]:
        """We end it, and say so to the client with the code and text of `why`."""
        return NOTHING if self.ended else self._fail(why, now)

    def abandon(self, now: float) -> None:
        """The client has begun anew: nothing is said to it about this one."""
        if not self.ended:
            self.why = "asked again"
            self._end(State.ABORTED, now)

    def _end(self, state: State, now: float) -> None:
        self.state = state
        self.ended = True
        self.ended_at = now
        self._frames.close()
