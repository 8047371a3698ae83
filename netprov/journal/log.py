"""Every event as a line of the server's log, for who collects logs: `netprov serve -v`, or `--log-format json`."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from netprov.journal.correlate import Placed
from netprov.journal.event import FAILING
from netprov.journal.timeline import public

EVENTS = "netprov.events"
"""The logger. Nothing is formatted while it is not enabled for INFO."""

_log = logging.getLogger(EVENTS)


def boot_id(machine: str, boot: int) -> str:
    """Names one boot of one machine, the same everywhere: "52:54:00:12:34:56/3". "" for what belongs to no boot."""
    return f"{machine}/{boot}" if machine and boot else ""


def log_events(placed: Sequence[Placed]) -> None:
    """A record for each, its event in `placed`, without install tokens."""
    if not _log.isEnabledFor(logging.INFO):
        return
    for place in placed:
        if place.event.kind.said and place.event.reason not in FAILING:
            continue
        event = public(place.event)
        what = event.text or event.name or event.reason.meaning
        shown = Placed(event, place.machine, place.boot)
        level = logging.WARNING if event.warns else logging.INFO
        _log.log(level, "%s %s %s", event.system or place.machine, event.kind, what, extra={"placed": shown})
