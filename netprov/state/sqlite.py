"""What our SQLite files have in common: opening one to write or read, a transaction, a damaged one."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

_ASIDE = 5  # damaged files kept at most


def opened(path: Path, mode: int, prepare: Callable[[sqlite3.Connection], None], wait: float) -> sqlite3.Connection:
    """The file at `path`, made with `mode` if there is none, and made ready by `prepare`; for one thread at a time.

    `wait`: seconds for another process's lock. Raises sqlite3.Error and OSError.
    """
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode))  # SQLite's own would be anybody's to read
    db = sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False)
    try:
        prepare(db)
    except BaseException:  # whatever ends it, also a signal's exception: nobody else has the connection yet
        db.close()
        raise
    return db


def read_only(path: Path, wait: float = 5.0) -> sqlite3.Connection:
    """The file at `path`, which nothing changes through this; for one thread. `wait` as for `opened`.

    Raises sqlite3.Error, also where there is no file.
    """
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=wait, isolation_level=None)


def rows(db: sqlite3.Connection, sql: str, values: tuple[object, ...] = ()) -> list[Any]:
    """What `sql` selects; nothing where its writer is just making the table. Raises sqlite3.Error."""
    try:
        return db.execute(sql, values).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []
        raise


def identity(path: Path) -> tuple[int, int] | None:
    """Tells one file from the one that takes its place; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def immediately(db: sqlite3.Connection) -> Iterator[None]:
    """A transaction with the write lock from its beginning: all of it is stored, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.commit()
    except BaseException:  # whatever ends it: a transaction left open would lock all others out
        db.rollback()  # after a COMMIT that failed too: it leaves the transaction open
        raise


def is_damaged(error: BaseException) -> bool:
    """Whether `error` says that the file's content is at fault, not its disk or its rights."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Aside(NamedTuple):
    """What became of a damaged file. `moved`: a new one can be begun."""

    moved: bool
    text: str


def put_aside(path: Path, error: Exception) -> Aside:
    """Move the file that `error` says is damaged out of the way."""
    try:
        aside = _move_aside(path)
    except OSError as problem:
        return Aside(False, f"{path} is damaged, and cannot be moved aside: {problem}")
    return Aside(True, f"{path} was damaged ({error}): a new one is made, the old one is {aside}")


def _move_aside(path: Path) -> Path:
    """Rename it, with what SQLite put beside it; where it is now. Raises OSError."""
    names = [path.with_name(f"{path.name}.corrupt-{n}") for n in range(1, _ASIDE + 1)]
    aside = next((name for name in names if not name.exists()), names[-1])
    for ending in ("-wal", "-shm", ""):
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.replace(aside.with_name(aside.name + ending))
    return aside
