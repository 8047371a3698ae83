"""The facts of a running server, read and never changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from netprov.boot.install import InstallRecord
from netprov.inventory.mac import Mac
from netprov.inventory.model import Inventory
from netprov.render.preview import Records
from netprov.state.place import Place
from netprov.state.state import open_state


@contextmanager
def records(inventory: Inventory, armed: bool = False) -> Iterator[Records]:
    """The install records; none where no server has ever run here: to look must not make a database.

    With `armed` as if an install of every machine were. Raises ConfigError, StateError.
    """
    place = Place(inventory.settings.server.state)
    if place.database is not None and not place.database.exists():
        yield Records(None, armed)
        return
    with open_state(inventory.settings.server.state) as state:
        yield Records(state.installs, armed)


class Previewed:
    """A BootState of install records. Loaders given lately are the DHCP worker's own knowledge: none here."""

    def __init__(self, kept: Records) -> None:
        self._kept = kept

    def install(self, system: str) -> InstallRecord | None:
        return self._kept.get(system)

    def loader_fetches(self, mac: Mac, loader_file: str) -> int:
        return 0
