"""Receivers of webhooks on the loopback interface: good ones, and every bad one."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Request:
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Answers each connection's one request with `answer(request, connection)`."""

    answer: Callable[[Request, socket.socket], None]
    requests: list[Request] = field(default_factory=list)
    port: int = 0
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?x=1"

    @property
    def taken(self) -> list[Any]:
        return [request.json for request in self.requests]


def read_request(connection: socket.socket) -> Request:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError
        data += part
        if len(data) > 4 and not data.startswith(b"POST "):  # TLS, say
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            raise ConnectionError
    head, _, body = data.partition(b"\r\n\r\n")
    line, *rows = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    return Request(line, headers, body)


@contextlib.contextmanager
def receiving(answer: Callable[[Request, socket.socket], None]) -> Iterator[Receiver]:
    listener = socket.create_server(("127.0.0.1", 0))
    receiver = Receiver(answer, port=listener.getsockname()[1])

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ConnectionError), connection:
            connection.settimeout(20)
            request = read_request(connection)
            receiver.requests.append(request)
            answer(request, connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            receiver.connections += 1
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def status(code: int, headers: str = "") -> Callable[[Request, socket.socket], None]:
    def answer(_: Request, connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 {code} X\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())

    return answer


def hang(_: Request, connection: socket.socket) -> None:
    connection.recv(1)  # until the other side goes


def drip(_: Request, connection: socket.socket) -> None:
    """A header that never ends, an octet at a time: no single read takes long."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.sendall(b"a")
        time.sleep(0.02)


def huge(_: Request, connection: socket.socket) -> None:
    """An endless body."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    while True:
        connection.sendall(b"a" * 65536)


def huge_headers(_: Request, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: " + b"a" * 65536 + b"\r\n")


def nonsense(_: Request, connection: socket.socket) -> None:
    connection.sendall(b"\x15\x03\x01\x00\x02\x02\x28 \x1b[31mno\r\n\r\n")


def closes(_: Request, connection: socket.socket) -> None:
    connection.close()
