"""Webhooks and installers' logs of a whole `netprov serve`, on loopback."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from netprov.tftp.client import NotFoundError
from netprov.tftp.fetch import fetch
from tests.notify.receivers import Receiver, receiving, status
from tests.serve.conftest import Server, folder_of, started
from tests.world import PATIENCE, free_ports, until

pytestmark = pytest.mark.e2e  # a server of its own for each


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder_of(tmp_path)
    return tmp_path


def declare(folder: Path, port: int, events: str = "[install]", syslog: int = 0) -> None:
    """One webhook, to a port of loopback."""
    path = folder / "netprov.yaml"
    hook = f"webhooks: {{ops: {{url: 'http://127.0.0.1:{port}/', timeout: 2, events: {events}}}}}"
    text = re.sub(r", webhooks: \{.*?\}\}", "", path.read_text())
    text = text.replace("interfaces: [lo]", f"interfaces: [lo], {hook}")
    path.write_text(text + (f"syslog: {{enabled: true, port: {syslog}}}\n" if syslog else ""))


def script(server: Server) -> None:
    fetch("127.0.0.1", "pxelinux.cfg/01-52-54-00-00-00-01", port=server.ports["tftp"])


def states(receiver: Receiver) -> list[str]:
    return [told["data"]["state"] for told in receiver.taken if told["type"] == "install"]


def metric(server: Server, name: str) -> float:
    with urlopen(f"http://127.0.0.1:{server.ports['http']}/metrics", timeout=PATIENCE) as answer:
        found = re.search(rf"^{re.escape(name)} ([\d.]+)", answer.read().decode(), re.MULTILINE)
    assert found is not None, name
    return float(found[1])


def test_a_state_is_told_and_a_killed_worker_goes_on(folder: Path) -> None:
    with receiving(status(200)) as ops:
        declare(folder, ops.port)
        with started(folder) as server:
            workers = server.workers()
            assert len(workers) == 5
            script(server)
            until(lambda: states(ops) == ["booting"], lambda: server.log)
            os.kill(workers[-1], signal.SIGKILL)
            server.cli("system", "failed", "lady")
            server.wait_log("the notify worker ended by signal SIGKILL; it is started again")
            server.cli("system", "install", "lady")
            until(lambda: states(ops) == ["booting", "failed", "armed"], lambda: f"{states(ops)} {server.log}")
            assert ops.taken[0]["data"]["url"] == f"http://127.0.0.1:{server.ports['http']}/machines/lady"


def test_a_receiver_that_is_away_while_the_server_is_started_again(folder: Path) -> None:
    (port,) = free_ports(1)
    declare(folder, port)
    with started(folder) as server:
        script(server)
        server.wait_log("webhook ops does not accept messages: Connection refused")
        shown = server.cli("status")
        assert "! webhook ops has accepted nothing for 0 min: Connection refused; 1 message waits" in shown.stdout
        assert json.loads(server.cli("status", "--json").stdout)
        assert metric(server, 'netprov_webhook_failing{hook="ops"}') == 1
        assert metric(server, 'netprov_events_total{kind="webhook",reason="webhook-failed"}') == 1
        assert fetch("127.0.0.1", "vmlinuz", port=server.ports["tftp"])
    with receiving(status(200)) as ops:
        declare(folder, ops.port)
        with started(folder) as server:
            until(lambda: states(ops) == ["booting"], lambda: server.log)
            server.wait_log("webhook ops accepts messages again")
            until(lambda: metric(server, 'netprov_webhook_failing{hook="ops"}') == 0)
            assert metric(server, 'netprov_webhook_messages_total{hook="ops",outcome="delivered"}') == 1
            assert "webhook" not in server.cli("status").stdout


def test_a_verdict_is_told_once_also_across_a_restart(folder: Path) -> None:
    kernel = folder / "root" / "vmlinuz"
    with receiving(status(200)) as ops:
        declare(folder, ops.port, "[verdict]")
        with started(folder) as server:
            kernel.rename(kernel.with_name("elsewhere"))
            script(server)
            with pytest.raises(NotFoundError):
                fetch("127.0.0.1", "vmlinuz", port=server.ports["tftp"])
            kernel.with_name("elsewhere").rename(kernel)
            until(lambda: ops.requests, lambda: server.log + server.cli("timeline", "lady").stdout)
            (told,) = ops.taken
            assert told["type"] == "verdict"
            assert told["data"]["system"] == "lady"
            assert told["data"]["severity"] == "error"
            assert "vmlinuz" in told["data"]["text"] + told["data"]["advice"]
            (boot,) = json.loads(server.cli("timeline", "lady", "--json").stdout)
            assert told["data"]["reason"] in {verdict["id"] for verdict in boot["verdicts"]}
            assert told["data"]["boot"] == f"{boot['machine']}/{boot['boot']}"
        with started(folder):
            time.sleep(3.0)
        assert len(ops.requests) == 1


def test_the_server_tells_of_itself(folder: Path) -> None:
    with receiving(status(200)) as ops:
        declare(folder, ops.port, "[server]")
        with started(folder) as server:
            server.edit("systems: {lady: {profile: nothing}}\n")
            until(lambda: "inventory-refused" in {told["data"]["reason"] for told in ops.taken}, lambda: server.log)


def test_the_first_webhook_needs_a_restart_and_is_told_so(folder: Path) -> None:
    with started(folder) as server:
        declare(folder, 9)
        server.process.send_signal(signal.SIGHUP)
        server.wait_log("takes effect only after a restart: server.webhooks, the first")


def test_installers_lines_stand_in_the_timeline(folder: Path) -> None:
    (port,) = free_ports(1)
    declare(folder, 9, syslog=port)
    with started(folder, "--log-format", "json") as server:
        script(server)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for n in range(8):
                sock.sendto(b"<27>Nov 23 15:00:01 anaconda[1]: line %d" % n, ("127.0.0.1", port))
        until(lambda: "line 7" in server.cli("timeline", "lady").stdout, lambda: server.log)
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(b"<28>Nov 23 15:00:01 lady dracut: over TCP\n")
        until(lambda: "over TCP" in server.cli("timeline", "lady").stdout, lambda: server.log)
        shown = server.cli("timeline", "lady").stdout
        assert "its own log  the last 5 of 9 lines; -v shows all" in shown
        assert "anaconda: line 7" in shown
        assert "anaconda: line 1" not in shown
        everything = server.cli("timeline", "lady", "-v").stdout
        assert "anaconda: line 1" in everything
        assert "its own log" not in everything
        (boot,) = json.loads(server.cli("timeline", "lady", "--json").stdout)
        lines = [event for event in boot["events"] if event["kind"] == "syslog.line"]
        assert [event["text"] for event in lines] == [*(f"anaconda: line {n}" for n in range(8)), "dracut: over TCP"]
        assert lines[0]["detail"] == {"severity": "err", "facility": "daemon"}
        assert f"inst.syslog=127.0.0.1:{port}" in server.cli("render", "args", "lady", "--armed").stdout
        logged = [json.loads(line) for line in server.log.splitlines()]
        told = [line for line in logged if line["reason"] == "syslog-line"]
        assert {line["boot"] for line in told} == {"52:54:00:00:00:01/1"}


def test_a_port_of_syslog_that_is_taken(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with (folder / "netprov.yaml").open("a") as file:
            file.write(f"syslog: {{enabled: true, port: {taken.getsockname()[1]}}}\n")
        done = subprocess.run(
            [sys.executable, "-m", "netprov", "serve"], cwd=folder, capture_output=True, text=True, timeout=PATIENCE,
            check=False,
        )  # fmt: skip
    assert done.returncode != 0
    assert "syslog.port" in done.stderr
    assert "is in use" in done.stderr
