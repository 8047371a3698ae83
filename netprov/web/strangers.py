"""Machines that boot from the network and that nothing declares: seen lately, and the YAML that would declare one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from netprov.inventory.model import Inventory
from netprov.inventory.values import parse_name
from netprov.journal.boots import Boot
from netprov.journal.timeline import Timeline
from netprov.web.explained import arch_seen
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
    for boot in reversed(journal.recent(LOOKED_AT)):
        if boot.machine not in found and not boot.system and boot.machine not in inventory.by_mac:
            found[boot.machine] = _stranger(boot)
    return tuple(found.values())[:SHOWN]


def _stranger(boot: Boot) -> Stranger:
    arch = arch_seen(boot)
    ip = next((event.ip for event in reversed(boot.events) if event.ip not in ("", "0.0.0.0")), "")
    stage = boot.stages[-1].name if boot.stages else ""
    return Stranger(boot.machine, boot.events[-1].at, arch.name if arch else "", ip, stage, boot.number)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What to write to declare a machine. `problem`: the name that was asked for cannot be one."""

    name: str
    profile: str
    profiles: tuple[str, ...]
    text: str
    problem: str


def suggest(machine: Machine, inventory: Inventory, name: str, profile: str) -> Suggestion | None:
    """YAML that declares `machine` as `name`; None where nobody knows its MAC."""
    mac = machine.mac
    if not mac:
        return None
    profiles = tuple(inventory.profiles)
    problem = ""
    wanted = name or f"node-{mac.replace(':', '')[-6:]}"
    try:
        parse_name(wanted)
    except ValueError as error:
        problem, wanted = str(shown(str(error))), f"node-{mac.replace(':', '')[-6:]}"
    if wanted in inventory.systems:
        problem = f"a system is called {wanted} already"
    chosen = profile if profile in inventory.profiles else next(iter(profiles), "PROFILE")
    return Suggestion(wanted, chosen, profiles, "\n".join(_yaml(wanted, chosen, mac)) + "\n", problem)


def _yaml(name: str, profile: str, mac: str) -> Iterator[str]:
    """Quoted throughout: a name may be `no`, or `12e3`. A name has none of YAML's quotes or escapes in it."""
    yield "systems:"
    yield f'  "{name}":'
    yield f'    profile: "{profile}"'
    yield "    install: install-once"
    yield "    interfaces:"
    yield f'      eth0: {{mac: "{mac}"}}'
