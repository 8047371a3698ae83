"""The shell of the DHCP server: one loop that reads, stores and sends.

Each round reads all that has come, decides all of it, stores all leases in one commit, and only then sends. So an ACK
is on the disk before it is on the wire, at the price of one fsync a round however many machines ask at once.
"""

from __future__ import annotations

import gc
import logging
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from netprov.boot.install import InstallRecord
from netprov.boot.reason import Reason
from netprov.boot.state import InstallRecords
from netprov.dhcp.bind import IP_PKTINFO, DhcpSockets
from netprov.dhcp.classify import Arrival
from netprov.dhcp.exchange import Outcome
from netprov.dhcp.interfaces import Interface, changes, interfaces
from netprov.dhcp.report import malformed
from netprov.dhcp.server import DhcpServer
from netprov.dhcp.solicit import Solicited
from netprov.dhcp.tap import DhcpTap
from netprov.dhcp.transmit import Transmitter
from netprov.inventory.model import Inventory
from netprov.journal.event import Event, Kind
from netprov.mac import Mac
from netprov.state.failure import StateError
from netprov.state.state import State

ROUND = 128
"""Packets read in one round: bounds how long the first of them waits for the last, some 10 ms."""

CLOCK_STEP = 30.0
"""Seconds: a clock that moves this much against the monotonic one was set, not slewed (NTP slews 0.5 ms a second)."""

TIDY_SECONDS = 3600.0
"""How often old leases and sightings are forgotten, at the next moment without packets."""

KEPT_SECONDS = 30 * 86400.0
"""How long after its end a lease is kept for its machine, and a sighting after it was made."""

_TIDY_STEP = 500  # rows deleted at once: packets wait some milliseconds
_TIDY_PAUSE = 1.0  # seconds between steps

_LONGEST = 4096  # octets; DHCP has no limit, firmware stays under 1,500
_PKTINFO = struct.Struct("=i4s4s")
_CONTROL = socket.CMSG_SPACE(_PKTINFO.size)

log = logging.getLogger("netprov.dhcp")


class _Remembered:
    """The install records, each looked up once a round."""

    def __init__(self, kept: InstallRecords) -> None:
        self._kept = kept
        self._found: dict[str, InstallRecord | None] = {}

    def forget(self) -> None:
        self._found.clear()

    def get(self, system: str, /) -> InstallRecord | None:
        if system not in self._found:
            self._found[system] = self._kept.get(system)
        return self._found[system]


class DhcpWorker:
    """Serves DHCP on the given sockets until stopped.

    `record` is given the events of each round, `tap` every packet; `clock` tells seconds since the epoch. `update` and
    `stop` may be called from another thread or a signal handler.
    """

    def __init__(
        self,
        sockets: DhcpSockets,
        inventory: Inventory,
        state: State,
        record: Callable[[Sequence[Event]], None],
        clock: Callable[[], float] = time.time,
        tap: DhcpTap | None = None,
    ) -> None:
        self._sockets = sockets
        self._inventory = inventory
        self._state = state
        self._record = record
        self._clock = clock
        self._tap = tap
        self._ahead = clock() - time.monotonic()
        self._transmitter = Transmitter(sockets.raw)
        self._installs = _Remembered(state.installs)
        self._interfaces: dict[int, Interface] = interfaces()
        self._arrivals: dict[tuple[object, ...], Arrival | None] = {}
        self._ports = {sock.fileno(): sock.getsockname()[1] for sock in sockets.listeners}
        self._server = DhcpServer(inventory, self._installs, state.leases.all(), clock(), self._own())
        self._tidy_at = time.monotonic() + TIDY_SECONDS
        self._newest = inventory
        self._stopping = False
        self._solicited = Solicited()
        self._join()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def update(self, inventory: Inventory) -> None:
        """The inventory to answer from, as of the next round: no round is decided on two."""
        self._newest = inventory
        os.eventfd_write(self._bell, 1)

    def stop(self) -> None:
        """Ends `run` after the round at hand."""
        self._stopping = True
        os.eventfd_write(self._bell, 1)

    def run(self) -> None:
        """Serves until `stop`. The sockets stay open: they are the caller's."""
        listeners = {sock.fileno(): sock for sock in self._sockets.listeners}
        # what is loaded stays, and what a packet makes has no cycles: the collector would look at 60,000 leases in vain
        gc.freeze()
        gc.set_threshold(50_000)
        with select.epoll() as epoll, changes() as news:
            epoll.register(self._bell, select.EPOLLIN)
            epoll.register(news, select.EPOLLIN)
            icmp6 = self._sockets.icmp6
            if icmp6 is not None:
                epoll.register(icmp6, select.EPOLLIN)
            for number in listeners:
                epoll.register(number, select.EPOLLIN)
            while not self._stopping:
                ready = {number for number, _ in epoll.poll(max(0.0, self._tidy_at - time.monotonic()))}
                if not ready:
                    self._tidy()
                if self._bell in ready:
                    os.eventfd_read(self._bell)
                if news.fileno() in ready:
                    self._learn_interfaces(news)
                if icmp6 is not None and icmp6.fileno() in ready:
                    self._answer_solicitations(icmp6)
                newest = self._newest  # another may be handed over at any moment: looked at once
                if newest is not self._inventory:
                    self._inventory = newest
                    self._refresh()
                self._watch_clock()
                self._round([listeners[number] for number in ready if number in listeners])

    # one round

    def _round(self, ready: list[socket.socket]) -> None:
        """Reads what has come to the sockets, stores, answers, records."""
        self._installs.forget()  # an operator or a callback may have changed them since
        outcomes: list[tuple[socket.socket, Outcome]] = []
        for sock in ready:
            outcomes.extend((sock, outcome) for outcome in self._read(sock, ROUND // len(ready) + 1))
        failure = self._store([outcome for _, outcome in outcomes])
        self._record([self._send(sock, outcome, failure) for sock, outcome in outcomes])
        if self._tap is not None:
            self._tap.flush()

    def _read(self, sock: socket.socket, most: int) -> list[Outcome]:
        outcomes = []
        for _ in range(most):
            try:
                data, control, _flags, peer = sock.recvmsg(_LONGEST, _CONTROL)
            except BlockingIOError:
                break
            except OSError as error:
                log.warning("reading port %d: %s", self._ports[sock.fileno()], error)
                break
            arrival = self._arrival(control, peer, self._ports[sock.fileno()])
            if arrival is not None:
                outcome = self._receive(data, arrival)
                outcomes.append(outcome)
                if self._tap is not None:
                    self._tap.heard(data, arrival, outcome.event)
        return outcomes

    def _receive(self, data: bytes, arrival: Arrival) -> Outcome:
        now = self._clock()
        try:
            return self._server.receive(data, arrival, now)
        except StateError as error:
            return Outcome(malformed(now, Reason.DHCP_STORE_FAILED, str(error), arrival))
        except Exception:  # one packet must not end the service for all other machines
            log.exception("a packet from %s:%d was not answered: %s", arrival.peer, arrival.peer_port, data.hex())
            return Outcome(malformed(now, Reason.INTERNAL_ERROR, "netprov failed on this packet", arrival))

    def _store(self, outcomes: list[Outcome]) -> StateError | None:
        leases = [lease for outcome in outcomes for lease in outcome.leases]
        sightings = [sighting for outcome in outcomes for sighting in outcome.sightings]
        if not leases and not sightings:
            return None
        try:
            self._state.leases.commit(leases, sightings)
        except StateError as error:
            log.error("leases are not confirmed: %s", error)
            return error
        return None

    def _send(self, sock: socket.socket, outcome: Outcome, failure: StateError | None) -> Event:
        """Sends the reply; the event that says what became of it."""
        reply = outcome.reply
        if reply is None:
            return outcome.event
        if reply.durable and failure is not None:
            return replace(outcome.event, kind=Kind.DHCP_DROP, reason=Reason.DHCP_STORE_FAILED, text=str(failure))
        try:
            self._transmitter.send(sock, reply)
        except OSError as error:
            text = f"{outcome.event.text}, but sending to {reply.destination} failed: {error.strerror}"
            return replace(outcome.event, kind=Kind.DHCP_DROP, reason=Reason.DHCP_NOT_SENT, text=text)
        event = outcome.event
        if self._tap is not None:
            self._tap.sent(reply, event)
        if event.name and event.mac:
            self._solicited.expect(Mac(event.mac), event.at)
        return event

    # what the packets came by

    def _arrival(self, control: list[tuple[int, int, bytes]], peer: tuple[str, int], port: int) -> Arrival | None:
        """How a packet came; None for one that did not come from a network of ours."""
        octets = next((d for level, kind, d in control if level == socket.IPPROTO_IP and kind == IP_PKTINFO), b"")
        key = (octets, peer, port)
        if key not in self._arrivals:
            if len(self._arrivals) > 4096:
                self._arrivals.clear()
            self._arrivals[key] = self._new_arrival(octets, peer, port)
        return self._arrivals[key]

    def _new_arrival(self, octets: bytes, peer: tuple[str, int], port: int) -> Arrival | None:
        if len(octets) < _PKTINFO.size:
            return None
        index, source, sent_to = _PKTINFO.unpack_from(octets)
        interface = self._interfaces.get(index)
        if interface is None or (interface.name == "lo" and "lo" not in self._inventory.settings.server.interfaces):
            return None
        ours = [a.ip for a in interface.addresses]
        to = IPv4Address(sent_to)
        # a unicast is for one of our addresses, perhaps another interface's: then the kernel would send from it
        unicast = source == sent_to
        home = (ip for ip in ours if self._inventory.subnet_of(ip) is not None)
        server = to if unicast else next(home, ours[0])
        return Arrival(
            interface.name, server, interface.addresses, index, unicast, port, IPv4Address(peer[0]), peer[1]
        )  # fmt: skip

    def _learn_interfaces(self, news: socket.socket) -> None:
        try:
            while news.recv(1 << 16):
                pass
        except BlockingIOError:
            pass
        except OSError as error:  # ENOBUFS: more news than the buffer holds; the table is read anew anyway
            log.debug("rtnetlink: %s", error)
        now = interfaces()
        if now != self._interfaces:
            self._interfaces = now
            self._join()
            self._refresh()

    def _refresh(self) -> None:
        self._arrivals.clear()
        self._server.update(self._inventory, self._clock(), self._own())

    def _own(self) -> list[IPv4Address]:
        return [address.ip for interface in self._interfaces.values() for address in interface.addresses]

    # IPv6

    def _join(self) -> None:
        """Hears what is sent to all routers on our links (ff02::2)."""
        if self._sockets.icmp6 is None:
            return
        group = IPv6Address("ff02::2").packed
        for index in self._interfaces:
            # joined already, or a link without IPv6: then there is nobody to hear
            with suppress(OSError):
                self._sockets.icmp6.setsockopt(
                    socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + index.to_bytes(4, sys.byteorder)
                )

    def _answer_solicitations(self, icmp6: socket.socket) -> None:
        for _ in range(ROUND):
            try:
                data, (host, _port, _flow, scope) = icmp6.recvfrom(_LONGEST)
                answer = self._solicited.receive(data, IPv6Address(host.partition("%")[0]), self._clock())
                if answer is not None:
                    icmp6.sendto(answer, (host, 0, 0, scope))
            except BlockingIOError:
                return
            except OSError as error:  # no IPv6 on this host: iPXE waits, and boots all the same
                log.debug("a router solicitation was not answered: %s", error)
                return

    # time and state

    def _watch_clock(self) -> None:
        """Keeps the leases as long as they were to be when somebody sets the clock."""
        ahead = self._clock() - time.monotonic()
        moved, self._ahead = ahead - self._ahead, ahead
        if abs(moved) < CLOCK_STEP:
            return
        log.warning("the clock was set by %+.0f s: the leases move with it", moved)
        leases = self._server.clock_set(moved, self._clock())
        try:
            self._state.leases.commit(leases)
        except StateError as error:
            log.error("the leases' new times are not stored: %s", error)

    def _tidy(self) -> None:
        """Forgets a step of what is long over. In memory leases stay: there are no more than addresses."""
        before = self._clock() - KEPT_SECONDS
        pause = TIDY_SECONDS
        try:
            gone = self._state.leases.purge(before, _TIDY_STEP), self._state.sightings.purge(before, _TIDY_STEP)
            if max(gone) == _TIDY_STEP:
                pause = _TIDY_PAUSE
        except StateError as error:
            log.warning("old leases cannot be removed: %s", error)
        self._tidy_at = time.monotonic() + pause
