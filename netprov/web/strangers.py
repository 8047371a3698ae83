"""Machines that boot from the network and are not declared: seen lately, and the YAML that would declare one."""

from __future__ import annotations

from dataclasses import dataclass

from netprov.errors import Origin
from netprov.inventory.edit import home
from netprov.inventory.insertion import with_entry
from netprov.inventory.model import InstallMode, Inventory, Value
from netprov.inventory.values import parse_name
from netprov.journal.boots import Boot
from netprov.journal.timeline import Timeline
from netprov.mac import Mac, octets_of
from netprov.web.explained import arch_seen, origin_text
from netprov.web.machines import Machine
from netprov.web.words import shown

SHOWN = 10
LOOKED_AT = 60  # recent boots, of all machines


@dataclass(frozen=True, slots=True)
class Stranger:
    """`machine`: its MAC, or "ip ADDRESS"."""

    machine: str
    at: float
    firmware: str
    ip: str
    stage: str
    boots: int


def lately(journal: Timeline, inventory: Inventory) -> tuple[Stranger, ...]:
    """Those among the recent boots, the latest first."""
    found: dict[str, Stranger] = {}
    for boot in reversed(journal.recent_others(LOOKED_AT, lambda mac: inventory.system_by_mac(Mac(mac)) is not None)):
        if boot.machine not in found and not boot.system:
            found[boot.machine] = _stranger(boot)
    return tuple(found.values())[:SHOWN]


def _stranger(boot: Boot) -> Stranger:
    arch = arch_seen(boot)
    ip = next((event.ip for event in reversed(boot.events) if event.ip not in ("", "0.0.0.0")), "")
    stage = boot.stages[-1].name if boot.stages else ""
    return Stranger(boot.machine, boot.events[-1].at, arch.name if arch else "", ip, stage, boot.number)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What declares a machine. `problem`: why it cannot be declared so; `file`: where it would be written."""

    name: str
    profile: str
    profiles: tuple[str, ...]
    mac: str
    file: str
    problem: str

    def fields(self, install: bool) -> dict[str, Value]:
        """The system's, as netprov.yaml has them. `install`: at its next network boot."""
        once: dict[str, Value] = {"install": InstallMode.ONCE.value} if install else {}
        return {"profile": self.profile, **once, "interfaces": {"eth0": {"mac": self.mac}}}

    @property
    def text(self) -> str:
        """The lines to write by hand."""
        return with_entry("", ("systems",), self.name, self.fields(install=True))


def suggest(machine: Machine, inventory: Inventory, name: str, profile: str, problem: str = "") -> Suggestion | None:
    """What declares `machine` as `name`; None where nobody knows its MAC."""
    mac = machine.mac
    if not mac:
        return None
    profiles = tuple(profile.name for profile in inventory.profiles())
    usual = f"node-{octets_of(mac)[3:].hex()}"
    wanted = name or usual
    try:
        parse_name(wanted)
    except ValueError as error:
        problem, wanted = problem or str(shown(str(error))), usual
    if inventory.system(wanted) is not None:
        problem = problem or f"a system is called {wanted} already"
    chosen = profile if profile in profiles else next(iter(profiles), "PROFILE")
    if not profiles:
        problem = problem or "no profile is declared yet: it says what a machine boots"
    elif profile and chosen != profile:
        problem = problem or "choose an existing profile"
    return Suggestion(wanted, chosen, profiles, mac, _file(inventory), problem)


def _file(inventory: Inventory) -> str:
    """Where a new system goes, relative to the folder of netprov.yaml."""
    if not inventory.files:
        return ""
    return origin_text(Origin(str(home(inventory))), inventory.files)
