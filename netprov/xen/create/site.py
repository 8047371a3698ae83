"""Where the install is armed and followed: in the state on this host, or by the API of a netprov elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from netprov.boot.install import Arm, GoLocal, InstallRecord, InstallState, next_boot
from netprov.errors import PeerError
from netprov.inventory.model import Inventory, Target
from netprov.journal.note import change_by_command
from netprov.journal.show import event_text
from netprov.journal.timeline import Timeline, keys
from netprov.journal.verdicts import Context, judge
from netprov.state.failure import StateError
from netprov.state.place import Place
from netprov.state.state import State, open_state


@dataclass(frozen=True, slots=True)
class Standing:
    """`state` is None where nothing has happened to it yet. `says`: what it does at its next boot, after its name."""

    state: InstallState | None
    says: str = ""


class Site(Protocol):
    """Every method raises PeerError or ConfigError, with a sentence for whoever typed the command."""

    def __str__(self) -> str: ...

    def arm(self, system: Target) -> str:
        """Arm its install: what it does at its next boot, in a sentence."""

    def disarm(self, system: Target) -> None: ...

    def standing(self, system: Target) -> Standing: ...

    def news(self, system: Target) -> Sequence[str]:
        """What happened since the last call, a line each; since the beginning of its latest boot, the first time."""

    def verdicts(self, system: Target) -> Sequence[str]:
        """What went wrong in its latest boot, and what to change."""


class LocalSite:
    """The netprov whose configuration is on this host; it need not be running in order to be armed."""

    def __init__(self, inventory: Inventory) -> None:
        self._where = inventory.settings.server.state
        self._inventory = inventory
        self._journal = Timeline(Place(self._where).journal)
        self._seen = self._journal.newest()

    def __str__(self) -> str:
        return str(Place(self._where))

    def arm(self, system: Target) -> str:
        return f"{system.name} {next_boot(self._apply(system, Arm()), system)}"

    def disarm(self, system: Target) -> None:
        self._apply(system, GoLocal())

    def _apply(self, system: Target, event: Arm | GoLocal) -> InstallRecord:
        with _state(self._where) as state:
            owners, settings = {system.name: system}, self._inventory.settings.server
            try:
                # a journal that cannot be written keeps nobody from installing
                (changed,), _ = change_by_command(
                    state.installs, settings, owners, event, time.time(), "netprov domu create"
                )
            except StateError as error:
                raise PeerError(str(error)) from None
        return changed.record

    def standing(self, system: Target) -> Standing:
        with _state(self._where) as state:
            try:
                record: InstallRecord | None = state.installs.get(system.name)
            except StateError as error:
                raise PeerError(str(error)) from None
        return Standing(record.state if record is not None else None, next_boot(record, system))

    def news(self, system: Target) -> Sequence[str]:
        if self._journal.reopened():
            self._seen = 0
        names, lines = _names(system), []
        for number, placed in self._journal.after(self._seen):
            self._seen = number
            if placed.machine in names or placed.event.system in names:
                lines.append(event_text(placed).plain)
        return lines

    def verdicts(self, system: Target) -> Sequence[str]:
        boots = self._journal.boots(_names(system), 1)
        judged = judge(boots, Context.of(self._inventory, time.time()))
        return [f"{verdict.sentence} {verdict.advice}".strip() for _, found in judged for verdict in found]


def _names(system: Target) -> list[str]:
    return [*keys(system.name), *(interface.mac for interface in system.interfaces if interface.mac is not None)]


def _state(where: str) -> State:
    try:
        return open_state(where)
    except StateError as error:
        raise PeerError(str(error)) from None
