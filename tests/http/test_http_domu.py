"""What dom0 reports, and the checksums it is told."""

from __future__ import annotations

import os
import re
import select
import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from http_world import Server

from netprov.boot.reason import Reason
from netprov.files.root import Root
from netprov.files.sums import Sums
from netprov.scripts.plan import Sum as PromisedSum
from netprov.scripts.pxelinux.names import Place
from netprov.xen.bootloader.fetcher import Fetcher

REPORT = "/xen/52-54-00-12-34-56/report"


def post(server: Server, path: str, body: str) -> int:
    header = f"POST {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    kind = "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    return int(server.raw((header + kind + body).encode()).split(b" ")[1])


@pytest.mark.parametrize(
    ("body", "reason", "text"),
    [
        ("status=handed-over", Reason.XEN_HANDED_OVER, "kernel and initrd handed to Xen"),
        ("status=refused&note=cut+short", Reason.XEN_REFUSED, "not handed to Xen: cut short"),
        (f"status=refused&note={'x' * 900}", Reason.XEN_REFUSED, f"not handed to Xen: {'x' * 500}"),
    ],
)
def test_report(server: Server, body: str, reason: Reason, text: str) -> None:
    assert post(server, REPORT, body) == 200
    event = server.world.event(name=REPORT)
    assert (event.stage, event.mac, event.system) == ("handed-over", "52:54:00:12:34:56", "lady")
    assert (event.reason, event.text) == (reason, text)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (REPORT, "", 400),
        (REPORT, "status=done", 400),
        ("/xen/x/report", "status=refused", 404),
        ("/xen/52-54-00-12-34-56", "status=refused", 405),
    ],
)
def test_bad_reports(server: Server, path: str, body: str, status: int) -> None:
    assert post(server, path, body) == status


class Cutter:
    """Between dom0 and the server: the first `times` connections end after `octets` of the answer."""

    def __init__(self, port: int, times: int, octets: int) -> None:
        self.asked: list[str] = []
        self._port, self._times, self._octets = port, times, octets
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, socket.create_connection(("127.0.0.1", self._port)) as server:
                request = client.recv(1 << 16)
                found = re.search(rb"(?i)range: (\S+)", request)
                self.asked.append(found[1].decode() if found else "")
                server.sendall(request)
                left = self._octets if len(self.asked) <= self._times else 1 << 40
                with suppress(OSError):
                    while left and not self._has_it_all(client, server):
                        if not (octets := server.recv(min(left, 1 << 16))):
                            break
                        client.sendall(octets)
                        left -= len(octets)

    def _has_it_all(self, client: socket.socket, server: socket.socket) -> bool:
        """It says nothing more: if there is something of it, it has closed."""
        return client in select.select([server, client], [], [], 5)[0]

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


def test_a_download_goes_on_where_it_broke_off(server: Server, root: Path, tmp_path: Path) -> None:
    promised = Sums().of(Root(root), "big")
    assert promised is not None
    cutter = Cutter(server.port, times=2, octets=7_000_000)
    descriptor = os.open(tmp_path / "got", os.O_WRONLY | os.O_CREAT)
    try:
        place = Place(url=f"http://127.0.0.1:{cutter.port}/files/big")
        Fetcher("", 1 << 30).into(place, descriptor, promised=PromisedSum(promised.size, promised.sha256))
    finally:
        os.close(descriptor)
        cutter.close()
    assert (tmp_path / "got").read_bytes() == (root / "big").read_bytes()
    first, second, third = cutter.asked
    assert first == ""
    assert 0 < int(second[6:-1]) < int(third[6:-1])
