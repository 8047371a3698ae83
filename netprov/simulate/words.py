"""A simulated boot in words: who asks, what came of it, what a failed stage means for the machine."""

from __future__ import annotations

from collections.abc import Mapping

from netprov.boot.programs import Runs
from netprov.simulate.address import Bound
from netprov.simulate.fetch import Fetched
from netprov.simulate.machine import Address
from netprov.text import size

_MEASURABLE = 0.05  # seconds below which a rate says nothing

NAMES: Mapping[Runs, str] = {
    Runs.ROM: "the PXE ROM", Runs.UEFI: "UEFI", Runs.UEFI_HTTP: "UEFI HTTP Boot", Runs.IPXE: "iPXE",
    Runs.PXELINUX: "PXELINUX", Runs.GRUB: "GRUB", Runs.SHIM: "shim", Runs.XEN: "the domU's bootloader",
    Runs.KERNEL: "the kernel",
}  # fmt: skip


def rate(file: Fetched) -> str:
    """How large, how long, how fast."""
    a_second = f", {size(int(file.size / file.seconds))}/s" if file.seconds >= _MEASURABLE else ""
    return f"{size(file.size)} in {file.seconds:.2f} s{a_second}"


THEN: Mapping[str, str] = {
    "loader": "the machine has no loader to run",
    "script": "the loader does not know what to boot",
    "kernel": "there is no kernel to start",
    "initrd": "the kernel does not get its initrd",
    "autoinstall": "the installer waits at the screen for somebody to answer its questions",
    "callback": "the server does not learn that the install has ended, and installs the machine again",
}
"""What it means for a machine that a stage fails."""


def given(address: Address, runs: Runs) -> str:
    """The address, and what to boot from where."""
    if runs is Runs.KERNEL:
        return f"{address.ip}/{address.prefix} from {address.answered_by}"
    boot = f", boots {address.boot_file}" if address.boot_file else ", nothing to boot"
    where = f" from {address.server}" if address.server and address.boot_file and "://" not in address.boot_file else ""
    return f"{address.ip}/{address.prefix} from {address.answered_by}{boot}{where}"


def options(bound: Bound) -> dict[str, str]:
    """The options that matter to a boot, by their usual names."""
    ack, boot = bound.ack, bound.boot
    found = {
        "yiaddr": str(ack.yiaddr), "server-id": str(ack.server_id), "lease": str(ack.number(51) or ""),
        "router": ", ".join(map(str, ack.addresses(3))), "dns": ", ".join(map(str, ack.addresses(6))),
        "hostname": ack.text(12),
    }  # fmt: skip
    if boot is not None:
        found |= {
            "boot-server-id": str(boot.server_id) if boot is not ack else "",
            "siaddr": str(boot.siaddr), "file": boot.file, "option 66": boot.text(66), "option 67": boot.text(67),
            "option 60": boot.vendor_class, "option 43": boot.octets(43).hex(" "),
        }  # fmt: skip
    return {name: value for name, value in found.items() if value}
