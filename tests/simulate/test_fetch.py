"""Fetching by TFTP and HTTP from servers that are right, wrong or silent."""

from __future__ import annotations

import hashlib
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address

import pytest

from netprov.errors import PeerError
from netprov.simulate.fetch import KEPT, Fetcher, Refused, by_dns

HOST = "127.0.0.1"
DATA = bytes(range(256)) * 10


NO_DNS = by_dns((), 1.0)


def fetcher(preview=True, resolve=NO_DNS, timeout=5.0):
    return Fetcher(timeout, preview, resolve)


@contextmanager
def tftpd(*packets):
    """A TFTP server on loopback that answers every request with `packets`, an ACK awaited after each but an ERROR."""
    asked, over = [], threading.Event()

    def serve():
        while not over.is_set():
            try:
                request, peer = sock.recvfrom(2000)
            except TimeoutError:
                continue
            asked.append(request)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as transfer:
                transfer.settimeout(0.3)
                for packet in packets:
                    transfer.sendto(packet, peer)
                    if packet[1:2] != b"\5":
                        try:
                            transfer.recv(2000)
                        except TimeoutError:
                            break

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        sock.settimeout(0.05)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()[1], asked
        finally:
            over.set()
            thread.join(10)


def blocks(data, blksize):
    cut = [data[at : at + blksize] for at in range(0, len(data) + 1, blksize)]
    return [b"\0\3" + number.to_bytes(2, "big") + part for number, part in enumerate(cut, 1)]


def oack(**options):
    return b"\0\6" + b"".join(f"{name}\0{value}\0".encode() for name, value in options.items())


def error(code, text):
    return b"\0\5" + code.to_bytes(2, "big") + text.encode() + b"\0"


@pytest.mark.parametrize("data", [DATA, b"", DATA[:1024]], ids=["odd end", "empty", "a whole block at the end"])
def test_a_file_by_tftp(data):
    with tftpd(oack(tsize=len(data), blksize=1024), *blocks(data, 1024)) as (port, asked):
        got = fetcher().tftp(HOST, "a/b", 1024, port)
    assert (got.size, got.sha256, got.data) == (len(data), hashlib.sha256(data).hexdigest(), data)
    assert got.details == {"tsize": str(len(data)), "blksize": "1024"}
    assert asked[0].startswith(b"\0\1a/b\0octet\0")
    assert b"tsize\x000\0" in asked[0]
    assert b"blksize\x001024\0" in asked[0]


@pytest.mark.parametrize("preview", [True, False])
def test_a_preview_says_so(preview):
    with tftpd(*blocks(b"x", 512)) as (port, asked):
        fetcher(preview).tftp(HOST, "a", 1024, port)
    assert (b"netprov-preview\x001\0" in asked[0]) == preview


def test_a_server_without_options():
    with tftpd(*blocks(DATA, 512)) as (port, _):
        assert fetcher().tftp(HOST, "a", 1024, port).details == {"blksize": "512"}


@pytest.mark.parametrize(
    ("packets", "words", "missing"),
    [
        ([error(1, "no such file")], "a: 127.0.0.1 says: no such file (TFTP error 1)", True),
        ([error(0, "template error")], "a: 127.0.0.1 says: template error (TFTP error 0)", False),
        ([error(8, "")], "says: nothing (TFTP error 8)", False),
    ],
)
def test_an_error_is_the_servers_word(packets, words, missing):
    with tftpd(*packets) as (port, _), pytest.raises(Refused) as raised:
        fetcher().tftp(HOST, "a", 512, port)
    assert words in raised.value.text
    assert raised.value.missing == missing


@pytest.mark.parametrize(
    ("packets", "words"),
    [
        ([], "did not answer within 0.4 s: is that the right next-server"),
        ([oack(blksize=512), *blocks(DATA, 512)[:2]], "fell silent after 1024 octets"),
        ([oack(tsize=5), *blocks(b"x", 512)], "announced 5 octets of a and sent 1"),
        ([oack(blksize=4), *blocks(b"x", 512)], "sent invalid data, after 0 octets: "),
        ([b"\0\x09garbage"], "sent invalid data, after 0 octets: "),
        ([b"x"], "sent invalid data, after 0 octets: "),
        ([oack(blksize="many")], "sent invalid data, after 0 octets: "),
        ([oack(tsize="")], "sent invalid data, after 0 octets: "),
        ([oack(windowsize="8", surprise="1"), *blocks(b"x", 512)[1:]], "fell silent"),
        ([b"\0\3\0\0x"], "sent invalid data, after 0 octets: "),
        ([b"\0\3\0\7x"], "sent invalid data, after 0 octets: "),
    ],
)
def test_bad_servers_end_the_transfer(packets, words):
    with tftpd(*packets) as (port, _), pytest.raises(PeerError) as raised:
        fetcher(timeout=0.4).tftp(HOST, "a", 512, port)
    assert words in raised.value.text


@contextmanager
def httpd(respond):
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.command, self.path, dict(self.headers)))
            respond(self)

        def do_POST(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join(10)


def sends(data, status=200, length=None, **headers):
    def respond(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(data) if length is None else length))
        handler.end_headers()
        handler.wfile.write(data)

    return respond


@pytest.mark.parametrize("preview", [True, False])
def test_a_file_by_http(preview):
    data = DATA * 1000
    with httpd(sends(data)) as (url, asked):
        got = fetcher(preview).get(f"{url}/a?b=1", 512)
    assert (got.size, got.sha256, got.details) == (len(data), hashlib.sha256(data).hexdigest(), {"HTTP": "200"})
    assert got.data == data[:KEPT]
    assert asked[0][:2] == ("GET", "/a?b=1")
    assert ("Netprov-Preview" in asked[0][2]) == preview


def test_a_callback_is_posted():
    with httpd(sends(b"{}")) as (url, asked):
        fetcher(False).http(f"{url}/c", b"")
    assert asked[0][0] == "POST"


def test_a_name_is_asked_of_the_networks_dns():
    with httpd(sends(b"x")) as (url, asked):
        named = url.replace(HOST, "files.example.org")
        fetcher(resolve=lambda name: IPv4Address(HOST)).get(f"{named}/a", 512)
    assert asked[0][2]["Host"] == named.removeprefix("http://")


@pytest.mark.parametrize(
    ("status", "body", "words", "missing"),
    [
        (404, b"no such file\n", "HTTP status 404 Not Found: no such file", True),
        (500, b"template pxelinux/kernel.cfg:3\nmore", "HTTP status 500 Internal Server Error: template", False),
        (403, b"<html>long</html>", "HTTP status 403 Forbidden", False),
        (404, b"", "HTTP status 404 Not Found", True),
    ],
)
def test_what_is_no_success_is_refused(status, body, words, missing):
    with httpd(sends(body, status)) as (url, _), pytest.raises(Refused) as raised:
        fetcher().get(f"{url}/a", 512)
    assert raised.value.text.startswith(f"{url}/a: {words}")
    assert "<" not in raised.value.text
    assert raised.value.missing == missing


def test_less_than_promised():
    with httpd(sends(b"abc", length=10)) as (url, _), pytest.raises(PeerError, match="promised 10 octets and sent 3"):
        fetcher().get(f"{url}/a", 512)


def test_a_redirect_is_followed():
    def respond(handler):
        sends(b"there")(handler) if handler.path == "/b" else sends(b"", 302, Location="/b")(handler)

    with httpd(respond) as (url, _):
        assert fetcher().get(f"{url}/a", 512).data == b"there"


def test_nobody_there():
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        url = f"http://{HOST}:{sock.getsockname()[1]}/a"
        with pytest.raises(PeerError, match=r"does not answer: .*refused"):
            fetcher().get(url, 512)


@pytest.mark.parametrize("url", ["nfs://h/a", "file:///etc/passwd", "ftp://h/a", "http://", "http://[", "http://h:x/a"])
def test_urls_that_a_loader_cannot_fetch(url):
    with pytest.raises(PeerError):
        fetcher().get(url, 512)


@pytest.mark.parametrize(
    ("servers", "name", "words"),
    [((), "h.example", "DHCP named no DNS server"), ((), "", "names no host"),
     ((IPv4Address(HOST),), "h.example", "no DNS server of 127.0.0.1 answered for h.example")],
)  # fmt: skip
def test_names_that_cannot_be_looked_up(servers, name, words):
    with pytest.raises(PeerError, match=words):
        by_dns(servers, 0.2)(name)
