"""A guest: one QEMU with its network card on the lab's bridge."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from re import Match

from netprov.lab.console import Console, NotSeen
from netprov.lab.firmware import MACHINES, Firmware, pflash

# A guest that boots in 20 s alone needs minutes on a busy machine without KVM. Patience costs a passing test nothing.
BOOT_TIMEOUT = 420.0


@dataclass(slots=True)
class Guest:
    """A guest of a lab; `Lab.guest` makes it. `why`, when given, tells a failure's reader more (a timeline)."""

    firmware: Firmware
    mac: str
    tap: str
    folder: Path
    spawn: Callable[[Sequence[str], Path], subprocess.Popen[bytes]]
    accel: Sequence[str]
    memory: int | None = None
    disk: Path | None = None
    uuid: str = ""
    nic: str = "virtio-net-pci"
    extra: Sequence[str] = ()
    reboots: bool = False
    why: Callable[[], str] | None = None
    starts: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def console(self) -> Console:
        """The console of the last power-on."""
        return Console(self.folder / f"console-{self.starts}.log")

    def power_on(self) -> Guest:
        """Start it, with the NVRAM and disk of the last time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.starts += 1
        self.process = self.spawn(self.command(), self.folder / f"qemu-{self.starts}.log")
        return self

    def command(self) -> list[str]:
        machine = MACHINES[self.firmware]
        rom = [] if self.firmware is Firmware.BIOS else ["romfile="]
        card = ",".join([self.nic, "netdev=n0", f"mac={self.mac}", "bootindex=0", *rom])
        return [
            machine.qemu,
            *self.accel,
            "-machine",
            machine.machine,
            *machine.extra,
            *pflash(self.firmware, self.folder / "nvram.fd"),
            "-m",
            str(self.memory or machine.memory),
            "-smp",
            "1",
            "-nodefaults",
            "-display",
            "none",
            "-monitor",
            "none",
            "-serial",
            f"file:{self.console.path}",
            "-netdev",
            f"tap,id=n0,ifname={self.tap},script=no,downscript=no",
            "-device",
            card,
            # without a source of entropy OVMF refuses to use the network
            "-object",
            "rng-random,id=r0,filename=/dev/urandom",
            "-device",
            "virtio-rng-pci,rng=r0",
            *(["-uuid", self.uuid] if self.uuid else []),
            *([] if self.reboots else ["-no-reboot"]),
            *self._drive(),
            *self.extra,
        ]

    def _drive(self) -> list[str]:
        if self.disk is None:
            return []
        drive = f"file={self.disk},if=none,id=d0,format=raw,cache=unsafe"
        return ["-drive", drive, "-device", "virtio-blk-pci,drive=d0,bootindex=1"]

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def wait_for(self, marker: str, timeout: float = BOOT_TIMEOUT) -> Match[str]:
        """The first match of the regular expression on this power-on's console; NotSeen with the console's end."""
        try:
            return self.console.wait_for(marker, timeout, self.running)
        except NotSeen as error:
            raise NotSeen(self._explained(str(error))) from None

    def wait_off(self, timeout: float = 60.0) -> None:
        """Until the guest has powered itself off; NotSeen when it does not."""
        try:
            if self.process is not None:
                self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            text = f"not off within {timeout:.0f} s; the console:\n{self.console.tail()}"
            raise NotSeen(self._explained(text)) from None

    def power_off(self) -> None:
        """Pull the plug."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _explained(self, text: str) -> str:
        log = self.folder / f"qemu-{self.starts}.log"
        said = log.read_text(errors="replace").strip() if log.exists() else ""
        parts = [f"{self.firmware} guest {self.mac}: {text}", f"QEMU said: {said}" if said else ""]
        if self.why is not None:
            parts.append(self.why())
        return "\n\n".join(part for part in parts if part)
