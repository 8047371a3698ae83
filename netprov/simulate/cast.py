"""Which machines to simulate: declared ones, one by its MAC, or strangers by the dozen."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace

from netprov.boot.chain import dhcp_via
from netprov.boot.decide import decide
from netprov.boot.decision import Action
from netprov.boot.programs import PROGRAMS
from netprov.boot.request import BootRequest
from netprov.boot.state import BootState
from netprov.boot.who import of_system, system_of, who
from netprov.errors import ConfigError
from netprov.inventory.model import Inventory, Target
from netprov.mac import Mac, mac_of
from netprov.simulate.machine import KINDS, Kind, Machine, usual_kind
from netprov.state.failure import StateError
from netprov.state.place import Place

MOST_STRANGERS = 500


def named(text: str, inventory: Inventory, kind: Kind | None) -> Machine:
    """The machine that `text` means: a system's name, a MAC, a UUID or an address of one.

    Raises UnknownName.
    """
    asking = who(text, inventory)
    system = inventory.system(text) or inventory.system(system_of(text, inventory))
    return _of(system, kind, asking.mac) if system is not None else _machine(asking, kind or KINDS["bios"])


def _of(system: Target, kind: Kind | None, mac: Mac | None = None) -> Machine:
    """The declared system, with firmware that its kernel runs on unless `kind` says another."""
    asking = of_system(system)
    return replace(_machine(replace(asking, mac=mac or asking.mac), kind or usual_kind(system.arch)), name=system.name)


def every(inventory: Inventory, kind: Kind | None) -> list[Machine]:
    """Every declared system."""
    return [_of(system, kind) for system in inventory.systems()]


def strangers(count: int, kind: Kind) -> list[Machine]:
    """Machines that nobody declared, with locally administered MACs."""
    return [Machine(_local_mac(), kind) for _ in range(count)]


def _machine(asking: BootRequest, kind: Kind) -> Machine:
    """With a MAC made up where none is known: such a machine is recognised by its UUID or serial number."""
    return Machine(asking.mac or _local_mac(), kind, uuid=asking.uuid, client_id=asking.client_id, serial=asking.serial)


def _local_mac() -> Mac:
    return mac_of(b"\x02" + secrets.token_bytes(5))


def loaders_expected(machines: list[Machine], inventory: Inventory) -> Iterator[str]:
    """For each machine the loader that netprov would give it; "" where none, or where that cannot be known here: the
    install states are the server's, and this may be another host.
    """
    from netprov.explain.state import records  # late: our own DHCP comes with it

    place = Place(inventory.settings.server.state)
    if place.database is not None and not place.database.exists():
        yield from ("" for _ in machines)
        return
    try:
        with records(inventory) as kept:
            state = BootState(kept)
            found = [_expected(machine, inventory, state) for machine in machines]
    except (ConfigError, StateError):
        found = ["" for _ in machines]
    yield from found


def _expected(machine: Machine, inventory: Inventory, state: BootState) -> str:
    subnet = next(iter(inventory.subnets), None)
    decision = decide(
        BootRequest(
            dhcp_via(inventory),
            PROGRAMS[machine.kind.starts].loader,
            mac=machine.mac, uuid=machine.uuid, client_id=machine.client_id, serial=machine.serial,
            server=inventory.settings.server.address or (subnet.subnet[0] if subnet is not None else None),
            arch=machine.kind.arch.code,
        ),
        inventory,
        state,
    )  # fmt: skip
    return decision.loader_file if decision.action is Action.LOADER else ""
