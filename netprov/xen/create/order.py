"""What was asked for → the system that becomes a domU: a declared one, or a new one of a profile."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from netprov.errors import ConfigError, Problem
from netprov.inventory.model import Disk, Interface, Inventory, Target, Value
from netprov.mac import Mac
from netprov.xen.create.declare import new_mac
from netprov.xen.domain import TYPES, plain_path

_VIRT_TYPES = {kind: virt for virt, kind in TYPES.items() if virt != "auto"}
_INTERFACE = "eth0"


@dataclass(frozen=True, slots=True)
class Order:
    """The words of the command. "" and None: the inventory's. `sizes` in octets, whole MiB; `ram` in MiB."""

    source: str  # a system, or a profile to make one from
    name: str = ""
    kind: str = ""
    ram: int | None = None
    cpus: int | None = None
    sizes: tuple[int, ...] = ()
    disks: tuple[str, ...] = ()
    bridge: str = ""
    mac: Mac | None = None
    graphics: bool = True
    full: bool = False
    take_disks: bool = False
    libvirt: bool = False
    output: Path | None = None
    program: str = ""
    wait: bool = True
    timeout: float = 2 * 3600


@dataclass(frozen=True, slots=True)
class Made:
    """The system that becomes a domU. `declares`: what is written into the inventory for it, where it is new."""

    system: Target
    declares: Mapping[str, Value] | None = None


def ordered(order: Order, inventory: Inventory) -> Made:
    """The declared system, or the one made from a profile, with what the order says instead of the inventory.

    Raises ConfigError.
    """
    system = inventory.system(order.source)
    if system is not None:
        return Made(changed(system, order))
    profile = inventory.profile(order.source)
    if profile is None:
        near = inventory.nearest(order.source, profiles=True)
        raise _wrong("", f"no system or profile {order.source!r} is declared{near}")
    if order.mac is not None and (other := inventory.system_by_mac(order.mac)) is not None:
        raise _wrong("--mac", f"{order.mac} is that of the system {other.name}")
    names = {system.name for system in inventory.systems()}
    return of_profile(order, profile, names, {mac for mac, _ in inventory.macs()})


def of_profile(order: Order, profile: Target, systems: Collection[str] = (), macs: Collection[Mac] = ()) -> Made:
    """A new system of the profile. `systems`, `macs`: those that are declared, as far as they are known.

    Raises ConfigError.
    """
    if not order.name:
        raise _wrong("--name", f"{order.source} is a profile: give the new domU a name")
    if order.name in systems:
        raise _wrong("--name", f"a system {order.name} is declared already: netprov domu create {order.name}")
    mac = order.mac or new_mac(macs)
    made = replace(profile, kind="system", name=order.name, profile=profile.name, hostname="", uuid="",
                   interfaces=(Interface(_INTERFACE, mac),))  # fmt: skip
    made = _overridden(made, order)
    return Made(made, _fields(order, mac, made.virt.disks))


def _fields(order: Order, mac: Mac, disks: tuple[Disk, ...]) -> Mapping[str, Value]:
    """What the new system declares itself; all else is its profile's."""
    fields: dict[str, Value] = {"profile": order.source, "interfaces": {_INTERFACE: {"mac": mac}}}
    virt: dict[str, Value] = {}
    if order.kind:
        virt["type"] = _VIRT_TYPES[order.kind]
    if order.ram is not None:
        virt["ram"] = order.ram
    if order.cpus is not None:
        virt["cpus"] = order.cpus
    if order.bridge:
        virt["bridge"] = order.bridge
    if order.sizes or order.disks:
        virt["disks"] = tuple(map(_disk_fields, disks))
    return {**fields, "virt": virt} if virt else fields


def _disk_fields(disk: Disk) -> Mapping[str, Value]:
    fields: dict[str, Value] = {}
    if disk.size:
        fields["size"] = _size(disk.size)
    if disk.path:
        fields["path"] = disk.path
    if disk.driver != "raw":
        fields["driver"] = disk.driver
    return fields


def _size(octets: int) -> str:
    """As the inventory writes it: whole MiB, or GiB."""
    return f"{octets >> 30}G" if octets % (1 << 30) == 0 else f"{-(-octets // (1 << 20))}M"


def changed(system: Target, order: Order) -> Target:
    """A declared system, with what the order says instead; its MAC address is not the order's to say.

    Raises ConfigError.
    """
    if order.mac is not None and order.mac not in {interface.mac for interface in system.interfaces}:
        known = next((interface.mac for interface in system.interfaces if interface.mac is not None), "none")
        raise _wrong("--mac", f"{system.name} is declared with the address {known}: change it there")
    if all(interface.mac is None for interface in system.interfaces):
        text = f'declares no MAC address: write one, such as interfaces: {{{_INTERFACE}: {{mac: "{new_mac(())}"}}}}'
        raise _wrong(f"system {system.name}", text)
    return _overridden(system, order)


def _overridden(system: Target, order: Order) -> Target:
    virt = system.virt
    if order.kind:
        virt = replace(virt, type=_VIRT_TYPES[order.kind])
    if order.sizes or order.disks:
        virt = replace(virt, disks=_disks(order, virt.disks))
    virt = replace(virt, ram=order.ram or virt.ram, cpus=order.cpus or virt.cpus, bridge=order.bridge or virt.bridge)
    interfaces = system.interfaces
    if order.bridge:
        interfaces = tuple(replace(interface, bridge=order.bridge) for interface in interfaces)
    return replace(system, virt=virt, interfaces=interfaces)


def _disks(order: Order, declared: tuple[Disk, ...]) -> tuple[Disk, ...]:
    """--size and --disk in pairs, in the order given; what one of a pair leaves open is as declared."""
    found = []
    for size, path, disk in zip_longest(order.sizes, order.disks, declared):
        if size is None and path is None:
            break  # the declared disks beyond those that were asked for
        disk = disk or Disk()
        disk = replace(disk, size=size or disk.size)
        if path is not None:
            disk = replace(disk, path=os.path.abspath(plain_path(path)))
        found.append(replace(disk, driver="raw") if disk.path.startswith("/dev/") else disk)
    return tuple(found)


def _wrong(where: str, text: str) -> ConfigError:
    return ConfigError(Problem(None, where, text))
