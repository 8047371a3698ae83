"""How long `netprov explain` takes: from the shell, and within a running server (the API), with few systems and many.

    .venv/bin/python bench/explain.py [--runs N] [--systems N]

Prints the median and the quickest of the runs, in milliseconds. The aims: 400 from the shell, 50 within the server.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

NETPROV = [sys.executable, "-m", "netprov"]
LADY = "02:10:00:00:00:00"


def site(folder: Path, systems: int) -> Path:
    """A configuration with as many systems, in a file of their own, and the files that they boot."""
    (folder / "boot-images" / "loaders").mkdir(parents=True)
    for name in ("vmlinuz", "initrd.img", "loaders/pxelinux.0", "loaders/ldlinux.c32"):
        (folder / "boot-images" / name).write_bytes(bytes(4096))
    (folder / "inventory").mkdir()
    rows = [
        f"  n{n}: {{profile: web, interfaces: {{eth0: {{mac: '02:10:{n.to_bytes(4, 'big').hex(':')}', "
        f"ip: 10.{n // 250 >> 8}.{n // 250 & 255}.{n % 250 + 1}}}}}}}\n"
        for n in range(systems)
    ]
    (folder / "inventory" / "systems.yaml").write_text("systems:\n" + "".join(rows))
    config = folder / "netprov.yaml"
    config.write_text(
        "server: {state: state, address: 10.255.255.1}\n"
        "dhcp: {mode: full, subnets: [{subnet: 10.0.0.0/8, range: 10.255.0.1-10.255.0.250}]}\n"
        "distros: {d: {breed: redhat, os_version: '9', kernel: vmlinuz, initrd: initrd.img}}\n"
        "profiles: {web: {distro: d, autoinstall: default.ks, install: install-once}}\n"
    )
    return config


def timed(runs: int, action: Callable[[], object]) -> tuple[float, float]:
    """The median and the least of the runs, in milliseconds; the first is not counted."""
    action()
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        action()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took), min(took)


def shell(config: Path, runs: int, *arguments: str) -> tuple[float, float]:
    command = [*NETPROV, "explain", LADY, "-c", str(config), *arguments]

    def run() -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    return timed(runs, run)


def served(config: Path, runs: int) -> tuple[float, float]:
    """The API's answer, from request to response, without the network between."""
    from netprov.inventory.load import load
    from netprov.render.generation import Generation
    from netprov.render.scripts import Scripts
    from netprov.state.place import Place
    from netprov.state.state import open_state
    from netprov.web.app import create_app
    from netprov.web.services import Services

    generation = Generation.of(load(config))
    place = Place(generation.inventory.settings.server.state)
    with open_state(generation.inventory.settings.server.state) as state:
        services = Services(
            newest=lambda: generation, scripts=Scripts(state.installs, state.sightings.at), state=state,
            record=lambda event: None, clock=time.time, journal=place.journal, secret=b"x" * 32,
        )  # fmt: skip
        client = create_app(services).test_client()

        def ask() -> None:
            answer = client.get(f"/api/v1/explain/{LADY}")
            assert answer.status_code == 200, answer.text

        return timed(runs, ask)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--systems", type=int, default=10_000)
    options = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; median (quickest) in ms")
    for systems in (1, options.systems):
        with tempfile.TemporaryDirectory() as folder:
            config = site(Path(folder), systems)
            for what, (median, least) in (
                ("the shell", shell(config, options.runs)),
                ("the server", served(config, options.runs)),
                ("the shell, beside a server's database", shell(config, options.runs)),
            ):
                print(f"{systems:>7} systems, {what:<38} {median:7.0f} ({least:.0f})")


if __name__ == "__main__":
    main()
