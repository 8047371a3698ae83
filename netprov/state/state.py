"""The state as the rooms see it."""

from __future__ import annotations

from types import TracebackType

from netprov.state.database import Database, connect
from netprov.state.installs import InstallStore
from netprov.state.leases import LeaseStore
from netprov.state.place import Place
from netprov.state.sightings import SightingStore


class State:
    """Leases, sightings and installs of one site. For one process; several processes open it at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.sightings = SightingStore(database)
        self.leases = LeaseStore(database, self.sightings)
        self.installs = InstallStore(database)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> State:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_state(where: str) -> State:
    """Open the state that `server.state` names: a folder, made where it is missing, or a database's URL.

    A State may be carried through fork(): each process makes connections of its own. Raises ConfigError where the
    database is damaged, of a newer netprov, or cannot be made; StateError where it cannot be read now.
    """
    return State(connect(Place(where)))
