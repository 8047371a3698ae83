"""The page with many machines: how long an answer takes, and what 200 browsers cost.

    python bench/page.py [--systems 10000] [--events 200000] [--rounds 20]

One HTTP worker in this process, over loopback; each number is the median of --rounds requests, or the slowest of them.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests" / "web")]

from web_world import Site, many, serving  # noqa: E402

from tests.journal import scenes  # noqa: E402
from tests.journal.scenes import Machine  # noqa: E402

PATHS = ("/", "/?page=100", "/?q=node-039", "/?q=52:54:00:00:27:f9", "/machines/node-000-001", "/leases",
         "/api/v1/status", "/api/v1/systems?per_page=500")  # fmt: skip
BROWSERS = 200


def fill(site: Site, events: int) -> int:
    """Boots of the first machines, one after another, until there are so many events."""
    now, count = time.time() - 86400.0, 0
    for number in itertools.count():
        a, b = divmod(number % 10_000, 250)
        name = f"node-{a:03}-{b:03}"
        who = {"mac": f"52:54:00:00:{a:02x}:{b:02x}", "ip": f"10.{a}.{b}.1", "system": name, "token": f"token-{number}"}
        machine = Machine(**who, uuid=f"5c4c4544-0042-3510-8054-{number:012x}", at=now + number)
        scenes.bios_pxelinux(machine)
        if number < 50:  # the first page's: each has fetched 1,500 packages from here
            machine.wait(1.0)
            for package in range(1500):
                machine.http(f"/files/tree/Packages/{package}.rpm", "file", 50_000)
        site.record(*machine.events)
        site.events.clear()
        count += len(machine.events)
        if count >= events:
            return number + 1
    raise AssertionError


def took(url: str, path: str, rounds: int) -> str:
    """Milliseconds: the median, the slowest, the processor's for each; and the octets."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    times, size, spent = [], 0, 0.0
    for number in range(rounds + 1):
        spent = spent if number > 1 else time.process_time()
        began = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        size = len(answer.read())
        assert answer.status == 200, path
        times.append((time.perf_counter() - began) * 1000)
    connection.close()
    spent = (time.process_time() - spent) * 1000 / rounds
    return f"{statistics.median(times[1:]):8.1f}{max(times[1:]):9.1f}{spent:7.1f}{size:9}"


def listener(url: str) -> socket.socket:
    parts = urlsplit(url)
    sock = socket.create_connection((parts.hostname, parts.port))
    sock.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
    assert sock.recv(4096).startswith(b"HTTP/1.1 200")
    return sock


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), systems=many(options.systems))
        boots = fill(site, options.events)
        print(f"{options.systems} systems, {options.events} events of {boots} boots; milliseconds\n")
        print(f"{'page':34}{'median':>8}{'slowest':>9}{'CPU':>7}{'octets':>9}")
        with serving(site) as url:
            for path in PATHS:
                print(f"{path:34}{took(url, path, options.rounds)}")
            browsers = [listener(url) for _ in range(BROWSERS)]
            time.sleep(2.0)
            for path in ("/", "/healthz"):
                print(f"{path + f', {BROWSERS} browsers looking':34}{took(url, path, options.rounds)}")
            for browser in browsers:
                browser.close()
        site.close()


if __name__ == "__main__":
    main()
