"""Where dom0 itself asks (--server), no script or redirect leads to dom0's own services, nor elsewhere unasked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from netprov.errors import PeerError
from netprov.scripts.pxelinux.names import Place
from netprov.xen.bootloader.fetcher import Fetcher
from netprov.xen.bootloader.pxeboot import main
from netprov.xen.bootloader.reach import reach_of

SECRET = b"what dom0 has for itself"


class Handler(BaseHTTPRequestHandler):
    """/to/HOST leads to the other server's port at HOST."""

    other = 0
    asked: list[str]

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", f"http://{self.path[4:]}:{type(self).other}/secret")
            self.end_headers()
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(SECRET)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def url() -> Iterator[str]:
    Handler.asked = []
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
    Handler.other = servers[1].server_port
    threads = [threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01}) for one in servers]
    for thread in threads:
        thread.start()
    yield f"http://127.0.0.1:{servers[0].server_port}"
    for one in servers:
        one.shutdown()
        one.server_close()
    for thread in threads:
        thread.join()


LEADS = [
    # the host that the server leads to, --other-servers, what is said
    ("127.0.0.1", False, "of dom0 itself"),
    ("127.0.0.1", True, "of dom0 itself"),
    ("localhost", False, "leads away from the server 127.0.0.1"),
    ("localhost", True, "of dom0 itself"),
    ("127.9.9.9", True, "of dom0 itself"),
    ("0.0.0.0", True, "of dom0 itself"),
    ("[::1]", True, "of dom0 itself"),
    ("[::ffff:127.0.0.1]", True, "of dom0 itself"),
    ("192.0.2.1", False, "leads away from the server 127.0.0.1"),
]


@pytest.mark.parametrize(("host", "others", "error"), LEADS)
def test_redirects(url: str, host: str, others: bool, error: str) -> None:
    fetcher = Fetcher("", 1 << 20, reach=reach_of(url, others))
    assert fetcher.small(Place(url=f"{url}/x")) == SECRET
    with pytest.raises(PeerError, match=error):
        fetcher.small(Place(url=f"{url}/to/{host}"))
    assert Handler.asked == ["/x", f"/to/{host}"]


def test_names_of_tftp(url: str) -> None:
    fetcher = Fetcher("127.0.0.1", 1 << 20, reach=reach_of(url, others=False))
    with pytest.raises(PeerError, match="port 69 of dom0 itself"):
        fetcher.small(Place("x"))
    with pytest.raises(PeerError, match="leads away"):
        fetcher.small(Place("x", server="192.0.2.1"))


HOSTILE = [
    ("--server=http://[::1",),
    ("--server=http://:x",),
    ("--server=http://127.0.0.1:1/", "--args=\udcff"),
    ("--server=\udcff",),
    ("--server=http://127.0.0.1:99999/",),
    ("--label=\udcff", "--server=127.0.0.1"),
    ("--output-directory=\udcff", "--server=http://127.0.0.1:1"),
    ("--config=/no/\udcff",),
]


@pytest.mark.parametrize("words", HOSTILE)
def test_one_line_and_no_traceback(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mac=00:16:3e:11:11:11", "--timeout=5", *words]) == 1
    said = capsys.readouterr().err
    assert said.startswith("netprov-pxeboot: ")
    assert "Traceback" not in said
    assert said.count("\n") <= 2
