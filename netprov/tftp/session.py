"""The transfers under way: who has how many, and whose deadline is next."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netprov.inventory.model import TftpSettings
from netprov.tftp.codec import Request
from netprov.tftp.ports import SharedPort
from netprov.tftp.sockets import Key, SockAddr, Wire
from netprov.tftp.source import About, Address
from netprov.tftp.transfer import OPENING_TRIES, Transfer

if TYPE_CHECKING:
    from netprov.tftp.tap import Tape


@dataclass(frozen=True, slots=True)
class Question:
    """One read request as it arrived, and the settings that it is answered by."""

    datagram: bytes
    request: Request
    peer: SockAddr
    ip: Address
    local: Address | None
    settings: TftpSettings
    interface: int = 0
    mtu: int = 1500

    @property
    def key(self) -> Key:
        return (self.peer, self.local)


class Session:
    """One transfer, and its way to the client: `wire`, on `port` with its own socket or without. `tape` records it."""

    __slots__ = ("about", "port", "question", "tape", "timer_at", "told", "transfer", "wire")

    def __init__(self, question: Question, about: About, transfer: Transfer, port: SharedPort, wire: Wire) -> None:
        self.question = question
        self.about = about
        self.transfer = transfer
        self.port = port
        self.wire = wire
        self.timer_at = float("inf")
        self.tape: Tape | None = None
        self.told = 0, 0.0  # octets, and when: what was last told of its progress


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many transfers at once: in all, and of one client address (a NAT may stand for a whole room of machines).

    Beyond `trusted` transfers of one address an opening packet is sent to it once only: requests in such numbers may be
    forged, and then the address is the victim's.
    """

    total: int = 8192
    client: int = 2048
    trusted: int = 64


class Sessions:
    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._by_key: dict[Key, Session] = {}
        self._clients: dict[Address, int] = {}
        self._timers: list[tuple[float, int, Session]] = []
        self._serial = 0

    def __len__(self) -> int:
        return len(self._by_key)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._by_key.values()))

    def find(self, key: Key) -> Session | None:
        return self._by_key.get(key)

    def room_for(self, client: Address) -> bool:
        return len(self._by_key) < self._crowd.total and self._clients.get(client, 0) < self._crowd.client

    def opening_tries(self, client: Address) -> int:
        return OPENING_TRIES if self._clients.get(client, 0) < self._crowd.trusted else 1

    def add(self, session: Session) -> None:
        question = session.question
        self._by_key[question.key] = session
        self._clients[question.ip] = self._clients.get(question.ip, 0) + 1

    def remove(self, session: Session) -> None:
        question = session.question
        del self._by_key[question.key]
        left = self._clients[question.ip] - 1
        if left:
            self._clients[question.ip] = left
        else:
            del self._clients[question.ip]

    def arm(self, session: Session) -> None:
        """See to it that `session` comes out of `due` at its transfer's deadline.

        A deadline that has moved back needs no call: the entry finds it out when its time comes, so that an ACK costs
        nothing here.
        """
        session.timer_at = session.transfer.deadline()
        self._serial += 1
        heapq.heappush(self._timers, (session.timer_at, self._serial, session))

    def next_deadline(self) -> float | None:
        return self._timers[0][0] if self._timers else None

    def due(self, now: float) -> Iterator[Session]:
        """The sessions whose deadline is over. Who takes one out arms it again, or ends it."""
        timers = self._timers
        while timers and timers[0][0] <= now:
            at, _, session = heapq.heappop(timers)
            if session.transfer.ended or at != session.timer_at:
                continue  # over, or armed anew for an earlier time
            if session.transfer.deadline() > now:
                self.arm(session)
            else:
                yield session
