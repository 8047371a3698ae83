"""Declaring and removing a system: by the page and by the API, in the operator's own files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from netprov.boot.reason import Reason
from netprov.errors import ConfigError, PeerError, Problem
from netprov.inventory.edit import NotDeclaredError, add_system, remove_system
from netprov.inventory.model import Inventory, Value
from netprov.journal.event import Event, Kind
from netprov.mac import Mac, parse_mac
from netprov.web.explained import origin_text
from netprov.web.services import Services

PATIENCE = 5.0
"""Seconds to wait for the server to take the edit over, so that the next page shows it: the watcher waits 0.15 s for
more of them, and 10,000 systems take 2 s to load."""


def declare(services: Services, name: str, fields: Mapping[str, Value], by: str) -> str:
    """Declare the system `name`, as `by` wants; where it stands now ("systems.yaml:12").

    Raises PeerError (409): the name or a MAC is taken, it does not load, or the files cannot be written.
    """
    inventory = services.inventory()
    if inventory.system(name) is not None:
        raise PeerError(f"a system is called {name} already", 409)
    macs = list(_macs(fields))
    for mac in macs:
        if (other := inventory.system_by_mac(mac)) is not None:
            raise PeerError(f"{mac} is declared already: it is {other.name}", 409)
    try:
        added = add_system(Path(inventory.files[0]), name, fields)
    except ConfigError as error:
        raise _refused(error, inventory.files) from None
    where = origin_text(added.origin, inventory.files)
    text = f"{by} declared {name}, in {where}"
    services.record(
        Event(services.clock(), Kind.INVENTORY, Reason.INVENTORY_EDITED, text, mac=macs[0] if macs else "", system=name)
    )
    _taken_over(services, lambda inventory: inventory.system(name) is not None)
    return where


def remove(services: Services, name: str, by: str) -> str:
    """Take the system `name` out of the files, as `by` wants; where it stood ("systems.yaml:12").

    Raises PeerError (404: there is none; 409: it cannot be cut out, it does not load, or the files cannot be written).
    """
    inventory = services.inventory()
    try:
        removed = remove_system(Path(inventory.files[0]), name)
    except NotDeclaredError:
        raise PeerError(f"no system is called {name!r}", 404) from None
    except ConfigError as error:
        raise _refused(error, inventory.files) from None
    where = origin_text(removed.origin, inventory.files)
    target = inventory.system(name)
    mac = next((interface.mac for interface in target.interfaces if interface.mac), "") if target is not None else ""
    text = f"{by} removed {name}, from {where}"
    services.record(Event(services.clock(), Kind.INVENTORY, Reason.INVENTORY_EDITED, text, mac=mac, system=name))
    _taken_over(services, lambda inventory: inventory.system(name) is None)
    return where


def _taken_over(services: Services, holds: Callable[[Inventory], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds(services.newest().inventory) and time.monotonic() < deadline:
        time.sleep(0.05)


def _refused(error: ConfigError, files: Sequence[str]) -> PeerError:
    return PeerError("\n".join(_said(problem, files) for problem in error.problems), 409)


def _said(problem: Problem, files: Sequence[str]) -> str:
    where = origin_text(problem.origin, files)
    return f"{where}: {replace(problem, origin=None)}" if where else str(problem)


def _macs(fields: Mapping[str, Value]) -> Iterator[Mac]:
    interfaces = fields.get("interfaces")
    for interface in interfaces.values() if isinstance(interfaces, Mapping) else ():
        if isinstance(interface, Mapping):
            with suppress(ValueError):
                yield parse_mac(str(interface.get("mac", interface.get("mac_address", ""))))
