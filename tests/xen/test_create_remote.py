# ruff: noqa: E501 - tables: a row a line
"""netprov domu create --server: the inventory, the install and the timeline are those of a netprov elsewhere."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import fakes
import pytest
from click.testing import CliRunner, Result

from netprov.boot.install import Done, Fetched, InstallState
from netprov.cli.domu import domu
from netprov.errors import PeerError
from netprov.inventory.model import Target, Value
from netprov.web.credentials import new_token
from netprov.xen.create import install
from netprov.xen.create.remote import RemoteSite
from tests.web.web_world import ACCESS, LADY, OPERATE_TOKEN, READ_TOKEN, Site, serving

NO_EDIT_TOKEN, NO_EDIT_HASH = new_token()
TOKENS = f"""\
    dom0: {{hash: "{NO_EDIT_HASH}", scopes: [read, operate]}}
"""
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
    made = Site(tmp_path / "elsewhere", access=ACCESS + TOKENS, systems=SYSTEM.replace("FOLDER", str(tmp_path)))
    yield made
    made.close()


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    with serving(site) as url:
        yield url


def run(folder: Path, url: str, *words: str, token: str = OPERATE_TOKEN) -> Result:
    command = ["create", *words, "--server", url, "-o", str(folder / "domu.cfg"), "--bootloader", "true"]
    return CliRunner().invoke(domu, command, env={"NETPROV_TOKEN": token})


def state(site: Site, name: str = "lady") -> InstallState | None:
    record = site.state.installs.get(name)
    return record.state if record is not None else None


@pytest.fixture
def installer(site: Site, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Installs the domU of the name, once it runs."""
    threads = []

    def install(name: str) -> None:
        deadline = time.monotonic() + 20
        while name not in (tmp_path / "tools" / "domains").read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        target = site.inventory.system(name)
        record = site.state.installs.get(name)
        assert record is not None
        for event in (Fetched(record.token), Done(record.token)):
            site.state.installs.apply({name: target}, event, time.time())

    def start(name: str) -> None:
        threads.append(threading.Thread(target=install, args=(name,)))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join()


def test_the_whole_way(site: Site, url: str, tmp_path: Path, installer: Callable[[str], None]) -> None:
    installer("lady")
    done = run(tmp_path, url, "lady")
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


def of_profile(folder: Path, *more: str) -> list[str]:
    return ["web", "--name", "new", "--type", "pvh", "--size", "3M", "--disk", str(folder / "images/new"), *more]


def test_of_a_profile(site: Site, url: str, tmp_path: Path, installer: Callable[[str], None]) -> None:
    before = (site.folder / "netprov.yaml").read_text()
    installer("new")
    done = run(tmp_path, url, *of_profile(tmp_path, "--ram", "600"))
    assert done.exit_code == 0, done.output
    line = before.rstrip().count("\n") + 2
    assert f"declared new at {url}, in netprov.yaml:{line}\n" in done.output
    made = site.newest().inventory.system("new")
    assert (made.profile, made.virt.type, made.virt.ram) == ("web", "xenpvh", 600)
    assert [(disk.path, disk.size) for disk in made.virt.disks] == [(str(tmp_path / "images/new"), 3 << 20)]
    (interface,) = made.interfaces
    assert f"mac={interface.mac}" in (tmp_path / "domu.cfg").read_text()
    assert 'bootloader = "pygrub"' in (tmp_path / "domu.cfg").read_text()
    assert state(site, "new") is InstallState.INSTALLED


def test_of_a_profile_undone_there_too(site: Site, url: str, tmp_path: Path) -> None:
    before = (site.folder / "netprov.yaml").read_bytes()
    (tmp_path / "tools" / "refuses").write_text("libxl: error: no\n")
    got = run(tmp_path, url, *of_profile(tmp_path))
    assert got.exit_code == 1
    assert "declared new" in got.output
    assert "could not be undone" not in got.output
    assert (site.folder / "netprov.yaml").read_bytes() == before
    assert state(site, "new") is InstallState.LOCAL
    assert not (tmp_path / "images").exists()
    assert not (tmp_path / "domu.cfg").exists()


@pytest.mark.parametrize("whose", ["ours", "another's", "nobody's"])
def test_the_answer_is_lost(site: Site, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whose: str) -> None:
    """It is declared there, or not: what is ours is removed."""
    declare = RemoteSite.declare

    def lost(self: RemoteSite, name: str, fields: Mapping[str, Value]) -> str:
        if whose == "another's":
            declare(self, name, {"profile": "db", "interfaces": {"eth0": {"mac": "52:54:00:00:00:77"}}})
        elif whose == "ours":
            declare(self, name, fields)
        raise PeerError("does not answer: timed out")

    monkeypatch.setattr(RemoteSite, "declare", lost)
    before = (site.folder / "netprov.yaml").read_bytes()
    got = run(tmp_path, url, *of_profile(tmp_path))
    assert (got.exit_code, "timed out" in got.output, "could not be undone" in got.output) == (1, True, False)
    if whose == "another's":
        assert site.newest().inventory.system("new").profile == "db"
    else:
        assert (site.folder / "netprov.yaml").read_bytes() == before


REFUSALS = {
    "nobody": (("ladi",), OPERATE_TOKEN, "no system or profile 'ladi' is declared there"),
    "a profile, no name": (("web",), OPERATE_TOKEN, "web is a profile: give the new domU a name"),
    "a profile, name taken": (("web", "--name", "lady"), OPERATE_TOKEN, "a system lady is declared already"),
    "a profile, mac taken": (("web", "--name", "x", "--mac", LADY), OPERATE_TOKEN, "is declared already: it is lady"),
    "a token that may not add": (("web", "--name", "x"), NO_EDIT_TOKEN, "dom0 may not edit here"),
    "no token": (("lady",), "", ": give --token, or set NETPROV_TOKEN"),
    "a wrong token": (("lady",), "x", "a token that is declared"),
    "a token that only reads": (("lady",), READ_TOKEN, "watcher may not operate here"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refuses(site: Site, url: str, tmp_path: Path, name: str) -> None:
    words, token, error = REFUSALS[name]
    before = (site.folder / "netprov.yaml").read_bytes()
    got = run(tmp_path, url, *words, token=token)
    assert got.exit_code == 1
    assert error in got.output
    assert (site.folder / "netprov.yaml").read_bytes() == before
    assert state(site) is None
    assert not (tmp_path / "images").exists()
    assert not (tmp_path / "domu.cfg").exists()


def test_dry_run(site: Site, url: str, tmp_path: Path) -> None:
    got = run(tmp_path, url, "lady", "--dry-run")
    assert got.exit_code == 0, got.output
    assert f"arm the install of lady ({url})" in got.output
    got = run(tmp_path, url, *of_profile(tmp_path, "--dry-run"))
    assert got.exit_code == 0, got.output
    assert f"declare at {url}:\n    systems:\n      new:\n        profile: web\n" in got.output
    assert state(site) is None
    assert site.newest().inventory.system("new") is None


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
