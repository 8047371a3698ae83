"""Reading the record: the entries of a machine or of a conversation. Needs no running server."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from netprov.capture.entry import Entry, decode
from netprov.capture.store import APPLICATION, VERSION
from netprov.errors import ConfigError, Origin, PeerError, Problem
from netprov.journal.store import is_damaged

_SELECT = "SELECT entries FROM pieces WHERE {which} AND last >= ? AND first <= ? ORDER BY id"
_OWNED = _SELECT.format(which="owner = ? AND port = 0")
_TALK = _SELECT.format(which="ip = ? AND port = ? AND port <> 0")


class Reader:
    """The record at `path`, open for reading; one that does not exist yet is an empty one.

    Every method raises ConfigError where the file cannot be read, or is no record of packets.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        if not path.exists():
            return
        try:
            self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        except sqlite3.Error as error:
            raise self._unreadable(error) from None
        (application,) = self._rows("PRAGMA application_id")[0]
        (version,) = self._rows("PRAGMA user_version")[0]
        if (application, version) not in ((APPLICATION, VERSION), (0, 0)):  # 0: the writer is just making it
            self.close()
            raise self._problem("it is not a record of packets that this netprov writes")

    def dhcp(self, mac: str, since: float, until: float) -> Iterator[Entry]:
        """What the machine and we said by DHCP, in the order in which it was stored."""
        return self._entries(_OWNED, (mac,), since, until)

    def talk(self, ip: bytes, port: int, since: float, until: float) -> Iterator[Entry]:
        """What an end and we said by TFTP or HTTP, likewise."""
        return self._entries(_TALK, (ip, port), since, until)

    def _entries(self, sql: str, which: tuple[object, ...], since: float, until: float) -> Iterator[Entry]:
        for (octets,) in self._rows(sql, (*which, since, until)):
            try:
                for entry in decode(bytes(octets)):
                    if since <= entry.at <= until:
                        yield entry
            except (PeerError, TypeError, ValueError):  # octets that went bad on the disk, which SQLite does not notice
                continue

    def _rows(self, sql: str, values: tuple[object, ...] = ()) -> list[Any]:
        if self._db is None:
            return []
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            if "no such table" in str(error):  # the writer is just making it
                return []
            raise self._unreadable(error) from None

    def _unreadable(self, error: sqlite3.Error) -> ConfigError:
        if not os.access(self._path, os.R_OK):
            return self._problem(f"{error}; read it as root, or as the user netprov runs as")
        advice = "; the server begins a new one when it next writes to it" if is_damaged(error) else ""
        return self._problem(f"{error}{advice}")

    def _problem(self, text: str) -> ConfigError:
        return ConfigError(Problem(Origin(str(self._path)), "", f"the recorded packets cannot be read: {text}"))

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
