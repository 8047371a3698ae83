#!/usr/bin/env python3
"""What recording costs: TFTP throughput and DHCP exchanges with events and packets kept, and without (root).

    python bench/recording.py [--rounds N] [--exchanges N] [--size MIB] [--events N] [tftp] [dhcp] [timeline]

Each mode has a server of its own, and all run during the whole measurement; a round asks every one, in turn, and the
ratio is that of a round. Its median is the figure to trust: the machine's speed varies, but not within a round. CPU is
the server's own process, without those who store: they are other processes, at work at the same time.

`timeline` fills a journal with 1,000,000 events and asks for one machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from dhcp import RANGE, Wire  # noqa: E402

from netprov.boot.reason import Reason  # noqa: E402
from netprov.dhcp.bind import bind  # noqa: E402
from netprov.dhcp.loop import DhcpWorker  # noqa: E402
from netprov.dhcp.tap import DhcpTap  # noqa: E402
from netprov.inventory.model import (  # noqa: E402
    DhcpMode,
    DhcpSettings,
    Inventory,
    Range,
    ServerSettings,
    Settings,
    Subnet,
    TftpSettings,
)  # fmt: skip
from netprov.journal.correlate import Placed  # noqa: E402
from netprov.journal.event import Event, Kind  # noqa: E402
from netprov.journal.recorder import Recorder, channel  # noqa: E402
from netprov.journal.store import Store  # noqa: E402
from netprov.journal.timeline import Timeline  # noqa: E402
from netprov.journal.writer import JournalWriter  # noqa: E402
from netprov.recorder.tap import Tap  # noqa: E402
from netprov.recorder.writer import PacketWriter  # noqa: E402
from netprov.state.state import open_state  # noqa: E402
from netprov.tftp.root import Root  # noqa: E402
from netprov.tftp.server import TftpServer  # noqa: E402
from netprov.tftp.tap import TftpTap  # noqa: E402

MODES = ("nothing", "events", "events and packets")
CAPTURE = 64 << 20
TARGETS = {"tftp": 3.0, "dhcp": 5.0}  # per cent that events may cost


# the servers: `recording.py serve ROOM MODE FOLDER PORT`


def forked(run: Callable[[], object]) -> int:
    pid = os.fork()
    if not pid:
        try:
            run()
        finally:
            os._exit(0)
    return pid


class Nothing:
    """A recorder that does not."""

    def record(self, event: Event) -> None:
        pass

    def record_all(self, events: Sequence[Event]) -> None:
        pass


def stored(mode: str, folder: Path, settings: ServerSettings) -> tuple[Recorder | Nothing, Tap | None, list[int]]:
    """What a worker records with, and the processes that store it."""
    if mode == "nothing":
        return Nothing(), None, []
    inventory = Inventory(settings=Settings(server=settings))
    sending, reading = channel()
    children = [forked(lambda: JournalWriter(folder / "journal.db", [reading], settings).run())]
    tap = None
    if mode == MODES[2]:
        tapping, tapped = channel()
        tap = Tap(tapping)
        children.append(forked(lambda: PacketWriter(folder / "capture.db", tapped, inventory).run()))
    return Recorder(sending), tap, children


class Files:
    def __init__(self, root: Path) -> None:
        self.open = Root(root).open

    def rendered(self, *_: object, **__: object) -> None:
        return None


def serve(room: str, mode: str, folder: Path, port: int) -> None:
    recorder, tap, children = stored(mode, folder, ServerSettings(capture=CAPTURE))
    if room == "tftp":
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", port))
        packets = TftpTap(tap, time.monotonic, time.time) if tap else None
        server = TftpServer([sock], TftpSettings(), Files(folder), recorder.record, tap=packets)
        run, stop = server.run, lambda *_: server.stop(0)
    else:
        span = Range(IPv4Address(RANGE[0]), IPv4Address(RANGE[1]))
        gateway = (IPv4Address("10.77.0.1"),)
        net = Subnet(IPv4Network("10.77.0.0/16"), (span,), gateway, gateway)
        inventory = Inventory(settings=Settings(dhcp=DhcpSettings(mode=DhcpMode.FULL)), subnets=(net,))
        state = open_state(str(folder))
        packets = DhcpTap(tap) if tap else None
        worker = DhcpWorker(bind(inventory.settings), inventory, state, recorder.record_all, tap=packets)
        run, stop = worker.run, lambda *_: worker.stop()
    signal.signal(signal.SIGTERM, stop)
    try:
        run()
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


@contextlib.contextmanager
def running(room: str, mode: str, folder: Path, port: int = 0, prefix: tuple[str, ...] = ()) -> Iterator[int]:
    """A server; its process."""
    command = [*prefix, sys.executable, __file__, "serve", room, mode, str(folder), str(port)]
    process = subprocess.Popen(command)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


# the measurements


def cpu_seconds(pid: int) -> float:
    """What the process' threads had of a processor: to the nanosecond, where /proc/pid/stat counts hundredths."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


Row = dict[str, tuple[float, float]]
"""Of a round: by mode the rate, and the server's CPU in microseconds for each."""


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tftp(folder: Path, options: argparse.Namespace) -> list[Row]:
    load = folder / "tftpload"
    subprocess.run(["gcc", "-O2", "-o", str(load), str(HERE / "tftpload.c")], check=True)
    with contextlib.ExitStack() as stack:
        servers = {}
        for number, mode in enumerate(MODES):
            own = folder / f"tftp{number}"
            own.mkdir()
            (own / "file").write_bytes(os.urandom(int(options.size * (1 << 20))))
            port = free_port()
            servers[mode] = stack.enter_context(running("tftp", mode, own, port)), port
        time.sleep(2)

        def once(mode: str) -> tuple[float, float]:
            pid, port = servers[mode]
            words = [str(load), "-j", "-p", str(port), "-f", "file", "-b", "1408", "-w", "8", "-n", "48", "-c", "16"]
            before = cpu_seconds(pid)
            done = subprocess.run([*words, "-m", "60", "127.0.0.1"], capture_output=True, text=True, check=False)
            said = json.loads(done.stdout)
            assert not said["failed"], said
            return said["mbps"], (cpu_seconds(pid) - before) * 1e6 / said["blocks"]

        return rounds(once, options.rounds)


def dhcp(folder: Path, options: argparse.Namespace) -> list[Row]:
    load = folder / "dhcpload"
    subprocess.run(["gcc", "-O2", "-o", str(load), str(HERE / "dhcpload.c")], check=True)
    with contextlib.ExitStack() as stack:
        servers = {}
        for number, mode in enumerate(MODES):
            own = folder / f"dhcp{number}"
            own.mkdir()
            wire = Wire()
            wire.server, wire.client = f"{wire.server}{number}", f"{wire.client}{number}"
            stack.enter_context(wire)
            inside = ("ip", "netns", "exec", wire.server)
            servers[mode] = stack.enter_context(running("dhcp", mode, own, prefix=inside)), wire
        time.sleep(3)

        def once(mode: str) -> tuple[float, float]:
            pid, wire = servers[mode]
            before = cpu_seconds(pid)
            words = [str(load), "-c", "64", "-n", str(options.exchanges), "-P", "10.77.0.2", "10.77.0.1"]
            done = subprocess.run(["ip", "netns", "exec", wire.client, *words], capture_output=True, check=True)
            said = json.loads(done.stdout)
            return said["exch_s"], (cpu_seconds(pid) - before) * 1e6 / max(1, said["ok"])

        return rounds(once, options.rounds)


def rounds(once: Callable[[str], tuple[float, float]], count: int) -> list[Row]:
    for mode in MODES:
        once(mode)  # caches, leases
    found = []
    for number in range(count):
        order = MODES[number % 3 :] + MODES[: number % 3]
        row = {mode: once(mode) for mode in order}
        found.append(row)
    return found


def show(room: str, unit: str, found: list[Row]) -> None:
    print(f"\n{room}: median of {len(found)} rounds; ratios are those of a round")
    print(f"  {'recorded':20}{unit:>10}{'CPU us':>9}{'rate, of nothing':>18}{'CPU, of nothing':>17}")
    for mode in MODES:
        rate, cpu = (statistics.median(row[mode][n] for row in found) for n in (0, 1))
        slower, dearer = (statistics.median(row[mode][n] / row[MODES[0]][n] for row in found) for n in (0, 1))
        print(f"  {mode:20}{rate:10.1f}{cpu:9.2f}{slower:18.3f}{dearer:17.3f}")
    cost = 100 * (1 - statistics.median(row["events"][0] / row["nothing"][0] for row in found))
    print(f"  events cost {cost:.1f} % of the rate; the target is less than {TARGETS[room]:.0f} %")


# the timeline of one machine in a big journal


def timeline(folder: Path, count: int) -> None:
    path = folder / "big.db"
    store = Store(path)
    machines, chosen = 10_000, "52:54:00:00:00:07"
    dice = random.Random(1)
    numbers = dict.fromkeys(range(machines), 0)
    stages = ("address", "loader", "script", "kernel", "initrd", "autoinstall", "callback")
    at = time.time() - count / 100
    for _ in range(0, count, 10_000):
        rows = []
        while len(rows) < 10_000:
            machine = 0 if dice.random() < 0.1 else dice.randrange(machines)  # 0 boots again and again
            numbers[machine] += 1
            mac = f"52:54:00:00:{machine >> 8:02x}:{machine & 255:02x}"
            for stage in stages:
                at += 0.01
                kind = Kind.DHCP_ACK if stage == "address" else Kind.HTTP_DONE
                event = Event(at, kind, Reason.HTTP_OK, f"sent {stage}", stage=stage, mac=mac, ip="10.0.0.1",
                              peer="10.0.0.1:4000", system=f"s{machine}", name=f"/files/{stage}", size=1000,
                              trace=("matched by MAC",))  # fmt: skip
                rows.append(Placed(event, mac, numbers[machine]))
        store.add(rows[:10_000], count, 0.0)
    store.close()
    print(f"\n{count} events of {machines} machines, {path.stat().st_size >> 20} MiB: milliseconds, median of 15")
    for label, names, last in (
        ("the last boot, by MAC", [chosen], 1),
        ("the last boot, by name and MAC", ["s7", chosen], 1),
        ("the last 10 boots", ["s7", chosen], 10),
        ("the last of 14,000 boots", ["s0", "52:54:00:00:00:00"], 1),
        ("of a machine nobody knows", ["52:54:00:ff:ff:ff"], 1),
    ):
        times = []
        for _ in range(15):
            began = time.perf_counter()
            with Timeline(path) as journal:
                boots = journal.boots(names, last)
            times.append((time.perf_counter() - began) * 1e3)
        assert bool(boots) == ("nobody" not in label)
        print(f"  {label:32}{statistics.median(times):8.2f}   (worst {max(times):.2f}; the target is 100)")


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        room, mode, folder, port = sys.argv[2:]
        serve(room, mode, Path(folder), int(port))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", choices=["tftp", "dhcp", "timeline", []])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--exchanges", type=int, default=4000)
    parser.add_argument("--size", type=float, default=4, help="MiB of the file")
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    wanted = options.what or ["tftp", "dhcp", "timeline"]
    with tempfile.TemporaryDirectory(prefix="npbench") as name:
        folder = Path(name)
        if "tftp" in wanted:
            show("tftp", "MB/s", tftp(folder, options))
        if "dhcp" in wanted:
            show("dhcp", "exch/s", dhcp(folder, options))
        if "timeline" in wanted:
            timeline(folder, options.events)


if __name__ == "__main__":
    main()
