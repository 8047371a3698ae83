"""Whether KVM serves: /dev/kvm may be there and yet run no firmware, so a guest is started to see."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from netprov.lab.bootdisk import MARKER, write_disk
from netprov.lab.console import Console
from netprov.lab.firmware import MACHINES, Firmware, missing, pflash

PATIENCE = 8.0  # seconds; with a real KVM it takes two or three

# tb-size: QEMU reserves a gigabyte of translated code a guest otherwise, and twenty guests are wanted at once
TCG = ("-accel", "tcg,thread=single,tb-size=64")
KVM = ("-accel", "kvm")


@dataclass(slots=True)
class Accelerators:
    """What to run each kind of firmware with; each kind is tried once."""

    known: dict[Firmware, bool] = field(default_factory=dict)

    def arguments(self, firmware: Firmware) -> Sequence[str]:
        machine = MACHINES[firmware]
        if self._kvm(firmware):
            return (*KVM, "-cpu", "host")
        return (*TCG, "-cpu", machine.cpu)

    def _kvm(self, firmware: Firmware) -> bool:
        if firmware not in self.known:
            ours = MACHINES[firmware].kvm and platform.machine() == "x86_64"
            # Secure Boot's firmware needs SMM on top: what OVMF alone cannot do, it cannot
            self.known[firmware] = ours and os.access("/dev/kvm", os.W_OK) and _boots(firmware)
        return self.known[firmware]


def _boots(firmware: Firmware) -> bool:
    """Whether a guest under KVM tries its network and then boots a disk (BIOS), or says that it cannot (UEFI).

    SeaBIOS alone proves nothing: a KVM without hardware behind it ran SeaBIOS, and stopped in iPXE's first protected
    mode code ("KVM internal error. Suberror: 1").
    """
    machine = MACHINES[firmware]
    if missing(firmware):
        return False
    with tempfile.TemporaryDirectory(prefix="netprov-kvm-") as name:
        folder = Path(name)
        console, disk = Console(folder / "console"), write_disk(folder / "disk")
        command = [
            machine.qemu,
            *KVM,
            "-cpu",
            "host",
            "-machine",
            machine.machine,
            *machine.extra,
            *pflash(firmware, folder / "nvram.fd"),
            "-m",
            str(machine.memory),
            "-nodefaults",
            "-display",
            "none",
            "-monitor",
            "none",
            "-no-reboot",
            "-serial",
            f"file:{console.path}",
            # QEMU's own network answers DHCP with nothing to boot, and reaches nobody
            "-netdev",
            "user,id=n0,restrict=on",
            "-device",
            "virtio-net-pci,netdev=n0,bootindex=0",
            "-drive",
            f"file={disk},if=none,id=d0,format=raw",
            "-device",
            "virtio-blk-pci,drive=d0,bootindex=1",
        ]
        marker = MARKER.decode().strip() if firmware is Firmware.BIOS else "BdsDxe|UEFI"
        said = folder / "qemu"
        with said.open("wb") as log, subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log) as qemu:
            deadline = time.monotonic() + PATIENCE
            try:
                while time.monotonic() < deadline and qemu.poll() is None:
                    if console.find(marker):
                        return True
                    if b"KVM internal error" in said.read_bytes():
                        return False
                    time.sleep(0.1)
                return console.find(marker) is not None
            finally:
                qemu.kill()
