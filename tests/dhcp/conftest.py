from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{HERE.parents[1]}:{HERE}"}


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Wire:
    """A server's namespace and a client's, joined by a veth pair: srv0 10.77.0.1/16 and cli0."""

    def __init__(self, name: str) -> None:
        self.server, self.client = f"{name}s", f"{name}c"
        self.processes: list[subprocess.Popen[Any]] = []

    def up(self) -> None:
        ip("netns", "add", self.server)
        ip("netns", "add", self.client)
        ip("link", "add", "srv0", "netns", self.server, "type", "veth", "peer", "name", "cli0", "netns", self.client)
        ip("-n", self.server, "addr", "add", "10.77.0.1/16", "dev", "srv0")
        ip("-n", self.client, "link", "set", "cli0", "address", "02:00:00:77:00:50")
        for space, device in ((self.server, "srv0"), (self.client, "cli0"), (self.server, "lo"), (self.client, "lo")):
            ip("-n", space, "link", "set", device, "up")

    def down(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        for space in (self.server, self.client):
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)

    def serve(self, state: Path, **settings: Any) -> Served:
        """A running server; `settings` as serve_dhcp.py takes them."""
        command = ["ip", "netns", "exec", self.server, sys.executable, str(HERE / "serve_dhcp.py")]
        command += [str(state), json.dumps(settings)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        self.processes.append(process)
        served = Served(process)
        assert served.line() == "ready"
        return served

    def run(self, *command: str, timeout: float = 40) -> subprocess.CompletedProcess[str]:
        """Runs a client to its end."""
        words = ["ip", "netns", "exec", self.client, *command]
        return subprocess.run(words, capture_output=True, text=True, timeout=timeout, env=ENVIRONMENT, check=False)

    def start(self, *command: str) -> subprocess.Popen[Any]:
        """A client that runs beside the test."""
        words = ["ip", "netns", "exec", self.client, *command]
        self.processes.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT))
        return self.processes[-1]

    def python(self, code: str, timeout: float = 40) -> str:
        """What Python code run beside the client prints."""
        done = self.run(sys.executable, "-c", code, timeout=timeout)
        assert done.returncode == 0, done.stderr
        return done.stdout


class Served:
    def __init__(self, process: subprocess.Popen[Any]) -> None:
        self.process = process

    def line(self) -> str:
        assert self.process.stdout is not None
        return str(self.process.stdout.readline()).strip()

    def events(self) -> list[dict[str, Any]]:
        """Ends the server; the events it told."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.stdout is not None
        lines = self.process.stdout.read().splitlines()
        assert self.process.wait(10) == 0
        return [json.loads(line) for line in lines]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def wire() -> Iterator[Wire]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces want root")
    wire = Wire(f"npd{os.getpid()}")
    try:
        wire.up()
        yield wire
    finally:
        wire.down()
