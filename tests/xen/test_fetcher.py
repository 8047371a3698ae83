"""Downloads by HTTP: resumed, limited, and never "not found" where something else went wrong."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from netprov.errors import PeerError
from netprov.scripts.plan import Sum
from netprov.scripts.pxelinux.names import Place
from netprov.xen.bootloader.fetcher import Fetcher

BODY = bytes(range(256)) * 4000


class Handler(BaseHTTPRequestHandler):
    """/cut breaks off twice; /changes breaks off and is another file then; /stuck breaks off at the same place."""

    asked: list[tuple[str, str]]

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        type(self).asked.append((self.path, wanted))
        start = int(found[1]) if (found := re.match(r"bytes=(\d+)-", wanted)) else 0
        match self.path:
            case "/whole":
                self._send(200, BODY)
            case "/cut":
                end = min(len(BODY), start + 500_000)
                self._send(206 if wanted else 200, BODY[start:], end - start)
            case "/changes":
                self._send(200, BODY, 1000 if not wanted else len(BODY))
            case "/stuck":
                self._send(206 if wanted else 200, BODY[start:], 0 if wanted else 1000)
            case "/moved":
                self.send_response(302)
                self.send_header("Location", "/whole")
                self.end_headers()
            case "/loop":
                self.send_response(302)
                self.send_header("Location", "/loop")
                self.end_headers()
            case "/away":
                self.send_response(302)
                self.send_header("Location", "file:///etc/passwd")
                self.end_headers()
            case "/broken":
                self.send_error(500)
            case _:
                self.send_error(404)

    def _send(self, status: int, body: bytes, only: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.end_headers()
        self.wfile.write(body if only is None else body[:only])
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def url() -> Iterator[str]:
    Handler.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def into(place: Place, folder: Path, limit: int = 1 << 30) -> bytes:
    file = folder / "got"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
    try:
        Fetcher("", limit).into(place, descriptor)
    finally:
        os.close(descriptor)
    return file.read_bytes()


@pytest.mark.parametrize("path", ["/whole", "/cut", "/moved"])
def test_http(url: str, tmp_path: Path, path: str) -> None:
    assert into(Place(url=url + path), tmp_path) == BODY
    if path == "/cut":
        assert [wanted for _, wanted in Handler.asked] == ["", "bytes=500000-", "bytes=1000000-"]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/changes", "cannot go on from there"),
        ("/stuck", "1000 octets|IncompleteRead"),
        ("/loop", "302"),
        ("/away", "neither http"),
        ("/broken", "500"),
        ("/gone", "404"),
    ],
)
def test_http_failures(url: str, tmp_path: Path, path: str, error: str) -> None:
    with pytest.raises(PeerError, match=error):
        into(Place(url=url + path), tmp_path)


def test_limit(url: str, tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="1000 are allowed"):
        into(Place(url=f"{url}/whole"), tmp_path, 1000)


def test_small(url: str) -> None:
    fetcher = Fetcher("", 1 << 30)
    assert fetcher.small(Place(url=f"{url}/whole")) == BODY
    assert fetcher.small(Place(url=f"{url}/gone")) is None
    with pytest.raises(PeerError, match="500"):
        fetcher.small(Place(url=f"{url}/broken"))
    with pytest.raises(PeerError, match="refused"):
        fetcher.small(Place(url="http://127.0.0.1:1/x"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:x/", "http://127.0.0.1:1/é ü", "http://", "http://[::1"])
def test_urls_that_cannot_be(url: str) -> None:
    with pytest.raises(PeerError):
        Fetcher("", 1).small(Place(url=url))


def test_names_that_cannot_be() -> None:
    with pytest.raises(PeerError):
        Fetcher("not an address", 1).small(Place("x"))
    with pytest.raises(PeerError, match="a NUL"):
        Fetcher("127.0.0.1", 1).small(Place("a\0b"))


def test_no_boot_server() -> None:
    with pytest.raises(PeerError, match="no boot server"):
        Fetcher("", 1).small(Place("x"))


SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize(
    ("promised", "error"),
    [
        (Sum(len(BODY), SHA256), ""),
        (Sum(), ""),
        (Sum(sha256=SHA256), ""),
        (Sum(len(BODY) + 1), "promised"),
        (Sum(len(BODY), "0" * 64), "checksum"),
    ],
)
def test_checksum(url: str, tmp_path: Path, promised: Sum, error: str) -> None:
    """Also of a file that came in three parts."""
    descriptor = os.open(tmp_path / "got", os.O_WRONLY | os.O_CREAT)
    try:
        if error:
            with pytest.raises(PeerError, match=error):
                Fetcher("", 1 << 30).into(Place(url=f"{url}/cut"), descriptor, promised=promised)
        else:
            Fetcher("", 1 << 30).into(Place(url=f"{url}/cut"), descriptor, promised=promised)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("path", ["", "file:///etc/passwd", "http://", "http://127.0.0.1:1/x", "http://127.0.0.1:x/"])
def test_a_report_that_nobody_hears(path: str) -> None:
    Fetcher("", 1).report(path, "refused", "note")
