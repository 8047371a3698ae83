"""Reading the journal: the boots of a machine, and what is new. Needs no running server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from netprov.boot.reason import Reason
from netprov.journal.boots import Boot, boot_of
from netprov.journal.correlate import Placed
from netprov.journal.event import Event, Kind
from netprov.journal.running import SELECT, Transfer, transfers_of
from netprov.journal.store import COLUMNS, placed_rows
from netprov.mac import parse_mac
from netprov.state.reading import Reading

_BOOT_EVENTS = 10_000  # of one boot, the oldest; an installed system renews its lease for months

_BOOTS = (
    """
    SELECT max(id), machine, boot, count(*) FROM (
      SELECT machine, boot, id FROM events WHERE machine = ? AND machine <> '' AND boot > 0
      ORDER BY machine DESC, boot DESC, id DESC LIMIT ?
    ) GROUP BY machine, boot
    """,
    """
    SELECT max(id), machine, boot, count(*) FROM (
      SELECT machine, boot, id FROM events WHERE system = ? AND system <> '' AND boot > 0 ORDER BY id DESC LIMIT ?
    ) GROUP BY machine, boot
    """,
)
"""The boots of a machine, and those of a system, among its newest so many events."""
_BOOTS_WINDOWS = (1000, 20_000, -1)  # events looked at: a machine that boots again and again has 100,000
_RECENT = """
SELECT machine, boot FROM (SELECT machine, boot, id FROM events ORDER BY id DESC LIMIT ?) WHERE boot > 0
GROUP BY machine, boot ORDER BY max(id) DESC LIMIT ?
"""
_LATEST = """
SELECT machine, max(boot) FROM events WHERE machine <> '' AND boot > 0 {which} GROUP BY machine ORDER BY max(id) DESC
"""
_CHANGES = f"""
SELECT {COLUMNS} FROM events WHERE system = ? AND system <> '' AND kind = '{Kind.INSTALL}' AND boot = 0
ORDER BY id DESC LIMIT ?
"""
_HEARD = "SELECT DISTINCT ip, relay FROM (SELECT ip, relay FROM events ORDER BY id DESC LIMIT ?)"
_LATELY = 50_000  # events; to read these takes a tenth of a second, all of a full journal seconds
_WINDOWS = (20_000, -1)  # events looked at for the recent boots: the newest, and all where those are too few
_NEWEST_BY_MACHINE = """
SELECT id, machine, boot FROM events WHERE machine = ? AND machine <> '' AND boot > 0
ORDER BY machine DESC, boot DESC, id DESC LIMIT 1
"""
_NEWEST_BY_SYSTEM = """
SELECT id, machine, boot FROM events WHERE system = ? AND system <> '' AND boot > 0 ORDER BY id DESC LIMIT 1
"""
_FIRST, _LAST = 400, 20  # events of a boot in brief: the first, and of more the last
_BRIEF = f"""
SELECT {COLUMNS} FROM events WHERE machine = ?1 AND machine <> '' AND boot = ?2 AND (
  kind NOT IN ('{Kind.HTTP_DONE}', '{Kind.SYSLOG_LINE}') OR (kind = '{Kind.HTTP_DONE}' AND stage NOT IN ('', 'file'))
  OR id = (SELECT max(id) FROM events WHERE machine = ?1 AND machine <> '' AND boot = ?2)
) ORDER BY id LIMIT ?3
"""
_BRIEF_END = _BRIEF.replace("ORDER BY id", "ORDER BY id DESC")
_EVENTS = f"""
SELECT {COLUMNS} FROM events WHERE machine = ? AND machine <> '' AND boot = ? ORDER BY id LIMIT {_BOOT_EVENTS}
"""


class Timeline(Reading):
    """The journal at `path`, open for reading; a journal that does not exist yet is an empty one.

    The events given come without install tokens: those are passwords, and timelines are pasted into bug reports.
    Every method raises ConfigError where the file cannot be read.
    """

    what = "the journal"
    remedy = "stop netprov and move the file away: a new one is made"

    @staticmethod
    def read(path: Path, machine: str, last: int = 1) -> tuple[Boot, ...]:
        """The `last` boots of `machine`, a system's name or a MAC in any spelling; oldest first."""
        with Timeline(path) as timeline:
            return timeline.boots(keys(machine), last)

    def boots(self, machines: Sequence[str], last: int = 1) -> tuple[Boot, ...]:
        """The `last` boots of what has one of these MACs or systems' names, all together; oldest first."""
        return self._with_events(self._newest_boots(machines, last))

    def _newest_boots(self, machines: Sequence[str], last: int) -> list[Any]:
        """Machine and number, the newest first."""
        found: dict[tuple[str, int], int] = {}
        for name in machines:
            for sql in _BOOTS:
                for window in _BOOTS_WINDOWS:
                    rows = self._rows(sql, (name, window))
                    if len(rows) >= last or sum(row[3] for row in rows) < window:
                        break
                for newest, machine, number, _ in rows:
                    found[machine, number] = max(newest, found.get((machine, number), 0))
        return sorted(found, key=found.__getitem__, reverse=True)[:last]

    def briefly(self, machines: Sequence[str], last: int) -> tuple[Boot, ...]:
        """As boots(), each without the files, log lines and renewals of an operating system: see latest_of()."""
        return self._with_brief(self._newest_boots(machines, last))

    def latest_of(self, machines: Sequence[str]) -> Boot | None:
        """The latest boot of what has one of these MACs or systems' names, in brief: as far as a list tells of it.

        Left out are the packages that an installer fetched and the lines that it logged, but the last event of all:
        there may be thousands.
        """
        found: list[tuple[int, str, int]] = []
        for name in machines:
            for sql in (_NEWEST_BY_MACHINE, _NEWEST_BY_SYSTEM):
                found += self._rows(sql, (name,))
        return next(iter(self._with_brief([max(found)[1:]])), None) if found else None

    def boot(self, machine: str, number: int) -> Boot | None:
        """One boot of the machine that the journal knows by this name."""
        return next(iter(self._with_events([(machine, number)])), None)

    def recent(self, last: int) -> tuple[Boot, ...]:
        """The `last` boots of all machines, oldest first."""
        return self._with_events(self._recent(last))

    def recent_others(self, last: int, known: Callable[[str], bool]) -> tuple[Boot, ...]:
        """Those among the `last` boots of all machines whose MAC is not `known`, in brief as latest_of() has them."""
        return self._with_brief([(machine, number) for machine, number in self._recent(last) if not known(machine)])

    def _recent(self, last: int) -> list[Any]:
        found: list[Any] = []
        for window in _WINDOWS:
            if len(found) < last:
                found = self._rows(_RECENT, (window, last))
        return found

    def latest_boots(self, machines: Sequence[str] = ()) -> tuple[Boot, ...]:
        """The latest boot of every machine, or of those with one of these MACs; oldest first."""
        marks = ", ".join("?" * len(machines))
        which = f"AND machine IN ({marks})" if machines else ""
        return self._with_events(self._rows(_LATEST.format(which=which), tuple(machines)))

    def heard(self) -> frozenset[str]:
        """Every address of a machine or a relay among the newest events."""
        rows = self._rows(_HEARD, (_WINDOWS[0],))
        return frozenset(address for row in rows for address in row if address)

    def changes(self, system: str, last: int) -> tuple[Event, ...]:
        """The `last` changes of the system's install that are part of no boot: an operator's; oldest first."""
        rows = self._rows(_CHANGES, (system, last))
        return tuple(public(placed.event) for placed in reversed(list(placed_rows(rows))))

    def running(self, since: float) -> tuple[Transfer, ...]:
        """The transfers under way that were heard of since then (seconds since the epoch)."""
        return transfers_of(self._rows(SELECT, (since,)))

    def newest(self) -> int:
        """The id of the newest event; 0 where there is none."""
        rows = self._rows("SELECT max(id) FROM events", ())
        return rows[0][0] or 0 if rows else 0

    def after(self, id: int, limit: int = 1000) -> list[tuple[int, Placed]]:
        """Events newer than `id`, each with its own."""
        rows = self._rows(f"SELECT id, {COLUMNS} FROM events WHERE id > ? ORDER BY id LIMIT ?", (id, limit))
        found = ((row[0], placed) for row in rows for placed in placed_rows([row[1:]]))
        return [(number, replace(placed, event=public(placed.event))) for number, placed in found]

    def latest(self, reasons: Sequence[Reason]) -> Event | None:
        """The newest event for one of `reasons`."""
        marks = ", ".join("?" * len(reasons))
        sql = f"SELECT {COLUMNS} FROM events WHERE reason IN ({marks}) ORDER BY id DESC LIMIT 1"
        placed = placed_rows(self._rows(sql, tuple(reason.label for reason in reasons)))
        return next((public(one.event) for one in placed), None)

    def lately(self, reasons: Sequence[Reason]) -> list[Event]:
        """The events for one of `reasons` among the newest _LATELY of all, the newest first."""
        marks = ", ".join("?" * len(reasons))
        newest = f"SELECT {COLUMNS}, id FROM events ORDER BY id DESC LIMIT {_LATELY}"
        sql = f"SELECT {COLUMNS} FROM ({newest}) WHERE reason IN ({marks}) ORDER BY id DESC"
        placed = placed_rows(self._rows(sql, tuple(reason.label for reason in reasons)))
        return [public(one.event) for one in placed]

    def said_of(self, mac: str) -> list[Event]:
        """The events about the machine `mac` among the newest, oldest first, also those of no boot."""
        newest = f"SELECT {COLUMNS}, id FROM events ORDER BY id DESC LIMIT {_WINDOWS[0]}"
        rows = self._rows(f"SELECT {COLUMNS} FROM ({newest}) WHERE mac = ? ORDER BY id", (mac,))
        return [public(placed.event) for placed in placed_rows(rows)]

    def names(self) -> list[str]:
        """Every system and machine the journal knows."""
        rows = self._rows(
            "SELECT DISTINCT system FROM events WHERE system <> '' "
            "UNION SELECT DISTINCT machine FROM events WHERE machine <> '' AND boot > 0",
            (),
        )
        return [name for (name,) in rows]

    def _with_events(self, boots: list[Any]) -> tuple[Boot, ...]:
        found = []
        for machine, number in reversed(boots):
            events = [public(placed.event) for placed in placed_rows(self._rows(_EVENTS, (machine, number)))]
            if events:
                found.append(boot_of(machine, number, events))
        return tuple(found)

    def _with_brief(self, boots: Sequence[tuple[str, int]]) -> tuple[Boot, ...]:
        found = []
        for machine, number in reversed(boots):
            rows = self._rows(_BRIEF, (machine, number, _FIRST))
            if len(rows) == _FIRST:
                rows += reversed(self._rows(_BRIEF_END, (machine, number, _LAST)))
            events = [public(placed.event) for placed in placed_rows(rows)]
            if events:
                found.append(boot_of(machine, number, events))
        return tuple(found)


def public(event: Event) -> Event:
    """`event` without its token, which also stands in the callback's URL."""
    if not event.token:
        return event
    return replace(
        event, token="", name=event.name.replace(event.token, "…"), text=event.text.replace(event.token, "…")
    )


def keys(machine: str) -> list[str]:
    """What the journal may know `machine` by: the name itself, the MAC or the address it spells."""
    return list(dict.fromkeys([machine, *addresses(machine)]))


def addresses(text: str) -> list[str]:
    """The machine's key in the journal that `text` spells, where it is a MAC or an address."""
    found: list[str] = []
    with suppress(ValueError):
        found.append(parse_mac(text))
    with suppress(ValueError):
        found.append(f"ip {ip_address(text)}")
    return found
