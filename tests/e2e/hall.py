"""A hall of machines before one server: booted two at a time, while tests look at those that have ended.

TCG runs a guest on one processor; two side by side halve the time of the whole, more gain nothing on two.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence, Set
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from netprov.lab.firmware import Firmware
from netprov.lab.guest import BOOT_TIMEOUT, Guest

from ..turns import Turns
from .served import Served

AT_ONCE = 2
INSTALLED = ("address", "loader", "script", "kernel", "initrd", "autoinstall", "callback")


@dataclass(frozen=True, slots=True)
class Machine:
    """One row: a machine, how it is declared, and what its boot is to show."""

    name: str
    number: int  # of its MAC and address
    firmware: Firmware
    system: Mapping[str, Any] | None  # its fields beside `interfaces`; None: it is not declared
    files: Sequence[str]  # what it fetches, in this order, "A|B" either; others may come between
    stages: Sequence[str] = INSTALLED
    facts: Sequence[str] = ()  # what its probe says beside the usual, regular expressions
    disk: bool = False
    over: str = ""  # where its console says this the plug is pulled; "": it switches itself off
    verdicts: Set[str] = frozenset()  # ids of those that its boot is to have

    @property
    def mac(self) -> str:
        return f"52:54:00:77:00:{self.number:02x}"

    @property
    def address(self) -> str:
        return f"10.77.0.{self.number}"


def declared(machines: Sequence[Machine]) -> dict[str, Any]:
    """`systems:` of netprov.yaml."""
    return {
        machine.name: {
            "profile": "probe", "install": "install-once", **machine.system,
            "interfaces": {"eth0": {"mac": machine.mac, "ip": machine.address}},
        }
        for machine in machines
        if machine.system is not None
    }  # fmt: skip


def troubled(machines: Sequence[Machine]) -> dict[str, Set[str]]:
    """For `Served`: what is to be wrong with whose boots."""
    return {machine.name if machine.system is not None else machine.mac: machine.verdicts for machine in machines}


def fetched(boot: dict[str, Any]) -> list[str]:
    """The files that a boot has fetched whole, in order."""
    done = [event for event in boot["events"] if event["kind"] in ("tftp.done", "http.done")]
    return [event["name"].lstrip("/").partition("?")[0] for event in done]


def in_order(wanted: Sequence[str], seen: Sequence[str]) -> bool:
    rest = iter(seen)
    return all(any(name in either.split("|") for name in rest) for either in wanted)


def _weight(firmware: Firmware) -> int:
    """A Secure Boot guest runs alone: starved by others, its GRUB gives up on files that it never asked for, or crashes
    in the firmware's network driver (seen under TCG, with three guests on two cores)."""
    return AT_ONCE if firmware is Firmware.UEFI_SB else 1


@dataclass(slots=True)
class Hall:
    """The machines wanted, in the order to boot them. One thread uses it: whoever waits also switches the next on."""

    served: Served
    machines: Sequence[Machine]
    turns: Turns
    guests: dict[str, Guest] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)
    _alone: ExitStack = field(default_factory=ExitStack)  # not empty while a guest runs that must be

    def guest(self, machine: Machine) -> Guest:
        """The machine's guest, switched off after its boot (or when it took too long)."""
        while machine.name not in self.guests or self.guests[machine.name].running():
            self._tend()
            time.sleep(0.2)
        self._end_alone()
        return self.guests[machine.name]

    def _end_alone(self) -> None:
        if not any(guest.running() for guest in self.guests.values()):
            self._alone.close()

    def _tend(self) -> None:
        now = time.monotonic()
        self._end_alone()
        for machine in self.machines:
            guest = self.guests.get(machine.name)
            if guest is None:
                running = [other.firmware for other in self.guests.values() if other.running()]
                if sum(map(_weight, (*running, machine.firmware))) <= AT_ONCE:
                    if _weight(machine.firmware) == AT_ONCE:
                        self._alone.enter_context(self.turns.alone())
                    guest = self.served.lab.guest(machine.firmware, machine.mac, disk=machine.disk)
                    self.guests[machine.name], self._since[machine.name] = guest.power_on(), now
            elif guest.running() and (
                now - self._since[machine.name] > BOOT_TIMEOUT or (machine.over and guest.console.find(machine.over))
            ):
                guest.power_off()
