#!/usr/bin/env python3
"""DHCP side by side: exchanges per second, latency and server CPU, in namespaces of its own (root).

    bench/dhcp.py [--exchanges N] [--in-flight N] [--rounds N] [netprov dnsmasq kea isc …]

Prints medians of interleaved rounds. The wall clock of a shared machine varies by a factor of two: the server's CPU
time per exchange is the figure to trust. Every server writes its leases to the disk as it does by default.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
RANGE = ("10.77.8.0", "10.77.250.255")

NETPROV = f"""
import signal, sys
sys.path.insert(0, {str(HERE.parent)!r})
from ipaddress import IPv4Address as A, IPv4Network
from netprov.dhcp.bind import bind
from netprov.dhcp.loop import DhcpWorker
from netprov.inventory.model import *
from netprov.state.state import open_state
span = Range(A("{RANGE[0]}"), A("{RANGE[1]}"))
net = Subnet(IPv4Network("10.77.0.0/16"), (span,), (A("10.77.0.1"),), (A("10.77.0.1"),))
inventory = Inventory(settings=Settings(dhcp=DhcpSettings(mode=DhcpMode.FULL)), subnets=(net,))
worker = DhcpWorker(bind(inventory.settings), inventory, open_state(sys.argv[1]), lambda event: None)
signal.signal(signal.SIGTERM, lambda *_: worker.stop())
worker.run()
"""

KEA = """{"Dhcp4": {"interfaces-config": {"interfaces": ["srv0"]}, "valid-lifetime": 3600,
"lease-database": {"type": "memfile", "persist": true, "name": "%s/leases.csv", "lfc-interval": 0},
"subnet4": [{"id": 1, "subnet": "10.77.0.0/16", "pools": [{"pool": "%s - %s"}]}]}}"""

ISC = "authoritative; default-lease-time 3600; subnet 10.77.0.0 netmask 255.255.0.0 { range %s %s; }\n"


def netprov(folder: Path) -> list[str]:
    return [sys.executable, "-c", NETPROV, str(folder)]


def dnsmasq(folder: Path) -> list[str]:
    lease = f"--dhcp-leasefile={folder}/leases"
    limits = ["--dhcp-lease-max=100000", "--no-ping", "--dhcp-authoritative", "--pid-file="]
    return ["dnsmasq", "-k", "-p", "0", "-C", "/dev/null", "--user=root", lease, *limits,
            f"--dhcp-range={RANGE[0]},{RANGE[1]},255.255.0.0,1h"]  # fmt: skip


def kea(folder: Path) -> list[str]:
    (folder / "kea.json").write_text(KEA % (folder, *RANGE))
    os.environ.update(KEA_PIDFILE_DIR=str(folder), KEA_LOCKFILE_DIR=str(folder))
    return ["kea-dhcp4", "-c", str(folder / "kea.json")]


def isc(folder: Path) -> list[str]:
    (folder / "dhcpd.conf").write_text(ISC % RANGE)
    (folder / "leases").touch()
    files = ["-cf", str(folder / "dhcpd.conf"), "-lf", str(folder / "leases"), "-pf", str(folder / "pid")]
    return ["dhcpd", "-4", "-f", "-q", *files, "srv0"]


SERVERS: dict[str, tuple[str, Callable[[Path], list[str]]]] = {
    "netprov": (sys.executable, netprov),
    "dnsmasq": ("dnsmasq", dnsmasq),
    "kea": ("kea-dhcp4", kea),
    "isc": ("dhcpd", isc),
}


class Wire:
    """Two namespaces joined by a veth pair."""

    def __init__(self) -> None:
        self.server, self.client = f"npbs{os.getpid()}", f"npbc{os.getpid()}"

    def __enter__(self) -> Wire:
        for words in (
            ("netns", "add", self.server),
            ("netns", "add", self.client),
            ("link", "add", "srv0", "netns", self.server, "type", "veth", "peer", "name", "cli0", "netns", self.client),
            ("-n", self.server, "addr", "add", "10.77.0.1/16", "dev", "srv0"),
            ("-n", self.client, "addr", "add", "10.77.0.2/16", "dev", "cli0"),
            ("-n", self.server, "link", "set", "srv0", "up"),
            ("-n", self.client, "link", "set", "cli0", "up"),
        ):
            subprocess.run(["ip", *words], check=True)
        return self

    def __exit__(self, *_: object) -> None:
        for space in (self.server, self.client):
            subprocess.run(["ip", "netns", "del", space], check=False)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(wire: Wire, load: Path, name: str, exchanges: int, in_flight: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="npbench") as folder:
        command = ["ip", "netns", "exec", wire.server, *SERVERS[name][1](Path(folder))]
        quiet = subprocess.DEVNULL
        server = subprocess.Popen(command, stdout=quiet, stderr=quiet)
        try:
            time.sleep(2)
            before = cpu_seconds(server.pid)
            words = [str(load), "-c", str(in_flight), "-n", str(exchanges), "-P", "10.77.0.2", "10.77.0.1"]
            done = subprocess.run(["ip", "netns", "exec", wire.client, *words], capture_output=True, check=True)
            result: dict[str, float] = json.loads(done.stdout)
            result["cpu_us"] = (cpu_seconds(server.pid) - before) * 1e6 / max(1, result["ok"])
            return result
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("servers", nargs="*", choices=[*SERVERS, []])
    parser.add_argument("--exchanges", type=int, default=10_000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    names = [n for n in options.servers or SERVERS if shutil.which(SERVERS[n][0])]
    with tempfile.TemporaryDirectory(prefix="npbench") as folder, Wire() as wire:
        load = Path(folder) / "dhcpload"
        subprocess.run(["gcc", "-O2", "-o", load, HERE / "dhcpload.c"], check=True)
        results: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        for _ in range(options.rounds):
            for name in names:
                results[name].append(measure(wire, load, name, options.exchanges, options.in_flight))
    print(f"{options.exchanges} exchanges, {options.in_flight} in flight, median of {options.rounds}")
    print(f"{'server':10}{'exch/s':>9}{'CPU us':>9}{'p50 ms':>9}{'p99 ms':>9}{'lost':>8}")
    for name, rows in results.items():
        mid = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
        print(
            f"{name:10}{mid['exch_s']:9.0f}{mid['cpu_us']:9.1f}{mid['p50_ms']:9.2f}{mid['p99_ms']:9.2f}{mid['lost']:8.0f}"
        )  # fmt: skip


if __name__ == "__main__":
    main()
