"""What a command changes, told to the journal: with a server beside it, or with none."""

from __future__ import annotations

import getpass
import sqlite3
from collections.abc import Mapping, Sequence

from netprov.boot.install import InstallEvent
from netprov.inventory.model import ServerSettings, Target
from netprov.journal.changes import Changed, Installs, change_installs
from netprov.journal.correlate import Placed
from netprov.journal.store import Store
from netprov.state.place import Place


def change_by_command(
    installs: Installs,
    settings: ServerSettings,
    owners: Mapping[str, Target],
    event: InstallEvent,
    now: float,
    command: str,
) -> tuple[tuple[Changed, ...], str]:
    """As change_installs(), for `command` ("netprov system install"), with the change in the journal.

    The second: what could not be done about the journal, in words; "" where all went well. The change itself stands
    either way. The journal has one writer so that no lease waits for it; a command's few rows are put beside it by
    SQLite's own lock, and reach the pages and webhooks as every other row does.
    """
    changed = change_installs(installs, owners, event, now, by=f"{_user()}, {command}")
    told = [
        Placed(one.event, _machine(target), 0)
        for target, one in zip(owners.values(), changed, strict=True)
        if one.event is not None
    ]
    return changed, _store(settings, told, now)


def _machine(target: Target) -> str:
    return next((interface.mac for interface in target.interfaces if interface.mac), "")


def _store(settings: ServerSettings, rows: Sequence[Placed], now: float) -> str:
    if not rows:
        return ""
    path = Place(settings.state).journal
    try:
        store = Store(path)
        try:
            store.add(rows, settings.journal_events, now - settings.journal_age)
        finally:
            store.close()
    except (sqlite3.Error, OSError) as error:
        return f"the timeline will not show this: {path}: {error}"
    return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "nobody known"
