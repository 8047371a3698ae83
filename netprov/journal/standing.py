"""Where each machine stands: what it did last, how far its install is, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from netprov.boot.install import InstallRecord, stands
from netprov.inventory.model import Inventory, Target
from netprov.journal.boots import Boot, Stage
from netprov.journal.verdicts import Context, Heard, Verdict, absence, verdicts
from netprov.mac import Mac

LATELY = 86_400.0
"""Seconds for which a machine that nobody declared is shown after its last boot."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One machine. `system` is "" where nobody declared it, `boot` None where it never booted from us.

    `state` is that of its install ("armed", "installing", "installed" …; "always" for one that boots its kernel every
    time), `since` when `state` or the last stage of its boot was reached, None where there is neither.
    """

    machine: str
    system: str
    state: str
    boot: Boot | None
    since: float | None
    found: tuple[Verdict, ...]

    @property
    def stage(self) -> Stage | None:
        """How far its last boot came."""
        return self.boot.stages[-1] if self.boot is not None and self.boot.stages else None


def standings(
    inventory: Inventory, installs: Mapping[str, InstallRecord], boots: Sequence[Boot], heard: Heard, context: Context
) -> Iterator[Standing]:
    """Every declared system, as declared, then the other machines of the last day. `boots`: each machine's last."""
    latest: dict[str, Boot] = {}
    strangers: list[Boot] = []
    for boot in sorted(boots, key=lambda boot: boot.started):
        name = boot.system if inventory.system(boot.system) is not None else _declared(boot.machine, inventory)
        if name:
            latest[name] = boot
        else:
            strangers.append(boot)
    for system in inventory.systems():
        yield _of_system(system, installs.get(system.name), latest.get(system.name), inventory, heard, context)
    for boot in reversed(strangers):
        if context.now - boot.events[-1].at <= LATELY:
            yield Standing(boot.machine, "", "", boot, _reached(boot), verdicts(boot, context))


def _declared(machine: str, inventory: Inventory) -> str:
    system = inventory.system_by_mac(Mac(machine))
    return system.name if system is not None else ""


def _of_system(
    system: Target,
    record: InstallRecord | None,
    boot: Boot | None,
    inventory: Inventory,
    heard: Heard,
    context: Context,
) -> Standing:
    macs = [interface.mac for interface in system.interfaces if interface.mac]
    machine = boot.machine if boot is not None else macs[0] if macs else ""
    state = str(stands(record, system.install) or system.install)
    times = [_reached(boot)] if boot is not None else []
    if record is not None and record.since:
        times.append(record.since)
    found = verdicts(boot, context) if boot is not None else absence(system, inventory, heard, context)
    return Standing(machine, system.name, state, boot, max(times, default=None), found)


def _reached(boot: Boot) -> float:
    return boot.stages[-1].until if boot.stages else boot.started
