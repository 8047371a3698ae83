"""Fetches files by TFTP and HTTP: small ones whole, large ones into a file, HTTP's resumed where they break off."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from netprov.errors import PeerError
from netprov.scripts.plan import Sum
from netprov.scripts.pxelinux.names import Place
from netprov.tftp.client import FetchError, NotFoundError, Wish
from netprov.tftp.fetch import download
from netprov.xen.bootloader.messages import Message

if TYPE_CHECKING:
    import hashlib
    from http.client import HTTPResponse

SCRIPT_MOST = 4 << 20  # octets of a script
_PIECE = 1 << 18
_AGENT = "netprov-pxeboot"
_TRIES = 4  # of one HTTP file; each goes on where the one before broke off
_REDIRECTS = 5
_WAIT = 20.0  # seconds without an octet
_REPORT_WAIT = 2.0  # seconds: nobody waits for a report

Write = Callable[[bytes], object]


class NotThere(PeerError):
    """The server says that it has no such file."""


class Fetcher:
    """`server`: where TFTP names without a server of their own are. `limit`: the octets that a file may have.

    `preview`: nothing boots; a netprov server is told, so that no install begins by it.
    """

    def __init__(self, server: str, limit: int, preview: bool = False) -> None:
        self._server = server
        self._limit = limit
        self._marks = _preview_marks() if preview else ()

    def small(self, place: Place) -> bytes | None:
        """A script; None where the server says that there is none. Raises PeerError for everything else."""
        parts: list[bytes] = []
        try:
            self._fetch(place, parts.append, SCRIPT_MOST)
        except NotThere:
            return None
        return b"".join(parts)

    def into(
        self,
        place: Place,
        descriptor: int,
        told: Callable[[int], object] = lambda octets: None,
        promised: Sum | None = None,
    ) -> int:
        """The file's octets into `descriptor`; `told` hears how many there are so far. Returns how many.

        Raises PeerError, also where the file is not what was `promised`.
        """
        total = 0
        digest = _sha256() if promised is not None and promised.sha256 else None

        def write(octets: bytes) -> None:
            nonlocal total
            total += len(octets)
            if digest is not None:
                digest.update(octets)
            told(total)
            while octets:
                octets = octets[os.write(descriptor, octets) :]

        try:
            self._fetch(place, write, self._limit)
        except OSError as error:
            raise PeerError(Message.NOT_KEPT.said(place=place, why=error.strerror)) from None
        if promised is not None:
            _check(place, total, digest.hexdigest() if digest is not None else "", promised)
        return total

    def report(self, url: str, status: str, note: str = "") -> None:
        """Tells a netprov server what became of the boot. Whether it hears that changes nothing."""
        from http.client import HTTPConnection, HTTPException
        from urllib.parse import urlencode

        headers = {"User-Agent": _AGENT, "Content-Type": "application/x-www-form-urlencoded"}
        with suppress(OSError, HTTPException, ValueError):
            parts = urlsplit(url)
            if parts.scheme != "http" or not parts.hostname:
                return
            connection = HTTPConnection(parts.hostname, parts.port, timeout=_REPORT_WAIT)
            try:
                connection.request("POST", parts.path, urlencode({"status": status, "note": note}), headers)
                connection.getresponse()
            finally:
                connection.close()

    def _fetch(self, place: Place, write: Write, limit: int) -> None:
        if place.url:
            _Http(place.url, write, limit, self._marks).fetch()
            return
        server = place.server or self._server
        if not server:
            raise PeerError(Message.NO_BOOT_SERVER.said(place=place))
        try:
            download(server, Wish(place.path, limit=limit, more=self._marks), write)
        except NotFoundError as error:
            raise NotThere(Message.TFTP_FAILED.said(tftp_url=f"tftp://{server}/{place.path}", error=error)) from None
        except (FetchError, ValueError) as error:  # ValueError: a name that TFTP cannot say
            raise PeerError(Message.TFTP_FAILED.said(tftp_url=f"tftp://{server}/{place.path}", error=error)) from None


def _preview_marks() -> tuple[tuple[str, str], ...]:
    from netprov.boot.names import PREVIEW

    return ((PREVIEW, "1"),)


def _sha256() -> hashlib._Hash:
    import hashlib

    return hashlib.sha256()


def _check(place: Place, size: int, sha256: str, promised: Sum) -> None:
    if promised.size is not None and size != promised.size:
        raise PeerError(Message.CHANGED.said(place=place, octets=size, promised=promised.size))
    if sha256 != promised.sha256:
        raise PeerError(Message.DAMAGED.said(place=place))


class _Http:
    """One file by HTTP, in as many requests as it takes."""

    def __init__(self, url: str, write: Write, limit: int, marks: tuple[tuple[str, str], ...] = ()) -> None:
        self._url = url
        self._write = write
        self._limit = limit
        self._marks = marks
        self._got = 0
        self._size: int | None = None
        self._tag = ""  # of what was got so far: a file that changes meanwhile must not be mixed

    def fetch(self) -> None:
        from http.client import HTTPException

        failure = ""
        for _ in range(_TRIES):
            before = self._got
            try:
                self._once(self._url, _REDIRECTS)
                if self._size is None or self._got == self._size:
                    return
                failure = f"{self._got} octets came of {self._size}"
            except (OSError, HTTPException, ValueError) as error:  # ValueError: a URL that no server can have
                failure = str(error) or type(error).__name__
            if self._got == before and self._got:
                break
        raise PeerError(Message.HTTP_FAILED.said(http_url=self._url, status_or_error=failure))

    def _once(self, url: str, redirects: int) -> None:
        from http.client import HTTPConnection, HTTPSConnection

        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise PeerError(Message.HTTP_FAILED.said(http_url=url, status_or_error="is neither http:// nor https://"))
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname, parts.port, timeout=_WAIT)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"User-Agent": _AGENT, "Accept-Encoding": "identity", **dict(self._marks)}
            if self._got:
                headers |= {"Range": f"bytes={self._got}-"} | ({"If-Range": self._tag} if self._tag else {})
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            location = answer.getheader("Location")
            if answer.status in (301, 302, 303, 307, 308) and location and redirects:
                from urllib.parse import urljoin

                self._once(urljoin(url, location), redirects - 1)
                return
            self._begin(answer, url)
            self._body(answer)
        finally:
            connection.close()

    def _begin(self, answer: HTTPResponse, url: str) -> None:
        if answer.status in (404, 410):
            raise NotThere(Message.HTTP_FAILED.said(http_url=url, status_or_error=f"{answer.status} {answer.reason}"))
        if self._got and answer.status != 206:
            raise PeerError(Message.BROKE_OFF.said(url=url, octets=self._got))
        if answer.status not in (200, 206):
            raise PeerError(Message.HTTP_FAILED.said(http_url=url, status_or_error=f"{answer.status} {answer.reason}"))
        if answer.length is not None and not self._got:
            self._size = answer.length
            if self._size > self._limit:
                raise PeerError(Message.TOO_LARGE.said(url=url, octets=self._size, most=self._limit))
        self._tag = answer.getheader("ETag") or answer.getheader("Last-Modified") or ""

    def _body(self, answer: HTTPResponse) -> None:
        while piece := answer.read(_PIECE):
            self._got += len(piece)
            if self._got > self._limit:
                raise PeerError(Message.TOO_LARGE.said(url=self._url, octets=f"{self._got} or more", most=self._limit))
            self._write(piece)
