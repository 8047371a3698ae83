"""The facts of a running server, read and never changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from netprov.explain.look import NotHere, look
from netprov.explain.paper import LeaseBook, NoLeases
from netprov.inventory.model import Inventory
from netprov.render.preview import Records
from netprov.state.place import Place


@dataclass(frozen=True, slots=True)
class Kept:
    """What a server remembers."""

    records: Records
    leases: LeaseBook


@contextmanager
def kept(inventory: Inventory, armed: bool = False) -> Iterator[Kept]:
    """The install records and the leases; none where no server has ever run here: to look must not make a database.

    With `armed` as if an install of every machine were. Raises ConfigError, StateError.
    """
    place = Place(inventory.settings.server.state)
    if place.database is not None and not place.database.exists():
        yield Kept(Records(None, armed), NoLeases())
        return
    with ExitStack() as stack:
        if place.database is not None:
            with suppress(NotHere):
                here = stack.enter_context(look(place, place.database))
                yield Kept(Records(here.installs, armed), here.leases)
                return
        from netprov.state.state import open_state

        state = stack.enter_context(open_state(inventory.settings.server.state))
        yield Kept(Records(state.installs, armed), state.leases)


@contextmanager
def records(inventory: Inventory, armed: bool = False) -> Iterator[Records]:
    """The install records alone."""
    with kept(inventory, armed) as found:
        yield found.records
