"""An order → all the steps that make the domU, install it, and let it boot its own disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from netprov.errors import ConfigError, Problem
from netprov.inventory.model import InstallMode, Inventory, Target
from netprov.xen.create.configuration import Configuration, Replaced, StartsWithDom0
from netprov.xen.create.declare import Declare, DeclareThere
from netprov.xen.create.disks import disk_steps
from netprov.xen.create.host import Host
from netprov.xen.create.install import ArmInstall, Follow
from netprov.xen.create.libvirt import Define, Redefine, VirshStart, domain_xml, virsh_runs
from netprov.xen.create.order import Order, changed, of_profile, ordered
from netprov.xen.create.remote import RemoteSite
from netprov.xen.create.site import LocalSite, Site
from netprov.xen.create.step import Say, Step
from netprov.xen.create.xl import XlStart, xl_runs
from netprov.xen.domain import Domain, domain_of
from netprov.xen.xlconfig.make import write

FOLDER = Path("/etc/xen")


@dataclass(frozen=True, slots=True)
class Plan:
    """`made` is undone where one of its steps fails. `after`: what follows a finished install, and never undoes it."""

    made: tuple[Step, ...]
    after: tuple[Step, ...] = ()

    def shown(self) -> Iterator[str]:
        for step in (*self.made, *self.after):
            yield from step.shown()


def local_plan(order: Order, config: Path, inventory: Inventory) -> Plan:
    """With the inventory on this host. Raises ConfigError."""
    made = ordered(order, inventory)
    declare = [] if made.declares is None else [Declare(config, inventory, made.system.name, made.declares)]
    return _plan(order, made.system, LocalSite(inventory), declare)


def remote_plan(order: Order, site: RemoteSite) -> Plan:
    """With the inventory of the netprov at `site`. Raises ConfigError and PeerError."""
    system = site.system(order.source)
    if system is not None:
        return _plan(order, changed(system, order), site, [])
    profile = site.profile(order.source)
    if profile is None:
        raise ConfigError(Problem(None, str(site), f"no system or profile {order.source!r} is declared there"))
    there = [order.name] if order.name and site.system(order.name) is not None else []
    made = of_profile(order, profile, there)
    return _plan(order, made.system, site, [DeclareThere(site, made.system, made.declares or {})])


def _plan(order: Order, system: Target, site: Site, declare: Sequence[Step]) -> Plan:
    domain = domain_of(replace(system, name=order.name or system.name), "", order.program)
    domain = replace(domain, graphics=order.graphics)
    always = system.install is InstallMode.ALWAYS  # it boots its kernel every time, and is never installed
    arm: list[Step] = [] if always else [ArmInstall(site, system)]
    hypervisor = _Libvirt(order, system, domain) if order.libvirt else _Xl(order, system, domain)
    made: list[Step] = [Dom0(domain), *declare, *disk_steps(domain.disks, order.take_disks, order.full)]
    made += [hypervisor.define, *arm, hypervisor.start]
    if always or not order.wait:
        return Plan(tuple(made))
    made.append(Follow(site, system, domain.name, hypervisor.runs, order.timeout))
    diskless = all(disk.empty for disk in domain.disks)
    return Plan(tuple(made), () if diskless else tuple(hypervisor.after))


class _Xl:
    def __init__(self, order: Order, system: Target, domain: Domain) -> None:
        file = order.output or FOLDER / f"{domain.name}.cfg"
        head = f"# written by netprov domu create, for the system {system.name} of netprov's inventory\n"
        self.define = Configuration(file, head + write(domain))
        self.start = XlStart(domain.name, file)
        self.runs = xl_runs
        self.after: list[Step] = [Replaced(file, head + write(replace(domain, local=True)))]
        if system.virt.auto_boot:
            self.after.append(StartsWithDom0(file))


class _Libvirt:
    def __init__(self, order: Order, system: Target, domain: Domain) -> None:
        file = order.output or FOLDER / f"{domain.name}.xml"
        self.define = Define(domain.name, file, domain_xml(domain))
        self.start = VirshStart(domain.name)
        self.runs = virsh_runs
        self.after: list[Step] = [
            Replaced(file, domain_xml(replace(domain, local=True))),
            Redefine(domain.name, file, system.virt.auto_boot),
        ]


class Dom0:
    """Makes nothing: sees that dom0 has what the domU needs, before anything is made."""

    def __init__(self, domain: Domain) -> None:
        self._bridges = dict.fromkeys(nic.bridge for nic in domain.nics if nic.bridge)
        self._program = domain.program if domain.kind != "hvm" else ""

    def shown(self) -> Iterator[str]:
        yield from ()

    def problems(self, host: Host) -> Iterator[Problem]:
        for name in self._bridges:
            if not host.has_interface(name):
                known = ", ".join(host.bridges()) or "none"
                yield Problem(None, f"bridge {name}", f"there is no such bridge (bridges: {known}); give --bridge")
        if self._program and not (os.access(self._program, os.X_OK) or host.has(self._program)):
            yield Problem(None, self._program, "is not here: install netprov in dom0, too, or name it by --bootloader")

    def do(self, host: Host, say: Say) -> None:
        """Nothing."""

    def undo(self, host: Host) -> None:
        """Nothing."""
