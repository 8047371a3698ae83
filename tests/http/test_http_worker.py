"""H3: limits, slow clients, stopping, dying."""

from __future__ import annotations

import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from http_world import Server, World, serving

from netprov.boot.reason import Reason
from netprov.descriptors import room_for
from netprov.http.connections import Limits
from netprov.journal.event import Kind


def test_h3_a_thousand_slow_clients(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(1000):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
            sock.sendall(b"G")
        assert server.get("/files/file.bin")[0] == 200
        assert server.get("/boot.ipxe")[0] == 200


def test_h3_a_thousand_slow_readers_do_not_hold_the_others(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(300):
            sock = stack.enter_context(server.connect(rcvbuf=4096))
            sock.sendall(b"GET /files/big HTTP/1.1\r\nHost: x\r\n\r\n")
        assert server.get("/files/file.bin")[0] == 200
        assert server.get("/boot.ipxe")[0] == 200


def test_h3_at_the_limit_the_longest_idle_one_goes(root: Path) -> None:
    with serving(root, Limits(connections=20)) as server, ExitStack() as stack:
        busy = stack.enter_context(server.connect(rcvbuf=4096))
        busy.sendall(b"GET /files/big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = len(busy.recv(4096))
        idle = [stack.enter_context(server.connect()) for _ in range(19)]
        for sock in idle:
            sock.sendall(b"GET /")
        assert server.get("/files/file.bin")[0] == 200
        with suppress(ConnectionResetError):
            assert idle[0].recv(1) == b""  # cut; the file under way is not, though it was there before
        while part := busy.recv(1 << 20):
            got += len(part)
        assert got > 24 << 20


def test_h3_header_that_never_ends_is_cut(root: Path) -> None:
    with serving(root, Limits(idle_seconds=0.5)) as server, server.connect() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n")

        def drip() -> None:
            with suppress(OSError):
                for _ in range(100):
                    sock.sendall(b"X: y\r\n")
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        with suppress(ConnectionResetError):
            assert sock.recv(100) == b""


def test_h3_body_that_never_ends_is_refused(root: Path) -> None:
    with serving(root, Limits(body_seconds=0.3)) as server, server.connect() as sock:
        sock.sendall(b"POST /api/v1/callback/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        assert sock.recv(100).startswith(b"HTTP/1.1 408")


def test_h3_idle_connection_is_closed(root: Path) -> None:
    with serving(root, Limits(idle_seconds=0.3)) as server, server.connect() as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"ok" in sock.recv(1000)
        assert sock.recv(1) == b""


def test_h3_a_reader_that_stops_is_cut_and_one_that_creeps_is_not(root: Path) -> None:
    with serving(root, Limits(stall_seconds=1)) as server, server.connect(rcvbuf=4096) as stopped:
        stopped.sendall(b"GET /files/big?stopped HTTP/1.1\r\nHost: x\r\n\r\n")
        with server.connect(rcvbuf=65536) as creeping:
            creeping.sendall(b"GET /files/big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            event = None
            while event is None:  # reads a little, again and again, until the other is cut
                assert creeping.recv(65536)
                time.sleep(0.05)
                event = next((e for e in server.world.events if e.kind is Kind.HTTP_FAIL), None)
            assert event.reason is Reason.HTTP_CLOSED
            got = 1
            while part := creeping.recv(1 << 20):
                got += len(part)
            assert got > 20 << 20


@contextmanager
def process(root: Path, descriptors: int = 0) -> Iterator[tuple[Server, int]]:
    """The worker in a process of its own, which drains for 10 s at SIGTERM."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    pid = os.fork()
    if not pid:
        status = 1
        try:
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
            worker = World(root).worker(listening)
            signal.signal(signal.SIGTERM, lambda *_: worker.stop(10))
            worker.run()
            status = 0
        finally:
            os._exit(status)
    listening.close()
    try:
        yield Server(World(root), port, root), pid
    finally:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def test_h3_few_descriptors(root: Path) -> None:
    with process(root, descriptors=264) as (server, _), ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(server.connect()).sendall(b"G")
        assert server.get("/files/file.bin")[0] == 200
        assert server.get("/healthz")[0] == 200


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "room", "soft_then"),
    [(1024, 524288, 4096, 4096, 8256), (1024, 1024, 4096, 480, 1024), (70, 80, 4096, 8, 80),
     (20000, 20000, 4096, 4096, 20000), (-1, -1, 4096, 4096, -1), (1024, -1, 4096, 4096, 8256)],
)  # fmt: skip
def test_h3_room_for(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, wanted: int, room: int, soft_then: int
) -> None:
    limits = [(soft, hard)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: limits.append(pair))
    assert room_for(wanted) == room
    assert limits[-1] == (soft_then, hard)


def begun(server: Server) -> tuple[socket.socket, int]:
    """A download that has begun and waits for its reader: the socket, and the octets read."""
    sock = server.connect(rcvbuf=4096)
    sock.sendall(b"GET /files/big HTTP/1.1\r\nHost: x\r\n\r\n")
    return sock, len(sock.recv(4096))


def test_stop_lets_transfers_end(root: Path) -> None:
    with process(root) as (server, pid):
        sock, got = begun(server)
        idle = server.connect()
        assert server.get("/healthz")[0] == 200
        os.kill(pid, signal.SIGTERM)
        assert idle.recv(1) == b""  # nothing is under way on it
        with pytest.raises(ConnectionError):  # noqa: PT012
            for _ in range(100):
                server.connect().close()
                time.sleep(0.05)
        while part := sock.recv(1 << 20):
            got += len(part)
        assert got > 24 << 20
        assert os.waitpid(pid, 0)[1] == 0


def test_stop_breaks_off_what_takes_too_long(root: Path) -> None:
    with serving(root) as server:
        sock, _ = begun(server)
    event = server.world.event(kind=Kind.HTTP_FAIL)  # serving() stopped it without drain
    assert event.reason is Reason.SERVER_STOPPED
    assert event.size < 24 << 20
    sock.close()


def test_stop_before_run(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        worker = World(root).worker(listening)
        worker.stop(5)
        worker.run()


def test_killed_in_a_transfer(root: Path) -> None:
    """The client sees an end before the length it was promised; the sockets' owner can start another worker."""
    with process(root) as (server, pid):
        sock, got = begun(server)
        os.kill(pid, signal.SIGKILL)
        with suppress(ConnectionResetError):
            while part := sock.recv(1 << 20):
                got += len(part)
        assert got < 24 << 20
        sock.close()


def test_no_descriptor_is_left_behind(server: Server) -> None:
    server.get("/files/file.bin")
    before = len(os.listdir("/proc/self/fd"))
    for path in ("/files/file.bin", "/files/none", "/files/out", "/files/empty"):
        for header in ("X: y", "Range: bytes=0-1", "Range: bytes=90000-", "Range: bytes=0-1,5-6", "If-None-Match: *"):
            for method in ("GET", "HEAD", "POST"):
                server.get(path, header, method=method)
    deadline = time.monotonic() + 10
    while len(os.listdir("/proc/self/fd")) > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(os.listdir("/proc/self/fd")) <= before
