"""Start, size and decision times of netprov, printed: python bench/size.py

Numbers of this machine at this moment: compare runs of one session only.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
import timeit
from pathlib import Path

from netprov.boot.decide import decide
from netprov.boot.request import BootRequest, Loader, Via
from netprov.boot.state import BootState
from netprov.inventory.load import load

CONFIG = """\
server: {state: state, address: 127.0.0.1, interfaces: [lo]}
dhcp: {mode: full, port: 47067, proxy_port: 47411, subnets: [{subnet: 10.0.0.0/8, range: 10.200.0.1-10.200.1.0}]}
tftp: {root: ., port: 47069}
http: {port: 47080}
distros: {d: {kernel: k, initrd: [k], breed: redhat, os_version: "9", tree: "http://127.0.0.1/t"}}
profiles: {web: {distro: d, install: install-once}}
systems:
"""


def folder(path: Path, systems: int) -> Path:
    (path / "k").write_bytes(b"k")
    rows = []
    for n in range(300, 300 + systems):
        high, middle, low = n >> 16, n >> 8 & 255, n & 255
        card = f'{{mac: "52:54:00:{high:02x}:{middle:02x}:{low:02x}", ip: 10.{high}.{middle}.{low}}}'
        rows.append(f"  s{n}: {{profile: web, interfaces: {{eth0: {card}}}}}\n")
    config = path / "netprov.yaml"
    config.write_text(CONFIG + "".join(rows))
    return config


def decisions(config: Path) -> tuple[float, float]:
    """Seconds to load, microseconds a decision for a known MAC."""
    began = time.perf_counter()
    inventory = load(config)
    loaded = time.perf_counter() - began
    mac, _ = next(iter(inventory.macs()))
    request = BootRequest(Via.DHCP, Loader.FIRMWARE, mac=mac, arch=7)
    state = BootState()
    count = 20_000
    took = min(timeit.repeat(lambda: decide(request, inventory, state), number=count, repeat=5))
    return loaded, took / count * 1e6


def memory(pids: list[int]) -> tuple[int, int]:
    """RSS and PSS of the processes together, MiB. PSS counts a page that they share once."""
    rss = pss = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                rss += int(line.split()[1])
            elif line.startswith("Pss:"):
                pss += int(line.split()[1])
    return rss // 1024, pss // 1024


def serving(path: Path) -> tuple[float, int, int]:
    """Seconds until the server answers, RSS and PSS of the idle server in MiB."""
    log = path / "log"
    began = time.perf_counter()
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "netprov", "serve"], cwd=path, stdout=output, stderr=output, start_new_session=True
        )
    try:
        while b"netprov: serves" not in log.read_bytes():
            if server.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(0.005)
        ready = time.perf_counter() - began
        time.sleep(1.0)
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        return ready, *memory([server.pid, *map(int, children)])
    finally:
        os.kill(server.pid, signal.SIGTERM)
        server.wait()


def main() -> None:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "netprov", "--help"], stdout=subprocess.DEVNULL, check=True)
    print(f"netprov --help           {time.perf_counter() - began:6.2f} s")
    for systems in (1, 10_000):
        with tempfile.TemporaryDirectory() as name:
            config = folder(Path(name), systems)
            loaded, decided = decisions(config)
            size = len(pickle.dumps(load(config))) / 1e6
            ready, rss, pss = serving(Path(name))
            print(f"{systems:6} systems: load   {loaded:6.2f} s, pickled {size:.2f} MB")
            print(f"{systems:6} systems: decide {decided:6.1f} µs for a known MAC")
            print(f"{systems:6} systems: ready  {ready:6.2f} s after the start; idle RSS {rss} MiB, PSS {pss} MiB")


if __name__ == "__main__":
    main()
