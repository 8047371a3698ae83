"""How far a file is: told while it is sent, as far as the client has it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from http_world import Server

from netprov.http import progress
from netprov.journal.event import Kind


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.05)


def test_a_slow_client_is_told_of(often: None, server: Server, root: Path) -> None:
    size = (root / "big").stat().st_size
    with server.connect(rcvbuf=1 << 16) as sock:
        peer = "{}:{}".format(*sock.getsockname()[:2])
        for _ in range(2):  # the connection has sent the one before already
            sock.sendall(b"GET /files/big HTTP/1.1\r\nHost: x\r\n\r\n")
            got = 0
            while got < size:
                got += len(sock.recv(1 << 18))
                time.sleep(0.002)
    done = server.world.event(kind=Kind.HTTP_DONE)
    told = [event for event in server.world.events if event.kind is Kind.PROGRESS]
    assert told
    assert {(event.name, event.peer, event.size) for event in told} == {(done.name, peer, size)}
    assert all(0 <= int(dict(event.detail)["sent"]) <= size for event in told)
    halves = [int(dict(event.detail)["sent"]) < size / 2 for event in told]
    assert True in halves  # not what the kernel's buffer took
    assert False in halves


def test_nothing_is_left_when_the_client_goes(often: None, server: Server) -> None:
    with server.connect(rcvbuf=1 << 16) as sock:
        sock.sendall(b"GET /files/big HTTP/1.1\r\nHost: x\r\n\r\n")
        sock.recv(1 << 16)
    server.world.event(kind=Kind.HTTP_FAIL)
    server.world.events.clear()
    time.sleep(0.3)
    assert not server.world.events


@pytest.mark.parametrize(("method", "target"), [("HEAD", "/files/big"), ("GET", "/files/sub/vmlinuz")])
def test_what_is_quick_is_not(often: None, server: Server, method: str, target: str) -> None:
    for _ in range(20):
        server.get(target, method=method)
    assert not [event for event in server.world.events if event.kind is Kind.PROGRESS]
