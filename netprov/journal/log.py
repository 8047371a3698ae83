"""Every event as a line of the server's log, for who collects logs: `netprov serve -v`, or `--log-format json`."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from netprov.boot.chance import ABSENT
from netprov.boot.reason import Reason
from netprov.journal.correlate import Placed
from netprov.journal.event import Kind
from netprov.journal.timeline import public

EVENTS = "netprov.events"
"""The logger. Nothing is formatted while it is not enabled for INFO."""

_log = logging.getLogger(EVENTS)

_SAID = frozenset({Kind.SERVER, Kind.INVENTORY, Kind.WEBHOOK})  # who records these has said so on the log
_WARNED = frozenset(
    {
        Kind.DHCP_NAK,
        Kind.DHCP_DECLINE,
        Kind.TFTP_FAIL,
        Kind.TFTP_REFUSE,
        Kind.HTTP_FAIL,
        Kind.HTTP_REFUSE,
        Kind.SYSLOG_DROP,
    }
)
_FAILED = frozenset({Reason.INSTALL_FAILED, Reason.XEN_REFUSED, Reason.EVENTS_LOST})


def boot_id(machine: str, boot: int) -> str:
    """Names one boot of one machine, the same everywhere: "52:54:00:12:34:56/3". "" for what belongs to no boot."""
    return f"{machine}/{boot}" if machine and boot else ""


def log_events(placed: Sequence[Placed]) -> None:
    """A record for each, its event in `placed`, without install tokens."""
    if not _log.isEnabledFor(logging.INFO):
        return
    for place in placed:
        if place.event.kind in _SAID and place.event.reason is not Reason.EVENTS_LOST:
            continue
        event = public(place.event)
        what = event.text or event.name or event.reason.meaning
        shown = Placed(event, place.machine, place.boot)
        _log.log(_level(shown), "%s %s %s", event.system or place.machine, event.kind, what, extra={"placed": shown})


def _level(place: Placed) -> int:
    event = place.event
    bad = event.reason in _FAILED or (event.kind in _WARNED and event.reason not in ABSENT)
    return logging.WARNING if bad else logging.INFO
