"""A domU → its configuration for xl."""

from __future__ import annotations

from netprov.inventory.model import Target
from netprov.xen.domain import BOOTLOADER, LOCAL_BOOTLOADER, Domain, Nic, domain_of
from netprov.xen.xlconfig.disk import Disk
from netprov.xen.xlconfig.document import Number, Value, setting
from netprov.xen.xlconfig.vif import Vif

_MODEL = "e1000"  # both qemu's ROM and every system's drivers know it


def make(system: Target, guest_type: str = "", program: str = BOOTLOADER) -> str:
    """The configuration of a declared system. `guest_type`: pv, pvh or hvm; "": as virt.type says.

    Raises ConfigError for a system that is not a Xen guest, has no MAC address, or a disk of a format that xl lacks.
    """
    head = f"# system {system.name} of netprov's inventory: change it there, then netprov domu config {system.name}\n"
    return head + write(domain_of(system, guest_type, program))


def write(domain: Domain) -> str:
    """The settings, a line each. Raises ConfigError for what xl's configuration cannot express."""
    settings: list[tuple[str, Value]] = [("name", domain.name), ("type", domain.kind)]
    if domain.uuid:
        settings.append(("uuid", domain.uuid))
    settings += [("memory", Number(domain.memory)), ("vcpus", Number(domain.vcpus))]
    settings += _boot(domain)
    settings.append(("vif", tuple(str(_vif(nic, domain.kind)) for nic in domain.nics)))
    disks = (Disk(d.path, d.format, d.vdev, "r" if d.empty else "rw") for d in domain.disks)
    settings.append(("disk", tuple(map(str, disks))))
    settings += [("on_poweroff", "destroy"), ("on_reboot", "restart"), ("on_crash", "destroy")]
    return "".join(f"{setting(name, value)}\n" for name, value in settings)


def needs_empty_disk(system: Target, guest_type: str = "") -> bool:
    """Whether the configuration names EMPTY_DISK, which must then be made. Raises as make()."""
    return any(disk.empty for disk in domain_of(system, guest_type).disks)


def _boot(domain: Domain) -> list[tuple[str, Value]]:
    if domain.kind == "hvm":
        screen: list[tuple[str, Value]] = [("vnc", Number(1))]
        if not domain.graphics:
            screen = [("vnc", Number(0)), ("nographic", Number(1))]
        return [("boot", "c" if domain.local else "nd"), ("serial", "pty"), *screen]
    if domain.local:
        return [("bootloader", LOCAL_BOOTLOADER)]
    arguments = [f"mac={domain.mac}", *([f"--bridge={domain.bridge}"] if domain.bridge else [])]
    return [("bootloader", domain.program), ("bootloader_args", tuple(arguments))]


def _vif(nic: Nic, kind: str) -> Vif:
    if kind == "hvm":
        return Vif(mac=nic.mac, bridge=nic.bridge, type="ioemu", model=_MODEL)
    return Vif(mac=nic.mac, bridge=nic.bridge)
