"""Declaring the new domU in the inventory, so that netprov knows it by its MAC address."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import yaml

from netprov.errors import Problem
from netprov.inventory.edit import Added, add_system, home, undo_add
from netprov.inventory.model import Inventory, Target, Value
from netprov.mac import Mac
from netprov.xen.create.configuration import indented
from netprov.xen.create.host import Host
from netprov.xen.create.remote import RemoteSite
from netprov.xen.create.step import Say


def new_mac(taken: Collection[Mac]) -> Mac:
    """A random MAC address of Xen's range that nobody in `taken` has."""
    while True:
        low = secrets.token_bytes(3)
        found = Mac(f"00:16:3e:{low[0] & 0x7F:02x}:{low[1]:02x}:{low[2]:02x}")  # xl's own are of this half
        if found not in taken:
            return found


class Declare:
    """Writes the system into the file of the inventory that new systems go into."""

    def __init__(self, config: Path, inventory: Inventory, name: str, fields: Mapping[str, Value]) -> None:
        self._config = config
        self._name = name
        self._fields = fields
        self._file = Path(os.path.realpath(home(inventory)))
        self._added: Added | None = None

    def shown(self) -> Iterator[str]:
        yield f"declare in {self._file}:"
        yield from _written(self._name, self._fields)

    def problems(self, host: Host) -> Iterator[Problem]:
        place = self._file if self._file.exists() else self._file.parent
        if not os.access(place, os.W_OK):
            yield Problem(None, str(place), "cannot be written: this needs other rights")

    def do(self, host: Host, say: Say) -> None:
        self._added = add_system(self._config, self._name, self._fields, self._file)
        say(f"declared {self._name} in {self._added.origin}")

    def undo(self, host: Host) -> None:
        if self._added is not None:
            undo_add(self._config, self._name, self._added)


class DeclareThere:
    """Has a netprov elsewhere do that."""

    def __init__(self, site: RemoteSite, system: Target, fields: Mapping[str, Value]) -> None:
        self._site = site
        self._system = system
        self._fields = fields
        self._asked = False

    def shown(self) -> Iterator[str]:
        yield f"declare at {self._site}:"
        yield from _written(self._system.name, self._fields)

    def problems(self, host: Host) -> Iterator[Problem]:
        """None that could be known: it is the server that writes."""
        yield from ()

    def do(self, host: Host, say: Say) -> None:
        self._asked = True
        where = self._site.declare(self._system.name, self._fields)
        say(f"declared {self._system.name} at {self._site}, in {where}")

    def undo(self, host: Host) -> None:
        """Also where the answer did not come: it may be declared all the same. One of another's has another MAC."""
        there = self._site.system(self._system.name) if self._asked else None
        if there is not None and _macs(there) == _macs(self._system):
            self._site.remove(there)


def _macs(system: Target) -> set[Mac | None]:
    return {interface.mac for interface in system.interfaces}


def _written(name: str, fields: Mapping[str, Value]) -> Iterator[str]:
    return indented(yaml.safe_dump({"systems": {name: fields}}, sort_keys=False))
