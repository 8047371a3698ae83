"""Declaring a system: by the page and by the API alike, in the operator's own files."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from netprov.boot.reason import Reason
from netprov.errors import ConfigError, PeerError, Problem
from netprov.http.services import Services
from netprov.inventory.edit import add_system
from netprov.inventory.mac import Mac, parse_mac
from netprov.inventory.model import Value
from netprov.journal.event import Event, Kind
from netprov.web.explained import origin_text

PATIENCE = 5.0
"""Seconds to wait for the server to take the edit over, so that the next page shows it: the watcher waits 0.15 s for
more of them, and 10,000 systems take 2 s to load."""


def declare(services: Services, name: str, fields: Mapping[str, Value], by: str) -> str:
    """Declare the system `name`, as `by` wants; where it stands now ("systems.yaml:12").

    Raises PeerError (409): the name or a MAC is taken, it does not load, or the files cannot be written.
    """
    inventory = services.inventory()
    if name in inventory.systems:
        raise PeerError(f"a system is called {name} already", 409)
    macs = list(_macs(fields))
    for mac in macs:
        if mac in inventory.by_mac:
            raise PeerError(f"{mac} is declared already: it is {inventory.by_mac[mac]}", 409)
    try:
        added = add_system(Path(inventory.files[0]), name, fields)
    except ConfigError as error:
        said = "\n".join(_said(problem, inventory.files) for problem in error.problems)
        raise PeerError(said, 409) from None
    where = origin_text(added.origin, inventory.files)
    text = f"{by} declared {name}, in {where}"
    services.record(
        Event(services.clock(), Kind.INVENTORY, Reason.INVENTORY_EDITED, text, mac=macs[0] if macs else "", system=name)
    )
    deadline = time.monotonic() + PATIENCE
    while name not in services.inventory().systems and time.monotonic() < deadline:
        time.sleep(0.05)
    return where


def _said(problem: Problem, files: Sequence[str]) -> str:
    where = origin_text(problem.origin, files)
    return f"{where}: {replace(problem, origin=None)}" if where else str(problem)


def _macs(fields: Mapping[str, Value]) -> Iterator[Mac]:
    interfaces = fields.get("interfaces")
    for interface in interfaces.values() if isinstance(interfaces, Mapping) else ():
        if isinstance(interface, Mapping):
            with suppress(ValueError):
                yield parse_mac(str(interface.get("mac", interface.get("mac_address", ""))))
