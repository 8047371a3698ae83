"""The socket shell: requests in, transfers out, one loop for all of them."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from netprov.boot.reason import Reason
from netprov.descriptors import SPARE, room_for
from netprov.errors import PeerError
from netprov.files.paths import PathError
from netprov.journal.event import Event
from netprov.tftp import report
from netprov.tftp.answer import Found, Stranger, agree, find, is_request, read_request
from netprov.tftp.body import MemoryBody
from netprov.tftp.codec import Code, error
from netprov.tftp.frames import FrameCache
from netprov.tftp.loop import Loop
from netprov.tftp.pool import Pool
from netprov.tftp.ports import PORTS_MAX, PortPool, SharedPort
from netprov.tftp.progress import Progress
from netprov.tftp.refusal import is_full, refusal_of
from netprov.tftp.report import Meter
from netprov.tftp.session import Crowd, Question, Session, Sessions
from netprov.tftp.sockets import (
    Arrival,
    ConnectedWire,
    Key,
    MtuTable,
    SharedWire,
    SockAddr,
    Wire,
    from_address,
    gso_batch,
    peer_ip,
    receive,
)
from netprov.tftp.source import About, Source
from netprov.tftp.tap import Talk, Tape, TftpTap
from netprov.tftp.transfer import Run, Transfer

log = logging.getLogger(__name__)

BURST = 64  # datagrams taken from one shared socket before the others have their turn
ANSWER_MAX = 128  # octets read of an answer: an ACK has 4, an ERROR's text may be cut
DROPS_TOLD = 50  # a second: a flood of garbage must not fill the journal
STRANGERS_ANSWERED = 100  # ERRORs a second to who has no transfer

INTERNAL = PeerError("internal error", Code.UNDEFINED)


class Listener:
    """A socket that requests come to, and the data ports that go with it."""

    def __init__(self, sock: socket.socket, ports: tuple[int, int] | None) -> None:
        self.port = SharedPort(sock)
        self.pool = PortPool(sock, ports)
        self.watched: list[SharedPort] = []


class TftpServer:
    """Serves on `sockets` (UDP, bound; they become the server's own and are closed with it).

    `source_now` gives what a request that arrives now is answered from, to its end. `record` is called in the loop with
    each event and must return at once; `tap` is told the packets. `clock` gives seconds, `wall` those since the epoch.
    Everything runs in the thread that calls `run`, but for the callables of `Source.rendered`.
    """

    def __init__(
        self,
        sockets: Iterable[socket.socket],
        source_now: Callable[[], Source],
        record: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        crowd: Crowd | None = None,
        tap: TftpTap | None = None,
    ) -> None:
        self._source_now = source_now
        self._record_to = record
        self._tap = tap
        self._clock = clock
        self._wall = wall
        self._cache = FrameCache()
        self._mtus = MtuTable()
        crowd = crowd or Crowd()
        self._sessions = Sessions(replace(crowd, total=room_for(crowd.total, SPARE + PORTS_MAX)))
        self._pool: Pool[tuple[Listener, Question], Found] = Pool()
        self._pending: dict[Key, Question] = {}
        self._drops = Meter(DROPS_TOLD)
        self._strangers = Meter(STRANGERS_ANSWERED)
        self._progress = Progress(self._record, wall)
        self._stop_after: float | None = None
        self._drain_until: float | None = None
        self._loop = Loop(clock)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._loop.watch(self._wake, self._woken)
        self._loop.watch(self._pool.fd, self._made)
        ports = source_now().settings.ports
        self._listeners = [Listener(sock, ports) for sock in sockets]
        for listener in self._listeners:
            self._watch_port(listener, listener.port)

    # what others call

    def run(self) -> None:
        """Serve until `stop` is called and the transfers under way are over."""
        try:
            while not self._over():
                self._loop.turn(min(filter(None, (self._sessions.next_deadline(), self._drain_until)), default=None))
                now = self._clock()
                for session in self._sessions.due(now):
                    self._timeout(session, now)
                if now >= self._progress.due:
                    self._progress.tell(self._sessions, now)
                if self._tap is not None:
                    self._tap.flush()
        finally:
            self._close(self._clock())

    def stop(self, drain_seconds: float = 10.0) -> None:
        """Take no more requests; give the transfers under way `drain_seconds`. May be called by a signal handler."""
        self._stop_after = drain_seconds
        os.eventfd_write(self._wake, 1)

    @property
    def transfers(self) -> int:
        """How many are under way."""
        return len(self._sessions)

    # starting and ending

    def _over(self) -> bool:
        if self._drain_until is None:
            return False
        return self._clock() >= self._drain_until or not (len(self._sessions) or self._pending)

    def _woken(self, now: float) -> None:
        os.eventfd_read(self._wake)
        if self._stop_after is None:
            return
        if self._drain_until is None:
            for listener in self._listeners:
                if not (listener.port.carried or self._pending):  # requests go to another worker from now on
                    self._loop.unwatch(listener.port.sock.fileno())
                    listener.port.sock.close()
        self._drain_until = now + self._stop_after

    def _close(self, now: float) -> None:
        for session in self._sessions:
            self._step(session, session.transfer.cancel(PeerError("the server stops", Code.UNDEFINED), now), now)
        for _, made in self._pool.close():
            if isinstance(made, Found):
                made.body.close()
        for listener in self._listeners:
            listener.pool.close()
            listener.port.sock.close()
        self._loop.close()
        os.close(self._wake)

    def _watch_port(self, listener: Listener, port: SharedPort) -> None:
        def readable(now: float) -> None:
            for _ in range(BURST):
                arrival = receive(port.sock)
                if arrival is None:
                    return
                self._arrived(listener, port, arrival, now)

        self._loop.watch(port.sock.fileno(), readable)
        listener.watched.append(port)

    # requests

    def _arrived(self, listener: Listener, port: SharedPort, arrival: Arrival, now: float) -> None:
        if arrival.key in port.carried and not is_request(arrival.datagram):
            session = self._sessions.find(arrival.key)
            if session is not None:
                self._answered(session, arrival.datagram, now)
            return
        if port is not listener.port and port.knew(arrival.key, now):
            return
        try:
            if arrival.group:  # RFC 1123 §4.2.3.5
                raise Stranger("a packet sent to many", None, Reason.TFTP_MALFORMED)
            request = read_request(arrival.datagram)
            if port is not listener.port:
                raise Stranger("a request to a data port", Code.ILLEGAL, Reason.TFTP_WRONG_TID)
        except Stranger as stranger:
            if not port.knew(arrival.key, now):
                self._strange(port, arrival, stranger, now)
            return
        if self._drain_until is None:
            mtu = self._mtus.of(port.sock, arrival.interface, now)
            source = self._source_now()
            peer, local, settings = arrival.peer, arrival.local, source.settings
            question = Question(
                arrival.datagram, request, peer, peer_ip(peer), local, settings, arrival.interface, mtu
            )  # fmt: skip
            self._asked(listener, source, question, now)

    def _strange(self, port: SharedPort, arrival: Arrival, stranger: Stranger, now: float) -> None:
        told = self._drop(arrival.peer, stranger.reason, stranger.text, now)
        if told and self._tap is not None:
            self._tap.heard(arrival.datagram, arrival.peer, arrival.local, port.port, now)
        if stranger.code is not None and self._strangers.passes(now):
            self._say(port, arrival.key, arrival.interface, error(stranger.code, stranger.text))

    def _say(self, port: SharedPort, key: Key, interface: int, datagram: bytes) -> None:
        """Send what belongs to no transfer."""
        self._wire_on(port, key, interface).send((datagram,))
        if self._tap is not None:
            self._tap.sent(datagram, *key, port.port)

    def _asked(self, listener: Listener, source: Source, question: Question, now: float) -> None:
        if self._tap is not None:
            self._tap.heard(question.datagram, question.peer, question.local, listener.port.port, now)
        before = self._sessions.find(question.key)
        if before is not None:
            if before.question.datagram == question.datagram and before.transfer.opening:
                self._step(before, before.transfer.again(now), now)
                return
            before.transfer.abandon(now)
            self._step(before, (), now)
        pending = self._pending.get(question.key)
        if pending is not None and pending.datagram == question.datagram:
            return  # its answer is being made
        self._pending.pop(question.key, None)
        if not self._sessions.room_for(question.ip):
            self._drop(question.peer, Reason.TFTP_BUSY, "too many transfers at once", now)  # it asks again by itself
            return
        try:
            found = find(source, question)
        except Exception as problem:  # told to this client as an error, and logged
            self._refuse(listener, question, problem, None, now)
            return
        if isinstance(found, Found):
            self._begin(listener, question, found, now)
        elif self._pool.submit((listener, question), found):
            self._pending[question.key] = question
        else:
            self._drop(question.peer, Reason.TFTP_BUSY, "too many files are being rendered", now)

    def _made(self, now: float) -> None:
        """Files that the pool rendered, or could not."""
        for (listener, question), made in self._pool.results():
            if self._pending.get(question.key) is not question:  # the client has asked for another since
                if isinstance(made, Found):
                    made.body.close()
                continue
            del self._pending[question.key]
            if isinstance(made, Found):
                self._begin(listener, question, made, now)
            else:
                self._refuse(listener, question, made, None, now)

    # answers

    def _refuse(
        self, listener: Listener, question: Question, problem: Exception, about: About | None, now: float
    ) -> None:
        if is_full(problem):  # silence: firmware asks again by itself, and gives up at an ERROR
            self._drop(question.peer, Reason.TFTP_BUSY, "too many files are open", now)
            return
        if not isinstance(problem, PeerError):
            log.error("%s for %s", report.printable(question.request.name), question.ip, exc_info=problem)
        refusal = refusal_of(problem)
        about = about or About(stage=problem.stage if isinstance(problem, PathError) else "")
        self._record(report.asked(self._wall(), question, about))
        self._record(report.refused(self._wall(), question, refusal, about))
        port = self._data_port(listener, question)
        self._say(port, question.key, question.interface, error(refusal.code, refusal.text))

    def _data_port(self, listener: Listener, question: Question) -> SharedPort:
        """The port an answer leaves from: 69 itself where there is to be no other, or none can be had."""
        if question.settings.single_port:
            return listener.port
        try:
            port = listener.pool.take()
        except OSError:
            return listener.port
        if port not in listener.watched:
            self._watch_port(listener, port)
        return port

    def _begin(self, listener: Listener, question: Question, found: Found, now: float) -> None:
        try:
            tries = self._sessions.opening_tries(question.ip)
            transfer = agree(question, found, self._cache, tries)
            port = self._data_port(listener, question)
            wire = self._wire_of(listener, port, question, transfer)
        except PeerError as problem:
            self._refuse(listener, question, problem, found.about, now)
            return
        session = Session(question, found.about, transfer, port, wire)
        port.load += 1
        self._sessions.add(session)
        if isinstance(wire, ConnectedWire):
            self._watch_session(session, wire.sock.fileno())
        else:
            port.carried.add(question.key)
        if not found.about.quiet:
            self._record(report.asked(self._wall(), question, found.about))
            if self._tap is not None:
                session.tape = self._tape(self._tap, session, found, now)
        self._step(session, transfer.start(now), now)

    def _tape(self, tap: TftpTap, session: Session, found: Found, now: float) -> Tape:
        about, question = found.about, session.question
        talk = Talk(question.peer, question.local, session.port.port, about.mac, about.token, bool(about.system))
        script = found.body.data if about.rendered and isinstance(found.body, MemoryBody) else None
        return tap.tape(talk, session.transfer.stride, script, now)

    def _wire_of(self, listener: Listener, port: SharedPort, question: Question, transfer: Transfer) -> Wire:
        """A socket of its own for a transfer of several blocks: making it costs as much as two blocks do."""
        batch = gso_batch(transfer.stride, transfer.terms.windowsize, question.mtu, question.ip.version)
        if port is not listener.port and transfer.blocks > 1:
            try:
                sock = listener.pool.connect(port, question.local, question.interface, question.peer)
                return ConnectedWire(sock, transfer.stride, batch)
            except OSError as problem:
                log.warning("no socket for a transfer to %s, sharing one: %s", question.ip, problem)
        return self._wire_on(port, question.key, question.interface, transfer.stride, batch)

    def _wire_on(self, port: SharedPort, key: Key, interface: int, stride: int = 0, batch: int = 0) -> SharedWire:
        peer, local = key
        return SharedWire(port.sock, peer, from_address(port.sock.family, local, interface), stride, batch)

    def _watch_session(self, session: Session, fd: int) -> None:
        def readable(now: float) -> None:
            try:
                datagram = os.read(fd, ANSWER_MAX)
            except ConnectionRefusedError:
                session.transfer.unreachable(now)
                self._step(session, (), now)
            except OSError:  # EAGAIN, or a network that is away for a moment
                pass
            else:
                self._answered(session, datagram, now)

        self._loop.watch(fd, readable)

    def _answered(self, session: Session, datagram: bytes, now: float) -> None:
        if session.tape is not None:
            session.tape.heard = datagram
        try:
            runs = session.transfer.receive(datagram, now)
        except Exception:  # ends this transfer, and no other
            log.exception("the transfer of %s to %s ends", session.question.request.name, session.question.ip)
            runs = session.transfer.cancel(INTERNAL, now)
        self._step(session, runs, now)

    def _timeout(self, session: Session, now: float) -> None:
        try:
            runs = session.transfer.timeout(now)
        except Exception:  # likewise
            log.exception("the transfer of %s to %s ends", session.question.request.name, session.question.ip)
            runs = session.transfer.cancel(INTERNAL, now)
        session.timer_at = float("inf")  # its entry is out of the timers
        self._step(session, runs, now)

    def _step(self, session: Session, runs: Sequence[Run], now: float) -> None:
        """Send what a transfer wants sent, and see what became of it."""
        transfer = session.transfer
        if runs:
            try:
                session.wire.send(runs)
            except ConnectionRefusedError:
                transfer.unreachable(now)
        if session.tape is not None:
            session.tape.step(transfer, runs, now)
        if transfer.ended:
            self._end(session, now)
        elif transfer.deadline() < session.timer_at:
            self._sessions.arm(session)

    def _end(self, session: Session, now: float) -> None:
        if isinstance(session.wire, ConnectedWire):
            self._loop.unwatch(session.wire.sock.fileno())
        session.wire.close()
        session.port.forget(session.question.key, now)
        self._sessions.remove(session)
        if not session.about.quiet:
            self._record(report.ended(self._wall(), session))

    # the journal

    def _drop(self, peer: SockAddr, reason: Reason, text: str, now: float) -> bool:
        """Whether it was told."""
        if not self._drops.passes(now):
            return False
        self._record(report.dropped(self._wall(), peer, reason, text, self._drops.taken()))
        return True

    def _record(self, event: Event) -> None:
        try:
            self._record_to(event)
        except Exception:  # a transfer goes on without its event
            log.exception("an event is lost: %s", event.text)
