"""TFTP side by side: netprov and the servers that are installed here, CPU a block and MB/s.

    python bench/tftp.py [--clients 64] [--size MIB] [--rounds 3]

Each server serves one file on loopback to clients of tftpload.c (compiled on the way; needs gcc). CPU is that of the
server and its children. Rounds are interleaved and the median is printed, with the ratio to netprov: wall time on a
shared machine varies by a factor of two, CPU a block is the figure to trust.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")
BLKSIZE = 1408


@dataclass(frozen=True)
class Case:
    name: str
    windowsize: int
    clients: int
    fetches: int


@dataclass(frozen=True)
class Result:
    cpu_us: float  # server CPU a block
    mbps: float
    failed: int


def netprov(root: Path, port: int) -> list[str]:
    return [sys.executable, str(HERE / "tftp_serve.py"), str(root), str(port)]


def tftpd_hpa(root: Path, port: int) -> list[str]:
    return ["in.tftpd", "-L", "-a", f"127.0.0.1:{port}", "-s", str(root)]


def atftpd(root: Path, port: int) -> list[str]:
    return ["atftpd", "--daemon", "--no-fork", "--port", str(port), "--bind-address", "127.0.0.1", str(root)]


def dnsmasq(root: Path, port: int) -> list[str]:
    return ["dnsmasq", "-k", "-C", "/dev/null", "-p0", "--enable-tftp", f"--tftp-root={root}", "--tftp-max=2000",
            "--listen-address=127.0.0.1", "--bind-interfaces", "-u", "root", "--log-facility=/dev/null"]  # fmt: skip


SERVERS: dict[str, Callable[[Path, int], list[str]]] = {
    "netprov": netprov,
    "in.tftpd": tftpd_hpa,
    "atftpd": atftpd,
    "dnsmasq": dnsmasq,  # has no option for its port
}
FIXED_PORT = {"dnsmasq": 69}


def cpu_seconds(pid: int) -> float:
    """User and system time of `pid` and its children, dead and alive."""
    total = 0.0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = entry.read_text().rsplit(")", 1)[1].split()
            if int(entry.parent.name) == pid:
                total += sum(map(int, fields[11:15])) / TICK
            elif int(fields[1]) == pid:
                total += sum(map(int, fields[11:13])) / TICK
    return total


@contextlib.contextmanager
def running(name: str, root: Path) -> Iterator[tuple[int, int]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = FIXED_PORT.get(name, probe.getsockname()[1])
    process = subprocess.Popen(SERVERS[name](root, port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1.0)
        yield process.pid, port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def measure(load: Path, name: str, case: Case, root: Path) -> Result:
    with running(name, root) as (pid, port):
        command = [str(load), "-j", "-p", str(port), "-f", "file", "-V", str(root / "file"), "-b", str(BLKSIZE), "-n",
                   str(case.fetches), "-c", str(case.clients), "-w", str(case.windowsize), "-m", "30",
                   "127.0.0.1"]  # fmt: skip
        before = cpu_seconds(pid)
        report = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
        spent = cpu_seconds(pid) - before
        return Result(spent / max(1, report["blocks"]) * 1e6, report["mbps"], report["failed"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--size", type=float, default=4, help="MiB of the file")
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    present = [name for name in SERVERS if name == "netprov" or shutil.which(name)]
    cases = [
        Case("one client, lock-step", 1, 1, 4),
        Case(f"{wanted.clients} clients, lock-step", 1, wanted.clients, wanted.clients),
        Case(f"{wanted.clients} clients, window 16", 16, wanted.clients, wanted.clients),
    ]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        (root / "file").write_bytes(os.urandom(int(wanted.size * (1 << 20))))
        (root / "file").chmod(0o644)
        load = root / "tftpload"
        subprocess.run(["gcc", "-O2", "-o", str(load), str(HERE / "tftpload.c")], check=True)
        for case in cases:
            results: dict[str, list[Result]] = {name: [] for name in present}
            for _ in range(wanted.rounds):
                for name in present:
                    results[name].append(measure(load, name, case, root))
            show(case, results)


def show(case: Case, results: dict[str, list[Result]]) -> None:
    print(f"\n{case.name}, blksize {BLKSIZE}")
    ours = statistics.median(result.cpu_us for result in results["netprov"])
    for name, rounds in results.items():
        cpu = statistics.median(result.cpu_us for result in rounds)
        speed = statistics.median(result.mbps for result in rounds)
        failed = sum(result.failed for result in rounds)
        lost = f"  {failed} fetches failed" if failed else ""
        print(f"  {name:10} {cpu:7.2f} us CPU a block ({cpu / ours:5.2f} x netprov)  {speed:7.1f} MB/s{lost}")


if __name__ == "__main__":
    main()
