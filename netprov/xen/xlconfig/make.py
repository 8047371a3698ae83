"""A declared system → the configuration of its domU."""

from __future__ import annotations

from netprov.errors import ConfigError, Problem
from netprov.inventory.model import Interface, Target
from netprov.xen.xlconfig.convert import EMPTY_DISK
from netprov.xen.xlconfig.disk import Disk
from netprov.xen.xlconfig.document import Number, Value, setting
from netprov.xen.xlconfig.vif import Vif

TYPES = {"xenpv": "pv", "xenpvh": "pvh", "xenfv": "hvm", "auto": "pv"}
"""virt.type, and what xl calls it."""

BOOTLOADER = "netprov-pxeboot"
IMAGES = "/var/lib/xen/images"
_MODEL = "e1000"  # both qemu's ROM and every system's drivers know it
_FORMATS = ("raw", "qcow2", "qed")


def make(system: Target, guest_type: str = "", program: str = BOOTLOADER) -> str:
    """The text of the configuration. `guest_type`: pv, pvh or hvm; "": as virt.type says.

    Raises ConfigError for a system that is no Xen guest, has no MAC address, or a disk of a format that xl lacks.
    """
    kind = guest_type or TYPES.get(system.virt.type, "")
    if not kind:
        text = f"{system.virt.type} is no Xen guest: set virt.type to xenpv, xenpvh or xenfv"
        raise _wrong(system, "virt.type", text)
    booting = next((interface for interface in system.interfaces if interface.mac is not None), None)
    if booting is None or booting.mac is None:
        raise _wrong(system, "interfaces", "no interface has a MAC address, by which it would be known")
    settings: list[tuple[str, Value]] = [("name", system.name), ("type", kind)]
    if system.uuid:
        settings.append(("uuid", system.uuid))
    settings += [("memory", Number(system.virt.ram)), ("vcpus", Number(system.virt.cpus))]
    if kind == "hvm":
        settings += [("boot", "nd"), ("serial", "pty"), ("vnc", Number(1))]
    else:
        bridge = booting.bridge or system.virt.bridge
        arguments = [f"mac={booting.mac}", *([f"--bridge={bridge}"] if bridge else [])]
        settings += [("bootloader", program), ("bootloader_args", tuple(arguments))]
    settings += [("vif", _vifs(system, kind)), ("disk", _disks(system, kind))]
    settings += [("on_poweroff", "destroy"), ("on_reboot", "restart"), ("on_crash", "destroy")]
    head = f"# system {system.name} of netprov's inventory: change it there, then netprov domu config {system.name}\n"
    return head + "".join(f"{setting(name, value)}\n" for name, value in settings)


def needs_empty_disk(system: Target, guest_type: str = "") -> bool:
    """Whether the configuration names EMPTY_DISK, which must then be made."""
    return not system.virt.disks and (guest_type or TYPES.get(system.virt.type, "")) != "hvm"


def _vifs(system: Target, kind: str) -> tuple[str, ...]:
    seen: set[str] = set()
    found = []
    for interface in system.interfaces:
        if interface.mac is not None and interface.mac not in seen:  # a VLAN shares its interface's
            seen.add(interface.mac)
            found.append(str(_vif(interface, system, kind)))
    return tuple(found)


def _vif(interface: Interface, system: Target, kind: str) -> Vif:
    bridge = interface.bridge or system.virt.bridge
    if kind == "hvm":
        return Vif(mac=interface.mac, bridge=bridge, type="ioemu", model=_MODEL)
    return Vif(mac=interface.mac, bridge=bridge)


def _disks(system: Target, kind: str) -> tuple[str, ...]:
    letter = "hd" if kind == "hvm" else "xvd"
    found = []
    for number, disk in enumerate(system.virt.disks):
        if disk.driver not in _FORMATS:
            raise _wrong(system, f"virt.disks.{number}.driver", f"xl knows no {disk.driver}: {', '.join(_FORMATS)}")
        folder = system.virt.path or IMAGES
        path = disk.path or f"{folder.rstrip('/')}/{system.name}-disk{number}"
        found.append(str(Disk(path, disk.driver, f"{letter}{chr(ord('a') + number)}")))
    if not found and kind != "hvm":
        found.append(str(Disk(EMPTY_DISK, vdev="xvda", access="r")))
    return tuple(found)


def _wrong(system: Target, field: str, text: str) -> ConfigError:
    origin = system.origins.get(field.partition(".")[0], system.origin)
    return ConfigError(Problem(origin, f"system {system.name}, field {field}", text))
