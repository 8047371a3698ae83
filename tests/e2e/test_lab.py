"""The lab itself: a guest boots, waiting fails as it should, nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from netprov.lab import netns
from netprov.lab.accel import Accelerators
from netprov.lab.bootdisk import MARKER, boot_sector
from netprov.lab.console import Console, NotSeen
from netprov.lab.firmware import Firmware
from netprov.lab.lab import ADDRESS, Lab, lab

from .conftest import needs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def test_boot_sector_is_one() -> None:
    sector = boot_sector()
    assert len(sector) == 512
    assert sector[510:] == b"\x55\xaa"
    assert MARKER + b"\0" in sector[:446]


def test_console_without_escapes(tmp_path: Path) -> None:
    console = Console(tmp_path / "console")
    assert console.text() == ""
    console.path.write_bytes(b"\x1b[2J\x1b[01;01HNETPROV-PROBE \x1b[0mup\r\n\xff")
    assert console.find(r"^NETPROV-PROBE up$")
    assert console.tail() == "NETPROV-PROBE up\n\N{REPLACEMENT CHARACTER}"


@needs(Firmware.BIOS)
def test_guest_boots_its_disk(lab: Lab) -> None:
    # a card without a ROM: nothing to wait for before the disk's turn
    guest = lab.guest(Firmware.BIOS, "52:54:00:77:01:01", disk=True, nic="virtio-net-pci,romfile=").power_on()
    guest.wait_for("NETPROV-DISK booted", 120)
    with pytest.raises(NotSeen, match="not off within"):
        guest.wait_off(0.2)
    guest.power_off()
    assert not guest.running()


@needs(Firmware.BIOS)
def test_failure_shows_console_and_why(lab: Lab) -> None:
    lab.why = lambda: "the timeline, as a callable gave it"
    guest = lab.guest(Firmware.BIOS, "52:54:00:77:01:02", extra=["-boot", "x-no-such-option=1"]).power_on()
    with pytest.raises(NotSeen, match=r"(?s)the guest ended without 'never'.*QEMU said: .+the timeline, as"):
        guest.wait_for("never", 60)


def test_station_reaches_the_server(lab: Lab) -> None:
    station = lab.station("client", "02:00:00:77:00:50", "10.77.0.50/24")
    lab.spawn([sys.executable, "-m", "http.server", "--bind", ADDRESS, "8080"])
    script = f"import urllib.request as u; print(u.urlopen('http://{ADDRESS}:8080/', timeout=2).status)"
    for _ in range(50):
        done = station.run([sys.executable, "-c", script])
        if done.returncode == 0:
            break
        time.sleep(0.2)
    assert done.stdout == "200\n", done.stderr


@pytest.mark.usefixtures("namespaces")
def test_nothing_is_left_behind(accelerators: Accelerators, tmp_path: Path) -> None:
    processes = []

    def fail() -> None:
        with lab(tmp_path, accelerators, "leftover") as made:
            made.station("other", "02:00:00:77:00:51")
            processes.append(made.spawn(["sleep", "600"]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert processes[0].poll() == -signal.SIGKILL
    assert not [name for name in netns.names() if name.startswith(netns.name(""))]


@pytest.mark.alone  # another worker's run may take it away first
@pytest.mark.usefixtures("namespaces")
def test_killed_run_leaves_only_what_the_next_removes(tmp_path: Path) -> None:
    script = f"""
import pathlib, time
from netprov.lab.accel import Accelerators
from netprov.lab.lab import lab
with lab(pathlib.Path({str(tmp_path)!r}), Accelerators(), "killed") as made:
    print(made.spawn(["sleep", "600"]).pid, made.namespace, flush=True)
    time.sleep(600)
"""
    run = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert run.stdout is not None
    pid, namespace = run.stdout.readline().split()
    run.kill()
    run.wait()
    assert namespace in netns.names()
    assert namespace in netns.delete_stale()
    assert namespace not in netns.names()
    deadline = time.monotonic() + 10
    while _alive(int(pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(int(pid))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
