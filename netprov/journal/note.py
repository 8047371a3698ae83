"""What a command changed, told to the journal: with a server beside it, or with none."""

from __future__ import annotations

import getpass
import sqlite3

from netprov.boot.install import InstallRecord
from netprov.inventory.model import ServerSettings, Target
from netprov.journal.changes import change_event
from netprov.journal.correlate import Placed
from netprov.journal.store import Store
from netprov.state.place import Place

Change = tuple[InstallRecord | None, InstallRecord]


def note_change(settings: ServerSettings, target: Target, change: Change, now: float, command: str) -> str:
    """Store that `command` ("netprov system install") changed the install of `target`, where it did.

    What could not be done about it, in words; "" where all went well: the change itself stands either way. The journal
    has one writer so that no lease waits for it; a command's single row is put beside it by SQLite's own lock, and
    reaches the pages and webhooks as every other row does.
    """
    if change[0] == change[1]:
        return ""
    event = change_event(now, target.name, change, stage="", ip="", by=f"{_user()}, {command}")
    machine = next((interface.mac for interface in target.interfaces if interface.mac), "")
    path = Place(settings.state).journal
    try:
        store = Store(path)
        try:
            store.add([Placed(event, machine, 0)], settings.journal_events, now - settings.journal_age)
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
