"""Reading the record: the entries of a machine or of a conversation. Needs no running server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from netprov.errors import PeerError
from netprov.recorder.entry import Entry, decode
from netprov.recorder.store import APPLICATION, VERSION
from netprov.state.reading import Reading

_SELECT = "SELECT entries FROM pieces WHERE {which} AND last >= ? AND first <= ? ORDER BY id"
_OWNED = _SELECT.format(which="owner = ? AND port = 0")
_TALK = _SELECT.format(which="ip = ? AND port = ? AND port <> 0")


class Reader(Reading):
    """The record at `path`, open for reading; one that does not exist yet is an empty one.

    Every method raises ConfigError where the file cannot be read, or is no record of packets.
    """

    what = "the recorded packets"
    remedy = "the server begins a new one when it next writes to it"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if self._db is None:
            return
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
