"""Files beneath tftp.root, sent by the kernel (sendfile) without passing through Python."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from io import FileIO
from pathlib import PurePosixPath

from aiohttp import web

from netprov.http.ranges import Answer, Span
from netprov.http.tcpinfo import TcpInfo, tcp_info

CHUNK = 2 << 20
"""Octets a client gets before the others have their turn. One sendfile goes on for as long as the client keeps up;
nginx's sendfile_max_chunk is the same."""

SMALL = 64 << 10
"""Octets up to which an answer is read and goes out with its header in one piece: sendfile's way costs more than the
copy does (a block device over HTTP, iPXE's sanboot, asks for many of these)."""

CONTENT_TYPES: Mapping[str, str] = {
    ".cfg": "text/plain; charset=utf-8",
    ".efi": "application/efi",  # UEFI 2.10 §24.7: tells edk2 that it is a program, whatever its name
    ".ipxe": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".ks": "text/plain; charset=utf-8",
    ".preseed": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}


def content_type(name: str) -> str:
    return CONTENT_TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")


class FileTooShortError(Exception):
    """The file ended before the length that was promised: it was cut while it was sent."""


class FileSender:
    """Sends one answer of one open file. `sent` says how many octets of the body have gone out so far.

    `stalled`: the connection ended while the kernel sent the same octets again and again; so many were acknowledged.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.sent = 0
        self.stalled: int | None = None
        self.response: web.StreamResponse | None = None  # once its head is made

    @property
    def length(self) -> int:
        """Octets of the body."""
        return sum(len(part) if isinstance(part, bytes) else part.length for part in self.answer.parts)

    async def send(self, request: web.BaseRequest, fd: int, headers: Mapping[str, str]) -> web.StreamResponse:
        """The response, sent; closes `fd`. Raises ConnectionError, or FileTooShortError."""
        with FileIO(fd) as file:
            if self.length <= SMALL:
                return await self._send_small(request, fd, headers)
            response = web.StreamResponse(status=self.answer.status, headers={**headers, **self.answer.headers})
            self.response = response
            await response.prepare(request)
            for part in self.answer.parts:
                if isinstance(part, Span):
                    await self._send_span(request, file, part)
                else:
                    await response.write(part)
                    self.sent += len(part)
            await response.write_eof()
            return response

    async def _send_small(self, request: web.BaseRequest, fd: int, headers: Mapping[str, str]) -> web.StreamResponse:
        body = b"".join(
            os.pread(fd, part.length, part.start) if isinstance(part, Span) else part for part in self.answer.parts
        )
        if self.answer.parts and len(body) != int(self.answer.headers["Content-Length"]):
            raise FileTooShortError
        response = web.Response(status=self.answer.status, headers={**headers, **self.answer.headers}, body=body)
        self.response = response
        await response.prepare(request)
        await response.write_eof()
        self.sent = len(body)
        return response

    async def _send_span(self, request: web.BaseRequest, file: FileIO, span: Span) -> None:
        loop = asyncio.get_running_loop()
        at = span.start
        while at < span.end:
            transport = request.transport
            if transport is None or transport.is_closing():
                raise ConnectionResetError("the client went away")
            os.lseek(file.fileno(), at, os.SEEK_SET)
            try:
                # without asyncio's fallback: that takes a connection's end between two chunks for a file that cannot
                # be sent so, and what it then writes to nobody for sent
                count = await loop.sendfile(transport, file, at, min(CHUNK, span.end - at), fallback=False)
            except (OSError, asyncio.SendfileNotAvailableError) as error:  # ETIMEDOUT: a client that took nothing
                # sendfile leaves the file's position after what it sent, also when it fails
                self.sent += max(0, os.lseek(file.fileno(), 0, os.SEEK_CUR) - at)
                self.stalled = _stalled(tcp_info(transport))
                raise ConnectionResetError("the client went away") from error
            if not count:
                raise FileTooShortError
            self.sent += count
            at += count
            info = tcp_info(transport)
            if info.closed and info.in_vain:  # it timed out in this chunk, whose octets the kernel took all the same
                self.stalled = info.acknowledged
                raise ConnectionResetError("the client went away")


def _stalled(info: TcpInfo) -> int | None:
    return info.acknowledged if info.in_vain else None
