"""An iPXE that runs its script before any interface is up, and knows no firmware's answer: it is ipxe.lkrn's initrd.

Its first card is in a network where nobody answers.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from netprov.check.ipxe import NEWEST, OLDEST, day_of, version_of
from netprov.lab.firmware import Firmware
from netprov.lab.lab import Lab

from .conftest import needs
from .hall import Machine, declared, fetched, in_order
from .served import DISTROS, Served, configuration

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

KERNEL, INITRD = "probe/x86_64/vmlinuz", "probe/x86_64/initrd.img"
IPXE = {**DISTROS["probe"], "kernel": "loaders/ipxe.lkrn", "initrd": "early.ipxe"}
EARLY = Machine(
    "early", 24, Firmware.BIOS, {"profile": "ipxe", "boot_loaders": ["pxelinux"]},
    files=[f"files/{KERNEL}", f"files/{INITRD}"],
)  # fmt: skip
# iPXE takes a command line for commands: the packaged template gives one
CONFIG = """\
default netprov
label netprov
  kernel {{ kernel }}
  initrd {{ initrd[0].file }}
"""
SCRIPT = Machine("script", 25, Firmware.BIOS, {}, files=[])  # whose script it runs


@pytest.mark.parametrize("machine", [pytest.param(EARLY, marks=needs(Firmware.BIOS))])
def test_it_brings_the_network_up(
    lab: Lab, machine: Machine, boot_images: Path, probe_x86_64: object, probe_arm64: object, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    shutil.copytree(boot_images, root)
    (root / "early.ipxe").write_text("#!ipxe\n")
    template = tmp_path / "pxelinux.cfg.templates" / "pxelinux" / "kernel.cfg"
    template.parent.mkdir(parents=True)
    template.write_text(CONFIG)
    profiles = {"ipxe": {"distro": "ipxe"}}
    config = configuration(tmp_path, root, declared([machine, SCRIPT]), distros={"ipxe": IPXE}, profiles=profiles)
    served = Served(
        lab, config, tmp_path / "server.log", {machine.name: {"G10"}}
    )  # iPXE: a kernel that asks as firmware
    (root / "early.ipxe").write_text(served.netprov("render", "ipxe", SCRIPT.name))
    lab.ip("tuntap", "add", "alone", "mode", "tap")
    lab.ip("link", "set", "alone", "up")
    card = "virtio-net-pci,netdev=n1,addr=0x10,romfile="
    other = ("-netdev", "tap,id=n1,ifname=alone,script=no,downscript=no", "-device", card)
    guest = lab.guest(machine.firmware, machine.mac, nic="virtio-net-pci,addr=0x11", extra=other).power_on()
    guest.wait_for("Linux version")
    guest.power_off()
    assert "Configuring (net0" in guest.console.text()
    served.until(lambda: in_order(machine.files, fetched(served.boots(machine.name)[-1])), "iPXE fetched its kernel")
    served.stop()


def test_the_ipxe_of_this_system_is_of_an_age_that_is_tried(boot_images: Path) -> None:
    day = day_of(version_of(boot_images / "loaders" / "ipxe.efi"))
    assert day is not None
    assert OLDEST <= day <= NEWEST
