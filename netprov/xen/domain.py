"""A domU as it is to run, by what the inventory declares: xl's configuration and libvirt's are both made from it."""

from __future__ import annotations

from dataclasses import dataclass

from netprov.errors import ConfigError, Problem
from netprov.inventory.model import Target
from netprov.mac import Mac
from netprov.xen.xlconfig.convert import EMPTY_DISK

TYPES = {"xenpv": "pv", "xenpvh": "pvh", "xenfv": "hvm", "auto": "pv"}
"""virt.type, and what xl calls it."""

BOOTLOADER = "netprov-pxeboot"
LOCAL_BOOTLOADER = "pygrub"
IMAGES = "/var/lib/xen/images"
FORMATS = ("raw", "qcow2", "qed")
_MOST_DISKS = {"pv": 26, "pvh": 26, "hvm": 4}  # one letter each; an HVM guest's are IDE's hda to hdd
_PREFIXES = ("phy:", "file:")


@dataclass(frozen=True, slots=True)
class Nic:
    mac: Mac
    bridge: str = ""


@dataclass(frozen=True, slots=True)
class DomainDisk:
    """`size` in octets, 0 where nothing says it. `empty`: the file of no octets that xl wants in place of no disk."""

    path: str
    format: str = "raw"
    vdev: str = "xvda"
    size: int = 0
    empty: bool = False

    @property
    def device(self) -> bool:
        """Whether it is a block device of dom0's."""
        return self.path.startswith("/dev/")


@dataclass(frozen=True, slots=True)
class Domain:
    """`kind` is pv, pvh or hvm; `memory` in MiB. `nics`: the one that boots is the first.

    `program` is the bootloader of a PV or PVH guest; `local`: it boots its own disk and asks no network.
    """

    name: str
    kind: str
    memory: int
    vcpus: int
    nics: tuple[Nic, ...]
    disks: tuple[DomainDisk, ...]
    uuid: str = ""
    program: str = BOOTLOADER
    graphics: bool = True
    local: bool = False

    @property
    def mac(self) -> Mac:
        return self.nics[0].mac

    @property
    def bridge(self) -> str:
        return self.nics[0].bridge


def domain_of(system: Target, guest_type: str = "", program: str = BOOTLOADER) -> Domain:
    """The domU that `system` is. `guest_type`: pv, pvh or hvm; "": as virt.type says.

    Raises ConfigError for a system that is not a Xen guest, has no MAC address, or disks that Xen cannot give it.
    """
    kind = guest_type or TYPES.get(system.virt.type, "")
    if not kind:
        text = f"{system.virt.type} is not a Xen guest: set virt.type to xenpv, xenpvh or xenfv"
        raise _wrong(system, "virt.type", text)
    nics = _nics(system)
    if not nics:
        raise _wrong(system, "interfaces", "no interface has a MAC address, by which it would be known")
    virt = system.virt
    return Domain(system.name, kind, virt.ram, virt.cpus, nics, _disks(system, kind), system.uuid, program)


def _nics(system: Target) -> tuple[Nic, ...]:
    found: dict[Mac, Nic] = {}
    for interface in system.interfaces:
        if interface.mac is not None:  # a VLAN shares its interface's
            found.setdefault(interface.mac, Nic(interface.mac, interface.bridge or system.virt.bridge))
    return tuple(found.values())


def _disks(system: Target, kind: str) -> tuple[DomainDisk, ...]:
    if len(system.virt.disks) > _MOST_DISKS[kind]:
        raise _wrong(system, "virt.disks", f"a {kind} guest has no more than {_MOST_DISKS[kind]}")
    letters = "hd" if kind == "hvm" else "xvd"
    found = []
    for number, disk in enumerate(system.virt.disks):
        if disk.driver not in FORMATS:
            raise _wrong(system, f"virt.disks.{number}.driver", f"xl knows no {disk.driver}: {', '.join(FORMATS)}")
        path = plain_path(disk.path) or f"{_folder(system)}/{system.name}-disk{number}"
        found.append(DomainDisk(path, disk.driver, f"{letters}{chr(ord('a') + number)}", disk.size))
    if not found and kind != "hvm":
        found.append(DomainDisk(EMPTY_DISK, empty=True))
    return tuple(found)


def plain_path(written: str) -> str:
    """A path without xend's phy: or file:, which people go on writing."""
    for prefix in _PREFIXES:
        written = written.removeprefix(prefix)
    return written


def _folder(system: Target) -> str:
    """virt.path: a folder, or a volume group, which may stand there by its name alone."""
    path = plain_path(system.virt.path).rstrip("/") or IMAGES
    return path if "/" in path else f"/dev/{path}"


def _wrong(system: Target, field: str, text: str) -> ConfigError:
    origin = system.origins.get(field.partition(".")[0], system.origin)
    return ConfigError(Problem(origin, f"{system.kind} {system.name}, field {field}", text))
