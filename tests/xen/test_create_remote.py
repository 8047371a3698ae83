# ruff: noqa: E501 - tables: a row a line
"""netprov domu create --server: the inventory, the install and the timeline are those of a netprov elsewhere."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import fakes
import pytest
from click.testing import CliRunner, Result

from netprov.boot.install import Done, Fetched, InstallState
from netprov.cli.domu import domu
from netprov.errors import PeerError
from netprov.inventory.model import Target
from netprov.xen.create import install
from netprov.xen.create.remote import RemoteSite
from tests.web.web_world import ACCESS, LADY, OPERATE_TOKEN, READ_TOKEN, Site, serving

SYSTEM = f"""\
  lady:
    profile: web
    virt: {{type: xenpvh, ram: 768, disks: [{{size: 3M}}], path: FOLDER/images, auto_boot: false}}
    interfaces: {{eth0: {{mac: "{LADY}", ip: 192.168.77.14/24}}}}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(install, "_EVERY", 0.05)
    tools = fakes.make(tmp_path / "tools")
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    (tmp_path / "elsewhere").mkdir()
    made = Site(tmp_path / "elsewhere", access=ACCESS, systems=SYSTEM.replace("FOLDER", str(tmp_path)))
    yield made
    made.close()


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    with serving(site) as url:
        yield url


def run(folder: Path, url: str, *words: str, token: str = OPERATE_TOKEN) -> Result:
    command = ["create", *words, "--server", url, "-o", str(folder / "domu.cfg"), "--bootloader", "true"]
    return CliRunner().invoke(domu, command, env={"NETPROV_TOKEN": token})


def state(site: Site) -> InstallState | None:
    record = site.state.installs.get("lady")
    return record.state if record is not None else None


def test_the_whole_way(site: Site, url: str, tmp_path: Path) -> None:
    domains = tmp_path / "tools" / "domains"

    def installer() -> None:
        deadline = time.monotonic() + 20
        while "lady" not in domains.read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        target = site.inventory.systems["lady"]
        record = site.state.installs.get("lady")
        assert record is not None
        for event in (Fetched(record.token), Done(record.token)):
            site.state.installs.apply("lady", event, mode=target.install, attempts=3, now=time.time())

    thread = threading.Thread(target=installer)
    thread.start()
    done = run(tmp_path, url, "lady")
    thread.join()
    assert done.exit_code == 0, done.output
    assert "lady is installed" in done.output
    text = (tmp_path / "domu.cfg").read_text()
    assert 'type = "pvh"\nmemory = 768\n' in text
    assert 'bootloader = "pygrub"' in text
    assert (tmp_path / "images" / "lady-disk0").stat().st_size == 3 << 20


def test_undone_there_too(site: Site, url: str, tmp_path: Path) -> None:
    (tmp_path / "tools" / "refuses").write_text("libxl: error: no\n")
    assert run(tmp_path, url, "lady").exit_code == 1
    assert state(site) is InstallState.LOCAL
    assert not (tmp_path / "images").exists()


REFUSALS = {
    "nobody": (("ladi",), OPERATE_TOKEN, "declares no system 'ladi'"),
    "a profile": (("web", "--name", "x"), OPERATE_TOKEN, "what is to be made of a profile is declared there first"),
    "no token": (("lady",), "", ": give --token, or set NETPROV_TOKEN"),
    "a wrong token": (("lady",), "x", "a token that is declared"),
    "a token that only reads": (("lady",), READ_TOKEN, "watcher may not operate here"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refuses(site: Site, url: str, tmp_path: Path, name: str) -> None:
    words, token, error = REFUSALS[name]
    got = run(tmp_path, url, *words, token=token)
    assert got.exit_code == 1
    assert error in got.output
    assert state(site) is None
    assert not (tmp_path / "images").exists()
    assert not (tmp_path / "domu.cfg").exists()


def test_dry_run(site: Site, url: str, tmp_path: Path) -> None:
    got = run(tmp_path, url, "lady", "--dry-run")
    assert got.exit_code == 0, got.output
    assert f"arm the install of lady ({url})" in got.output
    assert state(site) is None


def test_nobody_answers() -> None:
    with pytest.raises(PeerError, match="does not answer: Connection refused"):
        RemoteSite("127.0.0.1:1", "").system("lady")


HOSTILE = [
    b"", b"<html>", b"[]", b"{}", b'{"name": 1}', b"[" * 100_000, b"\xff\xfe", b'{"name": "x", "interfaces": 7}',
    b'{"name": "x", "profile": "", "uuid": "", "install": "never", "interfaces": [], "virt": {}}',
    *(b'{"name": "x", "profile": "", "uuid": "", "install": "local", "interfaces": [], "virt": %s}' % virt for virt in (
        b"7", b'{"disks": [7]}', b'{"ram": "1\\nbootloader = \\"/bin/sh\\""}', b'{"cpus": -1}', b'{"ram": true}',
        b'{"path": "a\\nb"}', b'{"bridge": "a b"}', b'{"type": "a\\nb"}', b'{"disks": [{"size": 1, "path": "a\\nb", "driver": "raw"}]}',
    )),
    *(b'{"name": "x", "profile": "", "uuid": "%s", "install": "local", "interfaces": [%s], "virt": {}}' % pair for pair in (
        (b"z", b""), (b"", b'{"name": "a", "mac": "z"}'), (b"", b"7"), (b"", b'{"name": "a b", "mac": null, "ip": null}'),
    )),
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_what_no_netprov_says(body: bytes) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Not on the tests' output."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            there = RemoteSite(f"http://127.0.0.1:{server.server_port}", "t")
            with pytest.raises(PeerError):
                there.system("x")
            for ask in (there.standing, there.news, there.verdicts):
                try:
                    ask(Target("system", "x"))
                except PeerError:
                    continue
        finally:
            server.shutdown()
            thread.join()
