"""Declaring the new domU in the inventory, so that netprov knows it by its MAC address."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import yaml

from netprov.errors import ConfigError, Origin, Problem
from netprov.inventory.edit import add_system, home
from netprov.inventory.mac import Mac
from netprov.inventory.model import Inventory, Value
from netprov.inventory.source import read_file
from netprov.xen.create.configuration import indented
from netprov.xen.create.host import Host
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
        self._before: bytes | None = None
        self._after: bytes | None = None

    def shown(self) -> Iterator[str]:
        yield f"declare in {self._file}:"
        written = yaml.safe_dump({"systems": {self._name: self._fields}}, sort_keys=False)
        yield from indented(written)

    def problems(self, host: Host) -> Iterator[Problem]:
        place = self._file if self._file.exists() else self._file.parent
        if not os.access(place, os.W_OK):
            yield Problem(None, str(place), "cannot be written: this needs other rights")

    def do(self, host: Host, say: Say) -> None:
        self._before = read_file(self._file) if self._file.exists() else None
        added = add_system(self._config, self._name, self._fields, self._file)
        self._after = read_file(self._file)
        say(f"declared {self._name} in {added.origin}")

    def undo(self, host: Host) -> None:
        if self._after is None:
            return
        if read_file(self._file) != self._after:
            text = "was changed meanwhile: take it out by hand"
            raise ConfigError(Problem(Origin(str(self._file)), f"system {self._name}", text))
        if self._before is None:
            self._file.unlink()
            return
        status = self._file.stat()
        fresh = self._file.with_name(f".{self._file.name}.{secrets.token_hex(4)}")  # hidden: no inventory reads it
        try:
            fresh.write_bytes(self._before)
            os.chown(fresh, status.st_uid, status.st_gid)
            fresh.chmod(status.st_mode & 0o7777)
            fresh.replace(self._file)
        finally:
            fresh.unlink(missing_ok=True)
