"""A PXE server that is not netprov: dnsmasq with a pxelinux.cfg for each of its machines, by TFTP alone."""

from __future__ import annotations

import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

from netprov.bootimages.probe import Probe
from netprov.lab.lab import Lab

ADDRESS, NOBODY = "10.77.0.2", "10.77.0.9"
APPEND = "console=hvc0 quiet foreign=1"


@dataclass(frozen=True, slots=True)
class Machine:
    """`mac` is booted with `kernel`, a file of the TFTP root. `elsewhere`: its boot server is one that is not there."""

    name: str
    number: int
    kernel: str = "vmlinuz"
    elsewhere: bool = False

    @property
    def mac(self) -> str:
        return f"00:16:3e:77:01:{self.number:02x}"

    @property
    def address(self) -> str:
        return f"10.77.0.{self.number}"


MACHINES = {
    machine.name: machine
    for machine in (
        Machine("foreign", 61),
        Machine("no-server", 62, elsewhere=True),
        Machine("truncated", 63, "truncated"),
        Machine("arm64", 64, "arm64"),
        Machine("no-label", 65),
        Machine("destroyed", 66),
        Machine("killed", 67),
    )
}

PXELINUX = """\
DEFAULT install
PROMPT 0
LABEL install
  KERNEL {kernel}
  APPEND initrd=initrd.img {append}
LABEL local
  LOCALBOOT 0
"""


def serve(lab: Lab, folder: Path, probe: Probe) -> Path:
    """Starts it on a station of the lab; answers to its own machines only. Returns its log."""
    root = folder / "foreign"
    (root / "pxelinux.cfg").mkdir(parents=True)
    kernel = probe.kernel.read_bytes()
    shutil.copyfile(probe.initrd, root / "initrd.img")
    (root / "vmlinuz").write_bytes(kernel)
    (root / "truncated").write_bytes(kernel[: 1 << 16])
    (root / "arm64").write_bytes(_arm64_image())
    (root / "pxelinux.0").write_bytes(b"no domU runs it")
    for machine in MACHINES.values():
        text = PXELINUX.format(kernel=machine.kernel, append=APPEND)
        (root / f"pxelinux.cfg/01-{machine.mac.replace(':', '-')}").write_text(text)
    log = folder / "dnsmasq.log"
    station = lab.station("foreign", "02:00:00:77:00:02", f"{ADDRESS}/24")
    station.spawn([
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--leasefile-ro",
        "--log-dhcp", "--log-facility=-", "--no-ping", "--user=root", "--enable-tftp", f"--tftp-root={root}",
        "--dhcp-range=10.77.0.60,10.77.0.69,1h", "--dhcp-ignore=tag:!known", "--dhcp-boot=pxelinux.0",
        f"--dhcp-boot=tag:elsewhere,pxelinux.0,,{NOBODY}",
        *(f"--dhcp-host={m.mac},{m.address}{',set:elsewhere' if m.elsewhere else ''}" for m in MACHINES.values()),
    ], log)  # fmt: skip
    return log


def _arm64_image() -> bytes:
    """The header of an arm64 kernel (Documentation/arm64/booting.rst), and nothing behind it."""
    head = struct.pack("<IIQQQQQQ4sI", 0x91005A4D, 0, 0, 1 << 16, 0xA, 0, 0, 0, b"ARM\x64", 0)
    return head.ljust(1 << 16, b"\0")
