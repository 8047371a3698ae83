"""What `netprov serve` says on standard error: for a person, or an object a line for who collects logs.

An object of `--log-format json` has these keys, always all of them; more may come:

    time     "2026-11-23T15:04:05.123Z"     level    "debug", "info", "warning", "error"
    text     the sentence                   reason   a label of docs/reference/reasons.md, or ""
    kind     "dhcp.ack", "install" …, or "" where the server itself speaks
    machine  MAC, or "ip ADDRESS", or ""    mac, ip, system, stage, name    as in the timeline, or ""
    boot     "MACHINE/NUMBER": one boot of one machine, or ""

What clients sent is escaped as on a terminal, so that whoever prints a text prints one harmless line. Install tokens
are left out.
"""

from __future__ import annotations

import json
import logging
import time
from typing import Literal

from netprov.boot.reason import Reason
from netprov.journal.correlate import Placed
from netprov.journal.log import EVENTS, boot_id
from netprov.text import escape

Format = Literal["text", "json"]

_NOISY = ("aiohttp", "asyncio", "werkzeug")
_OF_EVENTS = ("kind", "machine", "mac", "ip", "system", "boot", "stage", "name")
_LONGEST = 2000  # characters of a sentence; of a traceback's line


def configure(format: Format, verbose: bool) -> None:
    """Set up the log of this process, and of the workers that it forks.

    Events are said with `verbose`, and in JSON: who collects logs has no timeline beside him.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if format == "json" else Lines())
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler])
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    told = verbose or format == "json"
    logging.getLogger(EVENTS).setLevel(logging.INFO if told else logging.CRITICAL)


class Lines(logging.Formatter):
    """A line a record, and the lines of a traceback, each harmless on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        lines = [f"netprov: {escape(record.getMessage(), _LONGEST)}"]
        if record.exc_info:
            lines += [escape(line, _LONGEST) for line in self.formatException(record.exc_info).split("\n")]
        return "\n".join(lines)


class JsonLines(logging.Formatter):
    """An object a line."""

    def format(self, record: logging.LogRecord) -> str:
        values = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "text": escape(record.getMessage(), _LONGEST),
            **_event(record),
        }
        if record.exc_info:
            trace = self.formatException(record.exc_info).split("\n")
            values["traceback"] = "\n".join(escape(line, _LONGEST) for line in trace)
        return json.dumps(values)


def _event(record: logging.LogRecord) -> dict[str, str]:
    """What the record's event says; without one, the reason that whoever speaks gave."""
    placed: object = getattr(record, "placed", None)
    reason: object = getattr(record, "reason", None)
    if not isinstance(placed, Placed):
        label = reason.label if isinstance(reason, Reason) else ""
        return {"reason": label, **dict.fromkeys(_OF_EVENTS, "")}
    event = placed.event
    return {
        "text": escape(event.text or event.reason.meaning, _LONGEST),
        "reason": event.reason.label,
        "kind": event.kind.value,
        "machine": escape(placed.machine),
        "mac": escape(event.mac or (placed.machine if not placed.machine.startswith("ip ") else "")),
        "ip": escape(event.ip),
        "system": escape(event.system),
        "boot": escape(boot_id(placed.machine, placed.boot)),
        "stage": event.stage,
        "name": escape(event.name),
    }


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03d}Z"
