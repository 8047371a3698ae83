"""Real firmware against `netprov serve`: each kind of machine from power-on to the callback of its install."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from netprov.bootimages.probe import Probe
from netprov.lab.accel import Accelerators
from netprov.lab.bootdisk import MARKER
from netprov.lab.firmware import Firmware
from netprov.lab.lab import lab

from ..turns import Turns
from ..verdicts.healthy import judged_in
from .conftest import needs
from .hall import INSTALLED, Hall, Machine, declared, fetched, in_order, troubled
from .served import DISTROS, Served, configuration

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

BIOS, UEFI, UEFI_SB, UEFI_HTTP, ARM64 = Firmware
KERNEL, INITRD = "probe/x86_64/vmlinuz", "probe/x86_64/initrd.img"
DISK = MARKER.decode().strip()
UNSIGNED = {"unsigned": {**DISTROS["probe"], "kernel": "unsigned/vmlinuz"}}

MACHINES = (
    Machine(
        "bios-pxelinux", 11, BIOS, {"boot_loaders": ["pxelinux"]}, disk=True, facts=["firmware bios"],
        files=["pxelinux.0", "ldlinux.c32", "pxelinux.cfg/01-52-54-00-77-00-0b", KERNEL, INITRD],
    ),
    Machine(
        "bios-ipxe", 12, BIOS, {"boot_loaders": ["ipxe"]}, disk=True, facts=["firmware bios"],
        files=["ipxe/52-54-00-77-00-0c", f"files/{KERNEL}", f"files/{INITRD}"],
        stages=INSTALLED[:1] + INSTALLED[2:],  # the card's ROM is the loader
    ),
    Machine(
        "uefi-grub", 13, UEFI, {"boot_loaders": ["grub"]}, facts=["firmware uefi", "secureboot off"],
        files=["shimx64.efi", "grubx64.efi", "grub/grub.cfg", KERNEL, INITRD],
    ),
    Machine(
        "secure-boot", 14, UEFI_SB, {"boot_loaders": ["grub"]}, facts=["firmware uefi", "secureboot on"],
        files=["shimx64.efi", "grubx64.efi", "grub/grub.cfg", KERNEL, INITRD],
    ),
    Machine(
        "uefi-ipxe", 15, UEFI, {"boot_loaders": ["ipxe"]}, facts=["firmware uefi"],
        files=["ipxe.efi", "ipxe/52-54-00-77-00-0f|autoexec.ipxe", f"files/{KERNEL}", f"files/{INITRD}"],
    ),
    Machine(
        "uefi-http", 16, UEFI_HTTP, {}, facts=["firmware uefi"],
        files=["files/ipxe.efi", "ipxe/52-54-00-77-00-10|files/autoexec.ipxe", f"files/{KERNEL}", f"files/{INITRD}"],
    ),
    Machine(
        "arm64", 17, ARM64, {"profile": "probe-arm64"}, facts=["firmware uefi", "kernel .* aarch64"],
        files=["shimaa64.efi", "grubaa64.efi", "grub/grub.cfg", "probe/arm64/vmlinuz", "probe/arm64/initrd.img"],
    ),
)  # fmt: skip
UNKNOWN = Machine(
    "unknown", 18, BIOS, None, disk=True, over=DISK,
    files=["ipxe/52-54-00-77-00-12"], stages=["address", "script"],
)  # fmt: skip
REFUSED = Machine(
    "unsigned-kernel", 19, UEFI_SB, {"profile": "unsigned"}, over="could not boot",
    files=["shimx64.efi", "grubx64.efi", "grub/grub.cfg", "unsigned/vmlinuz"],
    stages=["address", "loader", "script", "kernel"], verdicts={"G9"},
)  # fmt: skip
EVERY = (*MACHINES, UNKNOWN, REFUSED)


def rows(machines: Sequence[Machine]) -> list[Any]:
    return [pytest.param(machine, id=machine.name, marks=needs(machine.firmware)) for machine in machines]


@pytest.fixture(scope="module")
def root(boot_images: Path, probe_x86_64: Probe, probe_arm64: Probe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The served folder, with a kernel whose signature does not hold: one octet of its last page is another."""
    root = tmp_path_factory.mktemp("served") / "root"
    shutil.copytree(boot_images, root)
    kernel = bytearray(probe_x86_64.kernel.read_bytes())
    kernel[len(kernel) // 2] ^= 0xFF
    (root / "unsigned").mkdir()
    (root / "unsigned" / "vmlinuz").write_bytes(kernel)
    return root


@pytest.fixture(scope="module")
def hall(
    request: pytest.FixtureRequest,
    namespaces: None,
    accelerators: Accelerators,
    root: Path,
    tmp_path_factory: pytest.TempPathFactory,
    turns: Turns,
) -> Iterator[Hall]:
    """One server, and the machines of the tests that were chosen."""
    folder = tmp_path_factory.mktemp("hall")
    chosen = [item.callspec.params.get("machine") for item in request.session.items if hasattr(item, "callspec")]
    with lab(folder, accelerators, "hall") as made:
        config = configuration(
            folder,
            root,
            declared(EVERY),
            distros=UNSIGNED,
            profiles={"unsigned": {"distro": "unsigned"}},
            server={"unknown": "menu"},
        )
        served = Served(made, config, folder / "server.log", troubled(EVERY))
        yield Hall(served, [machine for machine in EVERY if machine in chosen], turns)
        served.stop()


@pytest.mark.parametrize("machine", rows(MACHINES))
def test_installs(hall: Hall, machine: Machine) -> None:
    served, guest = hall.served, hall.guest(machine)
    told = guest.wait_for(r"^NETPROV-PROBE ks sha256=(?P<sha256>\w+) url=(?P<url>\S+)$", 1)
    for fact in (*machine.facts, f"network .* ip={machine.address} from=10.77.0.1", "callback ok", "done"):
        guest.wait_for(f"^NETPROV-PROBE {fact}", 1)
    rendered = served.netprov("render", "autoinstall", machine.name)
    assert told["sha256"] == hashlib.sha256(rendered.encode()).hexdigest(), rendered
    served.wait_done(machine.name, machine.stages)
    assert served.status(machine.name) == "installed", served.why()
    boots = served.boots(machine.name, last=9)
    assert len(boots) == 1, served.why()  # every event of it is this boot's
    assert boots[0]["machine"] == machine.mac
    assert in_order(machine.files, fetched(boots[0])), served.why()


@pytest.mark.parametrize("machine", rows([machine for machine in MACHINES if machine.disk]))
def test_installed_machine_boots_its_disk(hall: Hall, machine: Machine) -> None:
    """No reinstall on its second boot."""
    served, guest = hall.served, hall.guest(machine)
    guest.power_on()
    try:
        guest.wait_for(DISK)
    finally:
        guest.power_off()
    assert guest.console.find("NETPROV-PROBE") is None
    assert served.status(machine.name) == "installed"
    served.until(lambda: len(served.boots(machine.name, last=9)) == 2, "the second boot is another one")
    assert served.done(machine.name) == ["address"]
    assert "kernel" not in {event["stage"] for event in served.boots(machine.name)[-1]["events"]}


@pytest.mark.parametrize("machine", rows([UNKNOWN]))
def test_unknown_machine_gets_the_menu(hall: Hall, machine: Machine) -> None:
    """It shows the profiles that the machine can run; untouched, it boots the disk."""
    served, guest = hall.served, hall.guest(machine)
    guest.wait_for(DISK, 1)
    shown = guest.console.text()
    for title, there in {"Boot the local disk": True, "unsigned": True, "probe": True, "probe-arm64": False}.items():
        assert bool(re.search(rf"{title}(?!-)", shown)) is there, f"{title}: {shown[-2000:]}"
    served.wait_done(machine.mac, machine.stages)
    (boot,) = served.boots(machine.mac, last=9)
    assert in_order(machine.files, fetched(boot)), served.why()
    assert {event["system"] for event in boot["events"]} == {""}


@pytest.mark.parametrize("machine", rows([REFUSED]))
def test_secure_boot_refuses_an_unsigned_kernel(hall: Hall, machine: Machine) -> None:
    """The timeline shows that it fetched the kernel, and nothing after it."""
    served, guest = hall.served, hall.guest(machine)
    guest.wait_for("could not boot /unsigned/vmlinuz", 1)
    assert "bad shim signature" in guest.console.text(), served.lab.why and served.lab.why()
    assert guest.console.find("NETPROV-PROBE") is None
    served.wait_done(machine.name, machine.stages)
    assert in_order(machine.files, fetched(served.boots(machine.name)[-1])), served.why()
    assert served.status(machine.name) == "booting"
    (found,) = [found for boot, found in judged_in(served.config) if boot.system == machine.name]
    assert {verdict.id for verdict in found} == machine.verdicts
