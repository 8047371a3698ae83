"""A `netprov serve` of its own for a test, on free ports of the loopback interface."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.world import PATIENCE, free_ports, put, until

CONFIG = """\
server: {{address: 127.0.0.1, state: state, interfaces: [lo]}}
dhcp: {{mode: full, port: {dhcp}, proxy_port: {proxy}, subnets: [{{subnet: 127.0.0.0/8}}]}}
tftp: {{root: root, port: {tftp}}}
http: {{port: {http}}}
inventory: inventory.yaml
"""
INVENTORY = """\
distros: {d: {kernel: vmlinuz, initrd: [initrd], breed: redhat, os_version: "9", tree: "http://127.0.0.1/t"}}
profiles: {web: {distro: d, autoinstall: default.ks}}
systems:
  lady:
    profile: web
    install: install-once
    interfaces: {eth0: {mac: "52:54:00:00:00:01"}}
"""


@dataclass
class Server:
    folder: Path
    process: subprocess.Popen
    ports: dict

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def wait_log(self, pattern: str, count: int = 1) -> None:
        def said() -> bool:
            assert self.process.poll() is None, f"the server ended:\n{self.log}"
            return len(re.findall(pattern, self.log)) >= count

        until(said, lambda: f"no {pattern!r} in the log:\n{self.log}")

    @property
    def generation(self) -> int:
        """The newest that it has told of."""
        return max(map(int, re.findall(r"generation (\d+): ", self.log)), default=1)

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def edit(self, text: str) -> None:
        fresh = self.folder / "inventory.yaml.new"
        fresh.write_text(text)
        fresh.rename(self.folder / "inventory.yaml")

    def cli(self, *arguments: str) -> subprocess.CompletedProcess:
        return netprov(self.folder, *arguments)


def netprov(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "netprov", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)


def folder_of(path: Path, inventory: str = INVENTORY) -> dict:
    ports = dict(zip(("dhcp", "proxy", "tftp", "http"), free_ports(4), strict=True))
    put(path / "root", {"vmlinuz": b"kernel" * 1000, "initrd": b"initrd" * 1000}, {})
    (path / "netprov.yaml").write_text(CONFIG.format(**ports))
    (path / "inventory.yaml").write_text(inventory)
    return ports


@contextlib.contextmanager
def serving(path: Path, inventory: str = INVENTORY):
    folder_of(path, inventory)
    with started(path) as server:
        yield server


@contextlib.contextmanager
def started(path: Path, *arguments: str):
    """A server on what is in the folder `path`."""
    config = (path / "netprov.yaml").read_text()
    ports = {name: int(re.search(rf"{name}: {{.*?port: (\d+)", config)[1]) for name in ("dhcp", "tftp", "http")}
    with (path / "log").open("wb") as log:
        command = [sys.executable, "-m", "netprov", "serve", *arguments]
        process = subprocess.Popen(command, cwd=path, stdout=log, stderr=log, start_new_session=True)
    server = Server(path, process, ports)
    try:
        server.wait_log("netprov: serves |serves DHCP")
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
