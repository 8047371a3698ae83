"""Whether the state database and the journal are sound: looked at, not changed."""

from __future__ import annotations

import os
import shlex
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Select, create_engine, select
from sqlalchemy.exc import SQLAlchemyError

from netprov.boot.reason import Reason
from netprov.check.reader import acting_as, reader
from netprov.check.subject import Finding, Severity, Subject
from netprov.errors import ConfigError
from netprov.journal.store import VERSION
from netprov.journal.timeline import Timeline
from netprov.state.failure import state_error
from netprov.state.migrations import NEWEST, schema_of
from netprov.state.place import Place
from netprov.state.records import Lease, lease_of
from netprov.state.sqlite import read_only
from netprov.state.tables import LEASES, SIGHTINGS

PATIENCE = 2.0
"""Seconds to read a file through; a journal of a million events takes longer."""

_WAIT = 1.0  # seconds for another process's lock

_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs")
"""File systems whose locks or shared memory SQLite cannot rely on (sqlite.org/wal.html, "Overview", 2)."""

_AGAIN = "stop the server, then put a backup in its place, or move it away: leases and installs then start from scratch"


def state(subject: Subject) -> Iterator[Finding]:
    place = subject.place
    if place.database is None:
        yield from _by_url(place)
        return
    if not seen(place.database):
        yield from _unseen(place.database, "state-not-looked-at")
        return  # or the server is yet to make it
    yield from _disk_of(place.database)
    yield from _writable(subject, place.database)
    try:
        with closing(read_only(place.database, _WAIT)) as database:
            said = _quick_check(database)
            schema = _schema(database)
            (mode,) = database.execute("PRAGMA journal_mode").fetchone()
    except sqlite3.Error as error:
        failed = state_error(place, error)
        if failed.damaged:
            yield Finding("state-damaged", Severity.ERROR, f"{place}: {error}", _AGAIN, ("*",))
        elif not os.access(place.database, os.R_OK, effective_ids=True):
            yield _unreadable(place.database, "state-not-looked-at")
        else:
            yield Finding("state-unreadable", Severity.ERROR, f"{place}: {error}", failed.advice, ("*",))
        return
    if said not in ("ok", ""):
        yield Finding("state-damaged", Severity.ERROR, f"{place}: {said}", _AGAIN, ("*",))
    elif schema > NEWEST:
        text = f"{place} was written by a newer netprov (schema {schema}, this one knows {NEWEST})"
        yield Finding("state-newer", Severity.ERROR, text, "install the newer netprov", ("*",))
    elif subject.server and mode != "wal":
        text = f"{place} is in journal mode {mode}, not WAL: its file system refuses that, and readers hold up leases"
        advice = "name a server.state on a local disk, or a PostgreSQL database"
        yield Finding("state-not-wal", Severity.WARNING, text, advice)


def journal(subject: Subject) -> Iterator[Finding]:
    path = subject.place.journal
    if not seen(path):
        yield from _unseen(path, "journal-not-looked-at")
        return
    try:
        with closing(read_only(path, _WAIT)) as database:
            said = _quick_check(database)
            (version,) = database.execute("PRAGMA user_version").fetchone()
        with Timeline(path) as timeline:
            timeline.newest()
    except (sqlite3.Error, ConfigError) as error:
        if os.access(path, os.R_OK, effective_ids=True):
            yield _bad_journal(path, str(error))
        else:
            yield _unreadable(path, "journal-not-looked-at")
        return
    if said not in ("ok", ""):
        yield _bad_journal(path, said)
    elif version not in (0, VERSION):
        yield _bad_journal(path, f"it has version {version}; this netprov writes version {VERSION}")
    yield from _writable(subject, path)


def troubles(subject: Subject) -> Iterator[Finding]:
    """What went wrong with the server itself in the last day."""
    recorded = subject.recorded
    if recorded is None:
        return
    for reason, event in recorded.troubles.items():
        when = time.strftime("%H:%M", time.localtime(event.at))
        known = reason in (Reason.DHCP_STORE_FAILED, Reason.DHCP_NOT_SENT)
        machines = (event.system or event.mac,) if known and (event.system or event.mac) else ()
        text = f"last at {when}: {event.text or reason.meaning}"
        yield Finding(reason.label, Severity.WARNING, text, reason.advice, machines)


def leases(place: Place) -> Sequence[Lease]:
    """Every lease in the state, which is not made where there is none. Raises StateError."""
    if place.database is not None and not seen(place.database):
        return ()
    return [lease_of(row) for row in _rows(place, select(LEASES))]


def archs(place: Place) -> Mapping[str, int]:
    """The client architecture of each MAC, as it last told. Raises StateError."""
    if place.database is not None and not seen(place.database):
        return {}
    met = select(SIGHTINGS.c.mac, SIGHTINGS.c.arch).where(SIGHTINGS.c.arch.is_not(None)).order_by(SIGHTINGS.c.at)
    leased = select(LEASES.c.mac, LEASES.c.arch).where(LEASES.c.arch.is_not(None)).order_by(LEASES.c.expires)
    return {mac: arch for statement in (leased, met) for mac, arch in _rows(place, statement)}


def _rows(place: Place, statement: Select[Any]) -> Sequence[Any]:
    file = place.database
    try:
        own = {"creator": lambda: read_only(file, _WAIT)} if file is not None else {}
        engine = create_engine("sqlite://" if file is not None else place.where, **own)
        try:
            with engine.connect() as connection:
                return connection.execute(statement).all()
        finally:
            engine.dispose()
    except (SQLAlchemyError, sqlite3.Error, ImportError, ValueError) as error:
        raise state_error(place, error) from None


def seen(path: Path) -> bool:
    """Whether it is there, as far as this user may see."""
    try:
        path.stat()
    except OSError:
        return False
    return True


def _unseen(path: Path, id: str) -> Iterator[Finding]:
    try:
        path.stat()
    except PermissionError:
        yield _unreadable(path, id)
    except OSError:
        return  # it is not there


def _unreadable(path: Path, id: str) -> Finding:
    advice = "run netprov check as root, or as the server's user"
    return Finding(id, Severity.NOTE, f"{path} was not checked: this user may not read it", advice)


def _quick_check(database: sqlite3.Connection) -> str:
    """What SQLite says of the file; "" where reading it takes too long: what was read until then is sound."""
    until = time.monotonic() + PATIENCE
    database.set_progress_handler(lambda: time.monotonic() > until, 100_000)
    try:
        return str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_INTERRUPT:
            return ""
        raise
    finally:
        database.set_progress_handler(None, 0)


def _schema(database: sqlite3.Connection) -> int:
    try:
        row = database.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    except sqlite3.OperationalError:
        return 0  # the server is just making it
    return int(row[0]) if row and str(row[0]).isdigit() else 0


def _by_url(place: Place) -> Iterator[Finding]:
    try:
        engine = create_engine(place.where)
        try:
            with engine.connect() as connection:
                schema_of(connection)
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError, ValueError) as error:
        said = " ".join(str(getattr(error, "orig", None) or error).split())
        advice = "check that the database runs and that server.state names it"
        yield Finding("state-unreachable", Severity.ERROR, f"{place}: {said}", advice, ("*",))


def _writable(subject: Subject, file: Path) -> Iterator[Finding]:
    """SQLite's other files too: what root did with a command may have left them root's."""
    user = subject.inventory.settings.server.user if subject.inventory is not None else ""
    who = reader(user, subject.server)
    beside = [file.with_name(file.name + ending) for ending in ("", "-wal", "-shm")]
    with acting_as(who):
        denied = [path for path in beside if seen(path) and not os.access(path, os.W_OK, effective_ids=True)]
    if denied and who.known:
        severity = Severity.ERROR if subject.server or who.uid != os.geteuid() else Severity.WARNING
        text = f"{denied[0]} cannot be written by {who.name}"
        command = f"chown {who.name} {shlex.join(map(str, denied))}"
        machines = ("*",) if severity is Severity.ERROR else ()
        yield Finding("state-not-writable", severity, text, "give it to the server's user", machines, command)


def _disk_of(file: Path) -> Iterator[Finding]:
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text(errors="replace").splitlines()]
    except OSError:
        return
    real = str(file.resolve())
    over = [row for row in mounts if real.startswith(row[1].rstrip("/") + "/")]
    if over and (kind := max(over, key=lambda row: len(row[1]))[2]) in _REMOTE:
        text = f"{file} is on a network file system ({kind}), where SQLite's locks do not hold"
        advice = "name a server.state on a local disk, or a PostgreSQL database"
        yield Finding("state-remote", Severity.WARNING, text, advice)


def _bad_journal(path: Path, text: str) -> Finding:
    advice = "the server moves a damaged one aside when it starts; the timelines then start from scratch"
    return Finding("journal-damaged", Severity.WARNING, f"{path}: {text}", advice)
