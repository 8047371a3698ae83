"""One syslog message → what it says. Nothing that comes is refused: what has no known form is its text."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_OCTETS = 8192
"""Of a message that are looked at. RFC 5424 §6.1 asks for 2,048; rsyslog takes 8,192 by default."""

MAX_TEXT = 2000
"""Characters of its text that are kept: a traceback in one line; two screens."""

_MAX_NAME = 64  # characters of a host's or program's name; RFC 5424 §6: 48 for APP-NAME, 255 for HOSTNAME

SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", *(f"local{n}" for n in range(8)),
)  # fmt: skip
_NO_PRIORITY = 13  # RFC 3164 §4.3.3: what has none is user.notice


@dataclass(frozen=True, slots=True)
class Message:
    """`host` and `program` are what the sender says; "" where it does not."""

    facility: str
    severity: str
    host: str
    program: str
    text: str


_PRIORITY = re.compile(r"<(\d{1,3})>")
_TIME = re.compile(
    r"(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?"  # RFC 3164 §4.1.2
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) "  # rsyslog's, and Anaconda's
)
_PROGRAM = re.compile(r"([^\s:\[\]]{1,64})(?:\[[^\]\s]{0,32}\])?:(?: |$)")
_WORD = re.compile(r"(\S{1,255}) ")
_HEADER = re.compile(r"1 (\S{1,64}) (\S{1,255}) (\S{1,128}) (\S{1,128}) (\S{1,64}) ")
_ELEMENT = re.compile(r'\[[^ =\]"]{1,64}(?: [^ =\]"]{1,64}="(?:[^"\\]|\\.)*")*\]', re.DOTALL)


def parse(data: bytes) -> Message:
    """What `data`, one message, says. RFC 5424; RFC 3164 as it is met, without host or time as well; or plain text."""
    line = data[:MAX_OCTETS].decode("utf-8", "backslashreplace").strip("\r\n\0 ")
    priority, rest = _priority(line)
    host, program, text = _modern(rest) or _old(rest)
    return Message(
        FACILITIES[priority >> 3],
        SEVERITIES[priority & 7],
        host[:_MAX_NAME],
        program[:_MAX_NAME],
        text.removeprefix("\ufeff")[:MAX_TEXT],  # RFC 5424 §6.4: a text in UTF-8 begins with a BOM
    )


def _priority(line: str) -> tuple[int, str]:
    found = _PRIORITY.match(line)
    if found is None or int(found[1]) > 191:
        return _NO_PRIORITY, line
    return int(found[1]), line[found.end() :]


def _modern(rest: str) -> tuple[str, str, str] | None:
    """RFC 5424 §6: host, program and text; None where it is not of that form."""
    header = _HEADER.match(rest)
    if header is None:
        return None
    _time, host, program, _process, _id = ("" if word == "-" else word for word in header.groups())
    at = header.end()
    if rest[at : at + 1] == "-":
        at += 1
    else:
        begin = at
        while element := _ELEMENT.match(rest, at):
            at = element.end()
        if at == begin:
            return None
    return (host, program, rest[at + 1 :]) if rest[at : at + 1] in ("", " ") else None


def _old(rest: str) -> tuple[str, str, str]:
    """RFC 3164 §4.1: time, host, program. BusyBox, in Debian's installer, leaves the host out."""
    time = _TIME.match(rest)
    rest = rest[time.end() :] if time is not None else rest
    program = _PROGRAM.match(rest)
    if program is not None:
        return "", program[1], rest[program.end() :]
    word = _WORD.match(rest) if time is not None else None
    program = _PROGRAM.match(rest, word.end()) if word is not None else None
    if word is None or program is None:
        return "", "", rest
    return word[1], program[1], rest[program.end() :]
