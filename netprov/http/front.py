"""What a request passes through: its limits, its path, then a file or the application; its event at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from ipaddress import IPv6Address, ip_address

from aiohttp import HttpVersion10, HttpVersion11, web

from netprov.boot.reason import Reason
from netprov.errors import PeerError
from netprov.files.paths import PathError
from netprov.http.application import Answer, Application, Call, File, Reply, Stream
from netprov.http.connections import HEADERS, Connections, Limits
from netprov.http.files import FileSender, FileTooShortError, content_type
from netprov.http.outcome import UNTOLD, Exchange, Outcome, event_of
from netprov.http.progress import Progress
from netprov.http.ranges import Version, answer
from netprov.http.tap import HttpTap, Way
from netprov.http.target import split_target
from netprov.http.wsgi import lower
from netprov.journal.event import Event
from netprov.journal.fact import RANGE, USER_AGENT

logger = logging.getLogger(__name__)

_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS"})  # PUT and PATCH nothing here knows
_STATUS_OF = {Reason.TFTP_OUTSIDE: 403, Reason.TFTP_UNREADABLE: 403, Reason.TFTP_BUSY: 503}


@dataclass(slots=True)
class _Course:
    """One request's way through the front."""

    exchange: Exchange
    outcome: Outcome
    began: float
    sender: FileSender | None = None
    reply: Reply | None = None  # where it is no file
    response: web.StreamResponse | None = None  # of the reply
    answered: float = 0.0  # when the answer's head went out
    local: tuple[str, int] = ("", 0)

    @property
    def script(self) -> bytes:
        """The answer's body where it is a script made for this machine."""
        return self.reply.body if self.outcome.script and self.reply is not None else b""

    def broken_off(self, end: BaseException) -> None:
        """The response did not get to its end: by the file, by us, else by the client."""
        match end:
            case FileTooShortError():
                reason = Reason.HTTP_CHANGED
            case asyncio.CancelledError():
                reason = Reason.SERVER_STOPPED
            case _:
                self.exchange = replace(self.exchange, closed=True)
                if self.sender is not None:
                    length = self.sender.answer.headers.get("Content-Length", "")
                    self.exchange = replace(self.exchange, stalled=self.sender.stalled, length=length)
                return
        self.exchange = replace(self.exchange, status=500)
        self.outcome = replace(self.outcome, reason=reason)


class Front:
    """Answers the requests of one worker.

    `record` is told the event of each and never blocks or raises; `clock` gives seconds since the epoch; `tap` is told
    the heads of what boots.
    """

    def __init__(
        self,
        application: Application,
        record: Callable[[Event], None],
        clock: Callable[[], float],
        tap: HttpTap | None,
        limits: Limits,
    ) -> None:
        self._application = application
        self._record = record
        self._clock = clock
        self._tap = tap
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.threads, "http")
        self._under_way: set[asyncio.Task[None]] = set()
        self._progress = Progress(record)
        self.connections = Connections(self.handle, self.refused, limits)

    async def drain(self, seconds: float) -> None:
        """Lets the requests under way end, for so long; then breaks them off. No request is taken after it."""
        self.connections.pre_shutdown()
        self._application.close()
        await asyncio.sleep(0.01)  # what has been read is taken up
        self.connections.close_idle()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)
        left = tuple(self._under_way)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self.connections.shutdown(0.1)
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        self.connections.busy(request.protocol)
        loop = asyncio.get_running_loop()
        course = _Course(_exchange_of(request), UNTOLD, loop.time())
        if self._tap is not None:  # later the connection may be gone
            course.local = _address(request.get_extra_info("sockname"))
        try:
            return await self._answer(request, course)
        except (ConnectionError, FileTooShortError, asyncio.CancelledError) as end:
            course.broken_off(end)
            if request.transport is not None:
                request.transport.abort()
            if isinstance(end, asyncio.CancelledError):
                raise
            raise ConnectionResetError("the response did not reach its end") from end
        except Exception:  # aiohttp asks `refused` for the answer
            course.exchange = replace(course.exchange, status=0)
            raise
        finally:
            self._under_way.discard(task)
            self.connections.idle(request.protocol)
            self._tell(request, course, loop.time())

    def refused(self, request: web.BaseRequest, status: int, text: str, reason: Reason | None = None) -> None:
        """A request that was not taken: malformed on the wire, or one whose answer failed."""
        exchange = replace(_exchange_of(request), status=status)
        event = event_of(exchange, Outcome(text=text, reason=reason), self._clock())
        if event is not None:
            self._record(event)

    def _tell(self, request: web.BaseRequest, course: _Course, now: float) -> None:
        if not course.exchange.status and not course.exchange.closed:
            return  # the answer failed within: `refused` told it
        sent = course.exchange.sent if course.sender is None else course.sender.sent
        exchange = replace(course.exchange, sent=sent, seconds=now - course.began)
        event = event_of(exchange, course.outcome, self._clock())
        if event is None:
            return
        self._record(event)
        if self._tap is not None:
            answered = event.at - (now - course.answered)
            way = Way(course.local, answered, course.script if request.method != "HEAD" else b"", exchange.closed)
            response = course.response if course.sender is None else course.sender.response
            self._tap.exchange(request, response, event, way)

    async def _answer(self, request: web.BaseRequest, course: _Course) -> web.StreamResponse:
        try:
            path, query = _checked(request)
            course.exchange = replace(course.exchange, path=path)
            body = await self._body(request)
        except PeerError as error:
            return await self._refuse(request, course, error.code or 400, error.text, close=True)
        found: Answer | None = self._application.at_once(path)
        if found is None:
            call = _call_of(request, path, query, body, course.exchange)
            found = await asyncio.get_running_loop().run_in_executor(self._pool, self._application.answer, call)
        course.outcome = found.outcome
        match found:
            case File():
                return await self._answer_file(request, course, found)
            case Stream():
                return await self._stream(request, course, found)
            case Reply():
                return await self._send(request, course, found)

    async def _stream(self, request: web.BaseRequest, course: _Course, stream: Stream) -> web.StreamResponse:
        listener = stream.listen()
        if listener is None:
            return await self._refuse(request, course, 503, "too many clients at once: try again later")
        course.exchange = replace(course.exchange, status=200)
        response = web.StreamResponse(status=200, headers={**HEADERS, "Cache-Control": "no-store"})
        response.content_type = stream.content_type
        self.connections.when_lost(request.protocol, listener.end)
        try:
            await response.prepare(request)
            async for octets in listener:
                await response.write(octets)
            await response.write_eof()
        except ConnectionError:
            if request.transport is not None:
                request.transport.abort()
        finally:
            self.connections.when_lost(request.protocol, None)
            listener.end()
        return response

    async def _answer_file(self, request: web.BaseRequest, course: _Course, file: File) -> web.StreamResponse:
        if request.method not in ("GET", "HEAD"):
            return await self._refuse(request, course, 405, "files are read-only", allow="GET, HEAD")
        try:
            opened = file.open(file.name)
        except PathError as error:
            status = _STATUS_OF.get(error.reason, 404)
            reason = Reason.HTTP_NOT_FOUND if status == 404 else error.reason
            course.outcome = replace(course.outcome, reason=reason, text=f"{file.name}: {error.text}")
            return await self._refuse(request, course, status, error.text)
        asked = lower(request.headers.items())
        version = Version(opened.identity.size, opened.identity.mtime_ns, opened.identity.ino)
        planned = answer(request.method, asked, version, content_type(file.name), self._clock())
        course.exchange = replace(course.exchange, status=planned.status)
        course.sender = sender = FileSender(planned)
        course.answered = asyncio.get_running_loop().time()
        with self._progress.of(request.transport, sender.length, lambda: self._going(course, sender.length)):
            return await sender.send(request, opened.fd, HEADERS)

    def _going(self, course: _Course, size: int) -> Event | None:
        """The event of a request whose answer is on its way."""
        seconds = asyncio.get_running_loop().time() - course.began
        exchange = replace(course.exchange, sent=size, seconds=seconds)
        return event_of(exchange, course.outcome, self._clock())

    async def _refuse(
        self, request: web.BaseRequest, course: _Course, status: int, text: str, *, close: bool = False, allow: str = ""
    ) -> web.StreamResponse:
        if not course.outcome.text:
            course.outcome = replace(course.outcome, text=f"{request.method} {course.exchange.path}: {text}")
        headers = [("Content-Type", "text/plain; charset=utf-8")]
        headers += [("Allow", allow)] if allow else []
        headers += [("Connection", "close")] if close else []
        return await self._send(request, course, Reply(status, tuple(headers), f"{text}\n".encode()))

    async def _send(self, request: web.BaseRequest, course: _Course, reply: Reply) -> web.StreamResponse:
        course.exchange = replace(course.exchange, status=reply.status)
        response = web.Response(status=reply.status, headers=HEADERS, body=reply.body)
        for name, value in reply.headers:
            if name.lower() == "connection":
                response.force_close()
            elif name.lower() in ("content-type", "content-length"):
                response.headers[name] = value
            else:
                response.headers.add(name, value)
        course.reply, course.response, course.answered = reply, response, asyncio.get_running_loop().time()
        await response.prepare(request)
        await response.write_eof()
        course.exchange = replace(course.exchange, sent=0 if request.method == "HEAD" else len(reply.body))
        return response

    async def _body(self, request: web.BaseRequest) -> bytes:
        """The request's body. Raises PeerError: 413 where it is too long, 408 where it does not come, 417."""
        limit = self._limits.body
        if (request.content_length or 0) > limit:
            raise PeerError(f"the body is longer than {limit} octets", 413)
        if not request.can_read_body:
            return b""
        await _expect(request)
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while chunk := await request.content.readany():
                    body += chunk
                    if len(body) > limit:
                        raise PeerError(f"the body is longer than {limit} octets", 413)
        except TimeoutError:
            raise PeerError("the body did not arrive in time", 408) from None
        except web.RequestPayloadError:
            raise PeerError("the body is malformed", 400) from None
        return bytes(body)


async def _expect(request: web.BaseRequest) -> None:
    expected = request.headers.get("Expect")
    if expected is None or request.version < HttpVersion11:
        return
    if expected.lower() != "100-continue":
        raise PeerError(f"the expectation {expected!r} cannot be met", 417)
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # nothing of the response itself has gone out


def _checked(request: web.BaseRequest) -> tuple[str, str]:
    """The path and the query of a request that the parser let through. Raises PeerError for what it should not have."""
    if request.version not in (HttpVersion10, HttpVersion11):
        raise PeerError("the request is not HTTP/1.0 or HTTP/1.1", 505)
    if request.version == HttpVersion10 and "Transfer-Encoding" in request.headers:
        raise PeerError("HTTP/1.0 has no Transfer-Encoding", 400)  # RFC 9112 §6.1: its framing is faulty
    if request.method not in _METHODS:
        raise PeerError(f"the method {request.method} is not known here", 501)
    return split_target(request.raw_path)


def _call_of(request: web.BaseRequest, path: str, query: str, body: bytes, exchange: Exchange) -> Call:
    return Call(
        method=request.method,
        path=path,
        query=query,
        headers=request.headers.items(),
        body=body,
        version=(request.version.major, request.version.minor),
        remote=(exchange.ip, exchange.port),
        local=_address(request.get_extra_info("sockname")),
    )


def _exchange_of(request: web.BaseRequest) -> Exchange:
    ip, port = _address(request.get_extra_info("peername"))
    fields = ((name, request.headers.get(name, "")[:255]) for name in (RANGE, USER_AGENT))
    return Exchange(request.method, request.raw_path, ip, port, 0, asked=tuple(field for field in fields if field[1]))


def _address(socket_name: tuple[str, int] | None) -> tuple[str, int]:
    """Address and port; an IPv4 address that an IPv6 socket writes as ::ffff:192.0.2.1 as what it is."""
    if socket_name is None:  # the connection is gone already
        return "", 0
    address = ip_address(socket_name[0].partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address), socket_name[1]
