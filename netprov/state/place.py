"""Where the state is: what `server.state` means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_FOLDER = Path("/var/lib/netprov")


@dataclass(frozen=True, slots=True)
class Place:
    """The places that follow from `server.state`.

    A value with `://` is a database's URL; anything else is a folder. The journal and the lock are files in any case:
    beside a database elsewhere they are in /var/lib/netprov.
    """

    where: str

    @property
    def is_url(self) -> bool:
        return "://" in self.where

    @property
    def folder(self) -> Path:
        return DEFAULT_FOLDER if self.is_url else Path(self.where)

    @property
    def database(self) -> Path | None:
        """The SQLite file; None where a URL names a database."""
        return None if self.is_url else self.folder / "state.db"

    @property
    def journal(self) -> Path:
        return self.folder / "journal.db"

    @property
    def capture(self) -> Path:
        """The packets that `server.capture` keeps."""
        return self.folder / "capture.db"

    @property
    def spool(self) -> Path:
        """What webhooks are yet to be told."""
        return self.folder / "notify.db"

    def __str__(self) -> str:
        """As messages name it: the file, or the URL without what may be a password."""
        if not self.is_url:
            return str(self.database)
        scheme, rest = self.where.split("://", 1)
        return f"{scheme}://{rest.rsplit('@', 1)[-1]}"
