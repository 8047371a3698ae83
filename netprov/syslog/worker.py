"""The syslog worker: an event loop over sockets that somebody else has bound."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import AddressValueError, IPv4Address
from typing import Protocol

from netprov.errors import PeerError
from netprov.halt import Halt
from netprov.inventory.model import Inventory
from netprov.journal.event import Event
from netprov.mac import Mac
from netprov.recent import Recent
from netprov.state.failure import StateError
from netprov.state.sightings import Sighting
from netprov.syslog.frames import Frames
from netprov.syslog.receiver import SENDERS, TELL, Receiver, Who

log = logging.getLogger("netprov")

CONNECTIONS = 1000  # an installer has one, for as long as it runs
OF_ONE = 16  # from one address: a NAT's machines
FRESH = 86_400.0  # seconds for which a sighting says whose an address is: the longest lease usually given
KNOWN = 5.0  # seconds for which the answer is kept: an install logs some 20 lines a second
_KEEPALIVE = 120  # seconds: a machine that was reset never ends its connection


class Sightings(Protocol):
    """Who was seen last at an address, by DHCP."""

    def at(self, ip: IPv4Address) -> Sighting | None: ...


class Directory:
    """Whose an address is: by DHCP's sightings, then by the inventory."""

    def __init__(self, sightings: Sightings, inventory: Inventory, clock: Callable[[], float] = time.time) -> None:
        self._sightings = sightings
        self._inventory = inventory
        self._clock = clock
        self._known: Recent[str, tuple[float, Who]] = Recent(SENDERS)

    def update(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._known = Recent(SENDERS)

    def who(self, address: str) -> Who:
        now = self._clock()
        known = self._known.get(address)
        if known is not None and 0 <= now - known[0] < KNOWN:
            return known[1]
        found = self._look(address, now)
        self._known.put(address, (now, found))
        return found

    def _look(self, address: str, now: float) -> Who:
        try:
            ip = IPv4Address(address)
            sighting = self._sightings.at(ip)
        except AddressValueError:
            return Who()
        except StateError:  # the journal may know: it has heard the same DHCP
            sighting = None
        inventory = self._inventory
        if sighting is not None and now - sighting.at < FRESH:
            seen = inventory.system_by_mac(Mac(sighting.mac))
            return Who(sighting.mac, seen.name if seen is not None else "")
        system = inventory.system_by_ip(ip)
        if system is None:
            return Who()
        mac = next((i.mac for i in system.interfaces if i.mac and i.ip is not None and i.ip.ip == ip), None)
        return Who(mac or "", system.name)


class SyslogWorker:
    """Receives on bound sockets, datagrams and streams, in this process and thread, until it is told to stop."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        directory: Directory,
        record: Callable[[Event], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sockets = sockets
        self._directory = directory
        self._record = record
        self._clock = clock
        self._receiver = Receiver(directory.who)
        self._from: Counter[str] = Counter()  # connections
        self._halt = Halt()

    def run(self) -> None:
        asyncio.run(self._serve())

    def stop(self) -> None:
        """For a signal handler or another thread."""
        self._halt.ask()

    def update(self, inventory: Inventory) -> None:
        """For another thread."""
        self._halt.call(partial(self._directory.update, inventory))

    async def _serve(self) -> None:
        self._halt.begin()
        loop = asyncio.get_running_loop()
        servers: list[asyncio.Server | asyncio.DatagramTransport] = []
        for sock in self._sockets:
            if sock.type == socket.SOCK_STREAM:
                servers.append(await loop.create_server(lambda: _Stream(self), sock=sock))
            else:
                servers.append((await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=sock))[0])
        while not await self._halt.within(TELL / 2):
            for event in self._receiver.due(self._clock()):
                self._record(event)
        for server in servers:
            server.close()
        self._halt.end()

    def take(self, data: bytes, address: str) -> None:
        event = self._receiver.receive(data, address, self._clock())
        if event is not None:
            self._record(event)

    def join(self, address: str) -> bool:
        """Whether there is room for a connection from `address`."""
        if self._from.total() >= CONNECTIONS or self._from[address] >= OF_ONE:
            return False
        self._from[address] += 1
        return True

    def leave(self, address: str) -> None:
        self._from[address] -= 1
        if self._from[address] <= 0:
            del self._from[address]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, worker: SyslogWorker) -> None:
        self._worker = worker

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.strip(b"\r\n\0 "):
            self._worker.take(data, _plain(addr[0]))


class _Stream(asyncio.Protocol):
    """One connection. It is read however fast it comes, and what is too much is left out: an installer whose log
    cannot be sent would wait for it, and stand still.
    """

    def __init__(self, worker: SyslogWorker) -> None:
        self._worker = worker
        self._frames = Frames()
        self._address = ""
        self._joined = False
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        peer = transport.get_extra_info("peername")
        sock = transport.get_extra_info("socket")
        self._address = _plain(peer[0]) if peer else ""
        self._joined = bool(peer) and self._worker.join(self._address)
        if not self._joined:
            transport.close()
            return
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE)

    def data_received(self, data: bytes) -> None:
        if not self._joined:
            return
        try:
            for message in self._frames.feed(data):
                self._worker.take(message, self._address)
        except PeerError as error:
            log.debug("syslog from %s: %s", self._address, error)
            if self._transport is not None:
                self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._joined:
            for message in self._frames.end():
                self._worker.take(message, self._address)
            self._worker.leave(self._address)


def _plain(address: str) -> str:
    """Without the zone of a link-local address."""
    return address.partition("%")[0]
