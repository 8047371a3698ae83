"""A network in virtual time that loses, doubles, delays and reorders; between our sender and our receiver.

A run of seconds of network time takes milliseconds, and the same seed gives the same run.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass

from netprov.tftp.body import MemoryBody
from netprov.tftp.client import Fetch, Wish
from netprov.tftp.codec import Request, decode
from netprov.tftp.frames import FrameCache, Frames
from netprov.tftp.negotiate import Limits, negotiate
from netprov.tftp.transfer import Transfer

DALLY = 8.0  # seconds the receiver stays, to repeat a last ACK that was lost


@dataclass(frozen=True, slots=True)
class Weather:
    """Chances a packet (0-1) and seconds."""

    loss: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.001
    jitter: float = 0.0
    straggle: float = 0.0  # the chance to come 5 ms late, after those sent behind


@dataclass(frozen=True, slots=True)
class Outcome:
    received: bytes
    sender: Transfer
    receiver: Fetch
    data_packets: int
    seconds: float  # until the receiver had it all


class Simulation:
    def __init__(self, data: bytes, wish: Wish, weather: Weather, seed: int) -> None:
        self._data = data
        self._wish = wish
        self._weather = weather
        self._random = random.Random(seed)
        self._flying: list[tuple[float, int, bool, bytes]] = []
        self._serial = 0
        self._parts: list[bytes] = []
        self._receiver = Fetch(wish, self._parts.append)
        self._sender: Transfer | None = None
        self._data_packets = 0
        self.now = 0.0

    def _put(self, to_server: bool, datagram: bytes) -> None:
        copies = 2 if self._random.random() < self._weather.duplicate else 1
        for _ in range(copies):
            if self._random.random() >= self._weather.loss:
                arrival = self.now + self._weather.delay + self._random.random() * self._weather.jitter
                if self._random.random() < self._weather.straggle:
                    arrival += 0.005
                self._serial += 1
                heapq.heappush(self._flying, (arrival, self._serial, to_server, datagram))

    def _send(self, runs: object) -> None:
        assert self._sender is not None
        for run in runs:  # type: ignore[attr-defined]
            octets, stride = bytes(run), self._sender.stride if isinstance(run, memoryview) else 1 << 16
            for at in range(0, len(octets), stride):
                frame = octets[at : at + stride]
                self._data_packets += frame[:2] == b"\0\3"
                self._put(False, frame)

    def _at_server(self, datagram: bytes) -> None:
        if datagram[:2] != b"\0\1":
            if self._sender is not None:
                self._send(self._sender.receive(datagram, self.now))
            return
        if self._sender is not None:
            self._send(self._sender.again(self.now))
            return
        request = decode(datagram)
        assert isinstance(request, Request)
        terms = negotiate(request, len(self._data), Limits())
        self._sender = Transfer(Frames(MemoryBody(self._data), terms.blksize, FrameCache()), terms, opening_tries=50)
        self._send(self._sender.start(self.now))

    def run(self, limit: float = 3600.0) -> Outcome:
        for packet in self._receiver.start(self.now):
            self._put(True, packet)
        had_it = 0.0
        while self.now < limit:
            if self._receiver.done and not had_it:
                had_it = self.now
            if self._sender is not None and self._sender.ended:
                break
            if had_it and self.now > had_it + DALLY:
                break
            self._next()
        assert self._sender is not None
        return Outcome(b"".join(self._parts), self._sender, self._receiver, self._data_packets, had_it or self.now)

    def _next(self) -> None:
        moments = [self._flying[0][0]] if self._flying else []
        if not self._receiver.done:
            moments.append(self._receiver.deadline())
        if self._sender is not None:
            moments.append(self._sender.deadline())
        self.now = max(self.now, min(moments))
        while self._flying and self._flying[0][0] <= self.now:
            _, _, to_server, datagram = heapq.heappop(self._flying)
            if to_server:
                self._at_server(datagram)
            else:
                for packet in self._receiver.receive(datagram, self.now):
                    self._put(True, packet)
        for packet in self._receiver.timeout(self.now):
            self._put(True, packet)
        if self._sender is not None:
            self._send(self._sender.timeout(self.now))
