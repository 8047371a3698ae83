"""The facts of a running server, read and never changed."""

from __future__ import annotations

from netprov.boot.install import InstallRecord
from netprov.inventory.mac import Mac
from netprov.state.state import State


class Previewed:
    """A BootState over the state database. Loaders given lately are the DHCP worker's own knowledge: none here."""

    def __init__(self, state: State) -> None:
        self._state = state

    def install(self, system: str) -> InstallRecord | None:
        return self._state.installs.get(system)

    def loader_fetches(self, mac: Mac, loader_file: str) -> int:
        return 0
