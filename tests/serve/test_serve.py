"""`netprov serve` as a whole: it starts, takes edits, survives its workers' deaths, stops."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from netprov.tftp.client import NotFoundError
from netprov.tftp.fetch import fetch

from ..world import PATIENCE, until
from .conftest import INVENTORY, folder_of, netprov, serving

LOOPBACK = "127.0.0.1"


SERVED = (
    INVENTORY
    + """\
  tramp: {profile: web, install: install-once, interfaces: {eth0: {mac: "52:54:00:00:00:02"}}}
  trusty: {profile: web, install: install-once, interfaces: {eth0: {mac: "52:54:00:00:00:03"}}}
"""
)
LADY, TRAMP, TRUSTY, DUKE = (f"52-54-00-00-00-0{n}" for n in range(1, 5))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all tests that leave it running. Each has a machine of its own, and ends with what is in SERVED."""
    with serving(tmp_path_factory.mktemp("served"), SERVED) as running:
        yield running


def get(server, path):
    connection = http.client.HTTPConnection("127.0.0.1", server.ports["http"], timeout=PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def script(server, mac=LADY):
    return fetch(LOOPBACK, f"pxelinux.cfg/01-{mac}", port=server.ports["tftp"]).decode()


def test_serves_files_and_scripts_by_tftp_and_http(server):
    assert fetch(LOOPBACK, "vmlinuz", port=server.ports["tftp"]) == b"kernel" * 1000
    assert "vmlinuz" in script(server)
    assert get(server, "/files/initrd") == (200, b"initrd" * 1000)
    status, body = get(server, "/ipxe/52-54-00-00-00-01")
    assert status == 200
    assert body.startswith(b"#!ipxe")
    with pytest.raises(NotFoundError):
        script(server, "02-00-00-00-00-09")


def test_a_script_that_starts_an_install_is_in_the_timeline_and_the_state(server):
    script(server, TRAMP)
    until(lambda: "tramp" in json.dumps(json.loads(server.cli("timeline", "tramp", "--json").stdout or "[]")))
    assert "was sent its installer" in server.cli("system", "status", "tramp").stdout
    shown = server.cli("system", "local", "tramp")
    assert shown.stdout == "tramp boots its own disk\n"
    assert "LOCALBOOT" in script(server, TRAMP).upper()


def test_an_operators_edit_serves_at_once(server):
    before = server.generation
    server.edit(SERVED + '  duke: {profile: web, interfaces: {eth0: {mac: "52:54:00:00:00:04"}}}\n')
    server.wait_log(f"generation {before + 1}: 4 systems")
    until(lambda: _known(server, DUKE))  # the worker swaps a moment after the supervisor has said so
    assert "LOCALBOOT" in script(server, DUKE).upper()
    server.edit(SERVED)
    server.wait_log(f"generation {before + 2}: 3 systems")


def _known(server, mac):
    try:
        return script(server, mac)
    except NotFoundError:
        return None


def test_s5_a_bad_edit_keeps_the_generation_before_and_says_so(server):
    before = server.generation
    server.edit(SERVED.replace("profile: web", "profile: wbe"))
    server.wait_log(f"refused: generation {before} goes on serving")
    assert "wbe" in server.log
    assert "web" in server.log  # the nearest name
    assert "vmlinuz" in script(server, TRUSTY)
    until(lambda: "inventory-refused" in server.cli("check", "--json").stdout, lambda: server.cli("check").stdout)
    server.edit(SERVED)
    server.wait_log(f"generation {before + 1}: 3 systems")


def test_sighup_reloads(server):
    before = server.generation
    server.process.send_signal(signal.SIGHUP)
    server.wait_log(f"generation {before + 1}: ")


def test_every_worker_that_is_killed_is_back(server):
    workers = server.workers()
    assert len(workers) == 4
    for number, pid in enumerate(workers, 1):
        os.kill(pid, signal.SIGKILL)
        server.wait_log("SIGKILL; it is started again", number)
    until(lambda: len(server.workers()) == 4)
    assert fetch(LOOPBACK, "vmlinuz", port=server.ports["tftp"]) == b"kernel" * 1000
    assert get(server, "/healthz")[0] == 200


def test_no_worker_outlives_a_killed_supervisor(tmp_path):
    with serving(tmp_path) as server:
        workers = server.workers()
        server.process.kill()
        server.process.wait()
    until(lambda: not any(map(_runs, workers)), lambda: f"of the workers {workers} some go on")


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly(tmp_path, number):
    with serving(tmp_path) as server:
        workers = server.workers()
        server.process.send_signal(number)
        assert server.process.wait(PATIENCE) == 0
        assert not [pid for pid in workers if _runs(pid)]
        assert "Traceback" not in server.log


def test_s4_a_second_server_on_the_same_state_is_refused(server):
    shown = netprov(server.folder, "serve")
    assert shown.returncode == 1
    assert f"another netprov server (process {server.process.pid}) uses this state" in shown.stderr


@pytest.mark.parametrize(
    ("kind", "port", "text"),
    [
        (socket.SOCK_STREAM, "http", "TCP port {} is in use"),
        (socket.SOCK_DGRAM, "tftp", "UDP port {} is in use"),
    ],
)
def test_a_port_in_use_is_named(tmp_path, kind, port, text):
    ports = folder_of(tmp_path)
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", ports[port]))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        shown = netprov(tmp_path, "serve")
    assert shown.returncode == 1
    assert text.format(ports[port]) in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("address: 127.0.0.1", "address: localhost", "field address: 'localhost' is not an IPv4 address"),
        ("interfaces: [lo]", "interfaces: [nosuch0]", "no interface nosuch0"),
        ("interfaces: [lo]", "interfaces: [lo], user: nobodysuch", "no user nobodysuch"),
        ("mode: full", "mode: ful", "full"),
    ],
)
def test_a_bad_configuration_is_refused_with_what_to_do(tmp_path, before, after, text):
    folder_of(tmp_path)
    config = tmp_path / "netprov.yaml"
    config.write_text(config.read_text().replace(before, after))
    shown = netprov(tmp_path, "serve")
    assert shown.returncode == 1
    assert text in shown.stderr
    assert "Traceback" not in shown.stderr


def test_an_empty_configuration_serves(tmp_path):
    """Every key has a default; only the ports and the state are moved, for the test not to need root."""
    ports = folder_of(tmp_path)
    (tmp_path / "netprov.yaml").write_text(
        "server: {state: state}\ndhcp: {mode: 'off'}\n"
        f"tftp: {{port: {ports['tftp']}}}\nhttp: {{port: {ports['http']}}}\n"
    )
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen([sys.executable, "-m", "netprov", "serve"], cwd=tmp_path, stdout=log, stderr=log)
    try:
        until(lambda: process.poll() is not None or b"serves" in (tmp_path / "log").read_bytes())
        assert process.poll() is None, (tmp_path / "log").read_text()
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0
        log.close()
