"""Twenty machines switched on at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.lab.firmware import Firmware
from netprov.lab.lab import Lab

from .conftest import needs
from .hall import INSTALLED, Machine, declared
from .served import Served, configuration

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

STAGES = INSTALLED[:1] + INSTALLED[2:]
MACHINES = [
    Machine(f"node{number}", number, Firmware.BIOS, {"boot_loaders": ["ipxe"]}, [], STAGES) for number in range(31, 51)
]


@needs(Firmware.BIOS)
def test_twenty_at_once(lab: Lab, boot_images: Path, probe_x86_64: object, tmp_path: Path) -> None:
    served = Served(lab, configuration(tmp_path, boot_images, declared(MACHINES)), tmp_path / "server.log")
    guests = [lab.guest(machine.firmware, machine.mac, memory=96) for machine in MACHINES]
    for guest in guests:
        guest.accel = [word.replace("tb-size=64", "tb-size=32") for word in guest.accel]
        guest.power_on()
    for guest in guests:
        guest.wait_for("^NETPROV-PROBE callback ok", 600)
        guest.wait_off(120)
    for machine in MACHINES:
        served.wait_done(machine.name, machine.stages)
        assert served.status(machine.name) == "installed", machine.name
        assert len(served.boots(machine.name, last=9)) == 1, served.why()
    served.stop()
