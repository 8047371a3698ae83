"""What the HTTP worker tells the recorder: the heads of a request and its answer. Bodies are not kept, but scripts'."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address

from aiohttp import web

from netprov.journal.event import Event
from netprov.recorder.entry import Entry, What
from netprov.recorder.tap import Tap

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
MOST = 16_384  # octets of a head, and of a script


@dataclass(frozen=True, slots=True)
class Way:
    """How a request was answered: on our address and port `local`, from `answered` on (seconds since the epoch).

    `script`: the body, where it is a rendered script. `closed`: the client went away before the end.
    """

    local: tuple[str, int]
    answered: float
    script: bytes = b""
    closed: bool = False


class HttpTap:
    def __init__(self, tap: Tap) -> None:
        self._tap = tap

    def exchange(self, request: web.BaseRequest, response: web.StreamResponse | None, event: Event, way: Way) -> None:
        """A request that has been answered, and the event of it. `response` None: it did not get so far."""
        host, _, port = event.peer.rpartition(":")
        if not host or not way.local[0]:  # the connection was gone before anybody looked who it was
            return
        ends = (ip_address(host).packed, int(port), ip_address(way.local[0]).packed, way.local[1])

        def put(at: float, what: What, data: bytes, length: int) -> None:
            self._tap.put(Entry(at, what, *ends, data, length, 0, event.mac, "", event.token, bool(event.system)))

        asked = request_head(request)
        put(event.at - event.seconds, What.HTTP_REQUEST, _cut(asked), len(asked) + (request.content_length or 0))
        if response is not None:
            head = answer_head(request, response)
            put(way.answered, What.HTTP_ANSWER, _cut(head + way.script), len(head) + event.size)
        put(event.at, What.HTTP_CLOSED if way.closed else What.HTTP_DONE, b"", 0)
        self._tap.flush()


def request_head(request: web.BaseRequest) -> bytes:
    """The head of a request as it came, but for blanks about the fields."""
    target = request.raw_path.encode("utf-8", "surrogateescape")
    version = b"HTTP/%d.%d" % (request.version.major, request.version.minor)
    return _head(b" ".join((request.method.encode("ascii", "replace"), target, version)), request.raw_headers)


def answer_head(request: web.BaseRequest, response: web.StreamResponse) -> bytes:
    """The head of an answer that was prepared."""
    status = response.status
    reason = response.reason or _PHRASES.get(status, "")
    line = f"HTTP/{request.version.major}.{request.version.minor} {status} {reason}".encode("latin-1", "replace")
    headers = response.headers.items()
    fields = ((name.encode("utf-8", "replace"), value.encode("utf-8", "replace")) for name, value in headers)
    return _head(line, fields)


def _head(line: bytes, fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join((line, b"\r\n", *(b"%s: %s\r\n" % field for field in fields), b"\r\n"))


def _cut(data: bytes) -> bytes:
    """At a line's end: half of a secret would not be known for one."""
    return data if len(data) <= MOST else data[: data.rfind(b"\n", 0, MOST) + 1]
