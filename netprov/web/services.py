"""What the application is given by the rest of the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from netprov.inventory.model import Inventory
from netprov.journal.event import Event
from netprov.render.generation import Generation
from netprov.render.scripts import Scripts
from netprov.state.state import State
from netprov.web.turn import turn


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a request may use. Every field is used by several threads at once.

    `newest` gives the generation that serves now; `record` tells the journal and never blocks or raises; `clock` gives
    seconds since the epoch; `journal` is where the events are; `secret` signs sessions, the same in every HTTP worker
    of one server.
    """

    newest: Callable[[], Generation]
    scripts: Scripts
    state: State
    record: Callable[[Event], None]
    clock: Callable[[], float]
    journal: Path
    secret: bytes

    def generation(self) -> Generation:
        """That which the request at hand is answered from: one to its end, whatever serves meanwhile."""
        return turn().generation

    def inventory(self) -> Inventory:
        return self.generation().inventory
