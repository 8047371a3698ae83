"""What the TFTP worker tells the recorder: the packets of each transfer, of a long one those that matter.

| of a transfer                                | is kept                                                       |
|----------------------------------------------|---------------------------------------------------------------|
| RRQ, OACK, ERROR                             | whole                                                         |
| the first FIRST packets                      | of DATA the header                                            |
| from then on, nothing went wrong             | every second one step: an ACK, and the first and last DATA    |
| a packet sent twice, a timeout, the end      | the step itself and the one before it, likewise               |
| a rendered script                            | also its text, once                                           |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address

from netprov.datagram import checksum
from netprov.recorder.entry import Entry, What
from netprov.recorder.tap import Tap
from netprov.tftp.sockets import SockAddr, peer_ip
from netprov.tftp.transfer import Run, Transfer

Address = IPv4Address | IPv6Address

FIRST = 12  # packets of a transfer
MOST = 2000  # packets of a transfer: one that loses packets all the way is not kept to the last
EVERY = 1.0  # seconds
SCRIPT = 16_384  # octets of a script's text

_HEADER = 4  # octets of DATA's
_DATA = b"\0\3"
_NOWHERE = bytes(4)


class TftpTap:
    """`clock` gives seconds, `wall` those since the epoch: as the server's own."""

    def __init__(self, tap: Tap, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        self._tap = tap
        self._ahead = 0.0  # of the wall's clock; a transfer keeps that of its request, so that they stay in order
        self._clock = clock
        self._wall = wall

    def heard(self, datagram: bytes, peer: SockAddr, local: Address | None, local_port: int, now: float) -> None:
        """A packet that is no transfer's (yet). `now` is when it was there: on the server's clock."""
        self._ahead = self._wall() - self._clock()
        self._one(now + self._ahead, What.TFTP_HEARD, datagram, peer, local, local_port)

    def sent(self, datagram: bytes, peer: SockAddr, local: Address | None, local_port: int) -> None:
        self._one(self._wall(), What.TFTP_SENT, datagram, peer, local, local_port)

    def _one(self, at: float, what: What, data: bytes, peer: SockAddr, local: Address | None, local_port: int) -> None:
        ours = local.packed if local is not None else _NOWHERE
        self._tap.put(Entry(at, what, peer_ip(peer).packed, peer[1], ours, local_port, data, len(data)))

    def tape(self, talk: Talk, stride: int, script: bytes | None, now: float) -> Tape:
        """For a transfer that begins; `script` is its text, where that was rendered."""
        return Tape(self._tap, talk, stride, script, self._ahead, now)

    def flush(self) -> None:
        self._tap.flush()


class Talk:
    """Whose transfer it is, and between which ends."""

    __slots__ = ("declared", "ip", "local", "local_port", "mac", "port", "secret")

    def __init__(
        self, peer: SockAddr, local: Address | None, local_port: int, mac: str, secret: str, declared: bool
    ) -> None:
        self.ip, self.port = peer_ip(peer).packed, peer[1]
        self.local, self.local_port = local.packed if local is not None else _NOWHERE, local_port
        self.mac, self.secret, self.declared = mac, secret, declared


class Tape:
    """What is kept of one transfer. A step is what was heard, and what was sent for it."""

    __slots__ = ("_ahead", "_before", "_first", "_most", "_next", "_resent", "_stride", "_talk", "_tap", "heard")

    def __init__(self, tap: Tap, talk: Talk, stride: int, script: bytes | None, ahead: float, now: float) -> None:
        self._tap = tap
        self._talk = talk
        self._stride = stride
        self._ahead = ahead  # of the wall's clock
        self._first = FIRST
        self._most = MOST
        self._next = now  # when the next step is kept, whatever it is
        self._resent = 0
        self._before: tuple[bytes, Sequence[Run], float] | None = None  # a step that was not kept
        self.heard = b""  # the step's, to be set before it; a timeout's step has none
        if script is not None:
            text = script if len(script) <= SCRIPT else script[: script.rfind(b"\n", 0, SCRIPT) + 1]
            self._put(What.TFTP_SCRIPT, text, stride - _HEADER, 0, now)

    def step(self, transfer: Transfer, runs: Sequence[Run], now: float) -> None:
        """What a transfer sends now, and what became of it."""
        heard = self.heard
        if (
            now < self._next and transfer.retransmits == self._resent and len(heard) <= _HEADER and not transfer.ended
        ):  # nearly always
            self._before = heard, runs, now
            return
        self._resent = transfer.retransmits
        before, self._before, self.heard = self._before, None, b""
        if before is not None:
            self._keep(*before, 2)
            if heard is before[0]:  # the step before it heard that: this one is a timeout's
                heard = b""
        self._keep(heard, runs, now, max(2, self._first))

    def _keep(self, heard: bytes, runs: Sequence[Run], now: float, most: int) -> None:
        self._next = now + EVERY if self._first <= 0 else now
        if self._most <= 0:
            return
        if heard:
            self._put(What.TFTP_HEARD, heard, len(heard), 0, now)
            self._first -= 1
        packets = list(self._packets(runs))
        if len(packets) > most:
            packets = [*packets[: most - 1], packets[-1]] if most > 1 else packets[-1:]
        for packet in packets:
            data = bytes(packet[:_HEADER]) if packet[:2] == _DATA else bytes(packet)
            total = checksum(bytes(packet)) if len(data) < len(packet) else 0
            self._put(What.TFTP_SENT, data, len(packet), total, now)
        self._first -= len(packets)
        self._most -= len(packets) + 1

    def _packets(self, runs: Sequence[Run]) -> Iterator[Run]:
        for run in runs:
            if isinstance(run, bytes):
                yield run
            else:
                for at in range(0, len(run), self._stride):
                    yield run[at : at + self._stride]

    def _put(self, what: What, data: bytes, length: int, total: int, now: float) -> None:
        talk = self._talk
        self._tap.put(
            Entry(
                now + self._ahead, what, talk.ip, talk.port, talk.local, talk.local_port, data, length, total,
                talk.mac, "", talk.secret, talk.declared,
            )
        )  # fmt: skip
