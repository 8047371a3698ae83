"""An SQLite file of ours, read beside the process that writes it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from netprov.errors import ConfigError, Origin, Problem
from netprov.state.sqlite import identity, is_damaged, read_only, rows


class Reading:
    """The file at `path`; one that does not exist yet is an empty one. Raises ConfigError where it cannot be read."""

    what: ClassVar[str]  # for the error: "the journal"
    remedy: ClassVar[str]  # what becomes of a damaged one

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._open()

    def _open(self) -> None:
        self._file = identity(self._path)
        if self._file is None:
            return
        try:
            self._db = read_only(self._path)
        except sqlite3.Error as error:
            raise self._unreadable(error) from None

    def reopened(self) -> bool:
        """Open the file again where it is a new one: the writer began another, or the first. Whether it did."""
        if identity(self._path) == self._file:
            return False
        self.close()
        self._open()
        return True

    def _rows(self, sql: str, values: tuple[object, ...] = ()) -> list[Any]:
        if self._db is None:
            return []
        try:
            return rows(self._db, sql, values)
        except sqlite3.Error as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: sqlite3.Error) -> ConfigError:
        if not os.access(self._path, os.R_OK):
            return self._problem(f"{error}; read it as root, or as the user netprov runs as")
        return self._problem(f"{error}; {self.remedy}" if is_damaged(error) else str(error))

    def _problem(self, text: str) -> ConfigError:
        return ConfigError(Problem(Origin(str(self._path)), "", f"{self.what} cannot be read: {text}"))

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
