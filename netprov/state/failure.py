"""Why the state could not be read or written, and what to do about it."""

from __future__ import annotations

import sqlite3

from netprov.errors import ConfigError, Origin, Problem
from netprov.state.place import Place


class StateError(Exception):
    """The state database did not do what was asked. The text names the file and what to do.

    Nothing of what was asked is stored, unless `COMMIT` itself failed: then it may be. `advice` is the text without the
    file; `damaged` says that the file's content is at fault.
    """

    def __init__(self, place: Place, advice: str, damaged: bool = False) -> None:
        super().__init__(f"{place}: {advice}")
        self.advice = advice
        self.damaged = damaged


BUSY_SECONDS = 2.0
"""How long to wait for another process's transaction: ours take milliseconds, a DHCP client asks again after 4 s."""

_RENEW = "stop netprov and put a backup in its place, or move it away: leases and installs then start from scratch"


ADVICE: dict[int, str] = {
    sqlite3.SQLITE_FULL: "no room is left on its disk; free some, netprov goes on by itself",
    sqlite3.SQLITE_IOERR: "its disk reports an error; see dmesg and the disk's room",
    sqlite3.SQLITE_BUSY: f"another process kept it locked for {BUSY_SECONDS:g} s; end whatever has it open (fuser)",
    sqlite3.SQLITE_LOCKED: "another connection of this process keeps it locked",
    sqlite3.SQLITE_READONLY: "it cannot be written; give the file and its folder to the user netprov runs as",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; the folder must exist and belong to the user netprov runs as",
    sqlite3.SQLITE_PERM: "access is denied; give the file and its folder to the user netprov runs as",
    sqlite3.SQLITE_AUTH: "access is denied; give the file and its folder to the user netprov runs as",
    sqlite3.SQLITE_CORRUPT: f"it is damaged; {_RENEW}",
    sqlite3.SQLITE_NOTADB: f"it is not a SQLite database, or damaged; {_RENEW}",
}
"""What to do, by SQLite's primary result code (sqlite.org/rescode.html)."""

DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def state_error(place: Place, error: BaseException) -> StateError:
    """The StateError for what a driver raised."""
    cause = getattr(error, "orig", None) or error
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the primary one
    said = " ".join(str(cause).split())
    advice = f"{ADVICE[code]} ({said})" if code in ADVICE else said
    return StateError(place, advice, damaged=code in DAMAGED)


def config_error(place: Place, text: str) -> ConfigError:
    """The ConfigError for a state that cannot be used as it is."""
    return ConfigError(Problem(Origin(str(place)), "server.state", text))
