"""What is killed, edited or full costs no boot: `netprov serve` with dozens of transfers under way."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from netprov.lab.accel import Accelerators
from netprov.lab.lab import ADDRESS, Station, lab

from ..verdicts.healthy import assert_verdicts
from .served import Served, configuration

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

TFTP, HTTP = f"tftp://{ADDRESS}/file", f"http://{ADDRESS}/files/file"
CONTENT = Random(7).randbytes(512 * 1024)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
LODGER = "02:00:00:77:00:60"
SYSTEMS = {"lodger": {"profile": "plain", "interfaces": {"eth0": {"mac": LODGER}}}}
PLAIN = {"distros": {"plain": {"kernel": "file"}}, "profiles": {"plain": {"distro": "plain"}}}


@dataclass
class World:
    served: Served
    client: Station  # has an address of its own
    lodger: Station  # asks for one
    hook: Path

    def lease(self) -> str:
        """The address that the lodger is given now."""
        command = ["udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "8", "-T", "2", "-s", str(self.hook)]
        done = self.lodger.run(command)
        assert done.returncode == 0, f"{done.stderr}\n{self.served.why()}"
        return done.stdout.split("ip=")[1].split()[0]

    def leased(self) -> dict[str, str]:
        return {row["mac"]: row["ip"] for row in json.loads(self.served.netprov("leases", "--json"))}

    @contextlib.contextmanager
    def transfers(self, urls: Sequence[str]) -> Iterator[Transfers]:
        """These transfers, all of them under way."""
        command = ["ip", "netns", "exec", self.client.namespace, sys.executable, "-m", "tests.e2e.transfers"]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(list(urls)))
            process.stdin.close()
            assert process.stdout.readline() == "under way\n", self.served.why()
            yield Transfers(urls, process)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


@dataclass
class Transfers:
    urls: Sequence[str]
    process: subprocess.Popen[str]

    def failed(self) -> list[str]:
        """The URLs of those that did not bring the whole file, once all have ended."""
        assert self.process.stdout is not None
        assert self.process.poll() is None, "they ended too soon for the test"
        results = json.loads(self.process.stdout.readline())
        return [f"{url} {result}" for url, result in zip(self.urls, results, strict=True) if result != SHA256]


@pytest.fixture(scope="module")
def world(namespaces: None, accelerators: Accelerators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("deaths")
    (folder / "root").mkdir()
    (folder / "root" / "file").write_bytes(CONTENT)
    hook = folder / "hook"
    hook.write_text('#!/bin/sh\n[ "$1" != bound ] || echo "ip=$ip"\n')
    hook.chmod(0o755)
    with lab(folder, accelerators, "deaths") as made:
        served = Served(made, declare(folder), folder / "server.log")
        client = made.station("client", "02:00:00:77:00:50", "10.77.0.50/24")
        yield World(served, client, made.station("lodger", LODGER), hook)
        served.stop()


def declare(folder: Path, **more: object) -> Path:
    return configuration(folder, folder / "root", {**SYSTEMS, **more}, **PLAIN, usual=False)


@pytest.mark.parametrize("victim", ["tftp", "http", "dhcp", "journal"])
def test_kill_9_of_a_worker(world: World, victim: str) -> None:
    """Of 50 transfers only its own suffer; nothing leased is lost; it is back, and the journal goes on."""
    served, address = world.served, world.lease()
    with world.transfers([TFTP, HTTP] * 25) as transfers:
        os.kill(served.workers()[victim], signal.SIGKILL)
        assert [failed for failed in transfers.failed() if not failed.startswith(victim)] == [], served.why()
    served.wait_said(f"the {victim} worker ended by signal SIGKILL; it is started again")
    with world.transfers([TFTP, HTTP]) as after:
        assert after.failed() == []
    heard = acknowledged(served)
    assert world.lease() == address
    assert world.leased()[LODGER] == address
    served.until(lambda: acknowledged(served) > heard, "the journal hears of it")


def test_kill_9_of_the_supervisor(world: World) -> None:
    """The workers end the transfers under way; started anew, the server has its leases."""
    served, address = world.served, world.lease()
    workers = served.workers().values()
    with world.transfers([TFTP, HTTP] * 25) as transfers:
        os.kill(served.process.pid, signal.SIGKILL)
        assert transfers.failed() == [], served.log.read_text()
    served.process.wait()
    served.until_gone(workers)
    assert world.leased()[LODGER] == address
    served.start()
    assert world.lease() == address


def test_s6_reload_during_200_transfers_loses_none(world: World) -> None:
    served = world.served
    before = served.said("netprov: generation ")
    with world.transfers([TFTP, HTTP] * 100) as transfers:
        for number in range(1, 4):
            served.process.send_signal(signal.SIGHUP)
            served.wait_said("netprov: generation ", before + number)
        declare(served.config.parent, tramp={"profile": "plain"})
        served.wait_said("netprov: generation .*: 2 systems")
        assert transfers.failed() == [], served.why()


def test_s5_bad_edit_during_transfers(world: World) -> None:
    """It is refused on the console and in the journal, and what served goes on."""
    served, refused = world.served, world.served.said("the edited inventory is refused")
    with world.transfers([TFTP, HTTP] * 5) as transfers:
        declare(served.config.parent, duke={"profile": "plane"})
        served.wait_said("the edited inventory is refused", refused + 1)
        assert transfers.failed() == [], served.why()
    assert "plain" in served.log.read_text().split("the edited inventory is refused")[refused]  # the nearest name
    served.until(lambda: "refused the newest edit" in checked(served), "the journal tells of the refusal")
    declare(served.config.parent)


def test_full_disk_costs_events_and_no_boot(namespaces: None, accelerators: Accelerators, tmp_path: Path) -> None:
    """The journal is on a full disk of its own."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "file").write_bytes(CONTENT)
    with lab(tmp_path, accelerators, "full") as made, small_disk(tmp_path / "disk") as disk:
        (tmp_path / "state").mkdir()
        (tmp_path / "state" / "journal.db").symlink_to(disk / "journal.db")
        served = Served(made, declare(tmp_path), tmp_path / "server.log")
        hook = tmp_path / "hook"
        hook.write_text('#!/bin/sh\n[ "$1" != bound ] || echo "ip=$ip"\n')
        hook.chmod(0o755)
        client = made.station("full-client", "02:00:00:77:00:50", "10.77.0.50/24")
        world = World(served, client, made.station("full-lodger", LODGER), hook)
        address = world.lease()
        fill(disk)
        for _ in range(3):
            assert world.lease() == address
            with world.transfers([TFTP, HTTP] * 5) as transfers:
                assert transfers.failed() == []
        (disk / "filler").unlink()
        heard = acknowledged(served)
        world.lease()
        served.until(lambda: acknowledged(served) > heard, "with room again, the journal goes on")
        served.stop()
        assert_verdicts(served.config)  # now: the journal goes away with the disk


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def acknowledged(served: Served) -> int:
    """The lodger's ACKs that the journal knows of."""
    return sum(event["kind"] == "dhcp.ack" for boot in served.boots("lodger", 99) for event in boot["events"])


def checked(served: Served) -> str:
    return served.netprov("check", "--json", check=False)
