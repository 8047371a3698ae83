"""What dom0 reports, and the checksums it is told."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from http_world import Server

from netprov.boot.reason import Reason
from netprov.http.sums import Sums
from netprov.render.domu import Sum
from netprov.tftp.root import Root

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


def test_sums(tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(b"kernel")
    sums = Sums(Root(tmp_path))
    assert sums.of("v") == Sum(6, hashlib.sha256(b"kernel").hexdigest())
    assert sums.of("v") is sums.of("v")
    (tmp_path / "new").write_bytes(b"KERNEL")
    os.rename(tmp_path / "new", tmp_path / "v")
    assert sums.of("v") == Sum(6, hashlib.sha256(b"KERNEL").hexdigest())
    assert sums.of("gone") is None
    assert sums.of("../v") is None
    assert sums.of(".") is None
