"""The transport with an application that is not ours: what it answers is sent, what it says of it is told."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from http_world import Server

from netprov.boot.reason import Reason
from netprov.files.root import Root
from netprov.http.application import Answer, Call, File, Reply, Stream
from netprov.http.outcome import Outcome
from netprov.http.worker import HttpWorker
from netprov.journal.event import Event, Kind

SAID = Outcome(stage="kernel", system="lady", detail=(("a", "b"),))


class Counting:
    """An answer that goes on: numbers, until it is ended."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"0\n"
        yield b"1\n"
        await self.ended.wait()

    def end(self) -> None:
        self.ended.set()


@dataclass
class Plain:
    """Answers by the path."""

    root: Path
    calls: list[Call] = field(default_factory=list)
    listeners: list[Counting] = field(default_factory=list)

    def at_once(self, path: str) -> File | None:
        return File(path[1:], Root(self.root).open, SAID) if path.startswith("/f") else None

    def answer(self, call: Call) -> Answer:
        self.calls.append(call)
        match call.path:
            case "/kept":
                return File("file", Root(self.root).open, SAID)
            case "/stream":
                return Stream("text/x-numbers", self.listen, Outcome(quiet=True))
            case "/crowd":
                return Stream("text/x-numbers", lambda: None)
            case "/broken":
                raise RuntimeError("a mistake of the application's")
        return Reply(203, (("Content-Type", "text/x-plain"), ("X-Own", "1")), b"body", SAID)

    def listen(self) -> Counting:
        self.listeners.append(Counting())
        return self.listeners[-1]

    def close(self) -> None:
        for listener in self.listeners:
            listener.end()


@contextmanager
def serving(root: Path) -> Iterator[tuple[Server, Plain, list[Event]]]:
    (root / "file").write_bytes(b"content")
    events: list[Event] = []
    application = Plain(root)
    listening = socket.create_server(("127.0.0.1", 0))
    worker = HttpWorker([listening], application, events.append)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield Server(None, listening.getsockname()[1], root), application, events  # type: ignore[arg-type]
    finally:
        worker.stop(5)
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[tuple[Server, Plain, list[Event]]]:
    with serving(tmp_path) as served:
        yield served


def test_a_reply(plain: tuple[Server, Plain, list[Event]]) -> None:
    server, application, events = plain
    status, headers, body = server.get("/x%20y?q=1", "X-Asked: yes")
    assert (status, headers["content-type"], headers["x-own"], body) == (203, "text/x-plain", "1", b"body")
    (call,) = application.calls
    assert (call.method, call.path, call.query, call.body) == ("GET", "/x y", "q=1", b"")
    assert ("X-Asked", "yes") in call.headers
    (event,) = events
    assert (event.kind, event.stage, event.system, event.name) == (Kind.HTTP_DONE, "kernel", "lady", "/x y")
    assert event.detail[-1] == ("a", "b")


@pytest.mark.parametrize(("path", "asked"), [("/file", 0), ("/kept", 1)])
def test_a_file(plain: tuple[Server, Plain, list[Event]], path: str, asked: int) -> None:
    server, application, events = plain
    assert server.get(path, "Range: bytes=2-4")[::2] == (206, b"nte")
    assert server.get("/fgone")[0] == 404
    assert len(application.calls) == asked
    assert [(event.stage, event.reason) for event in events] == [
        ("kernel", Reason.HTTP_OK),
        ("kernel", Reason.HTTP_NOT_FOUND),
    ]


def test_an_answer_that_goes_on_ends_when_its_client_goes(plain: tuple[Server, Plain, list[Event]]) -> None:
    server, application, events = plain
    with server.connect() as sock, sock.makefile("rb") as file:
        sock.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        while (line := file.readline().strip()) != b"":
            assert not line.lower().startswith(b"content-type: ") or line.endswith(b"text/x-numbers")
        assert [file.readline(), file.readline()] == [b"2\r\n", b"0\n"]
        (listener,) = application.listeners
        assert not listener.ended.is_set()
    deadline = time.monotonic() + 20
    while not listener.ended.is_set():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert events == []  # quiet, and no failure


def test_an_answer_that_goes_on_ends_with_the_server(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, _, _):
        sock = server.connect()
        sock.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(15) == b"HTTP/1.1 200 OK"
    with sock, sock.makefile("rb") as file:
        assert file.read().endswith(b"0\r\n\r\n")  # in order: not broken off


def test_too_many_listen(plain: tuple[Server, Plain, list[Event]]) -> None:
    assert plain[0].get("/crowd")[0] == 503


def test_a_mistake_of_the_applications_is_500_and_told(plain: tuple[Server, Plain, list[Event]]) -> None:
    server, _, events = plain
    assert server.get("/broken")[0] == 500
    assert [(event.kind, event.reason) for event in events] == [(Kind.HTTP_FAIL, Reason.INTERNAL_ERROR)]
