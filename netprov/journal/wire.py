"""Events as octets, from the workers to the journal's writer, and as rows of its table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from netprov.boot.reason import BY_LABEL
from netprov.errors import PeerError
from netprov.journal.event import Event
from netprov.journal.fact import DECISION, FACTS, Detail, Pair
from netprov.journal.kind import BY_LABEL as KINDS

FIELDS = tuple(field.name for field in fields(Event))
STORED = tuple(name for name in FIELDS if name != "trace")
"""The fields that are columns of the table; the trace stands in the column `detail`."""
MAX_OCTETS = 16_384
"""The most an event may take; its texts are cut to fit. A client's longest is a TFTP name of some 500 octets."""
_CUTS = (400, 40)  # characters a text; the second fits whatever they are: 12 octets each, 29 texts

_NUMBERS = {"at": float, "seconds": float, "xid": int, "size": int, "retransmits": int}
_TYPES: tuple[type, ...] = tuple(_NUMBERS.get(name, list if name in ("trace", "detail") else str) for name in FIELDS)
_LARGEST = 2**63 - 1  # SQLite's
_PLAIN = len(FIELDS) - 2  # the fields before `trace` and `detail`

MESSAGE_OCTETS = 65_536
"""The most that goes to the writer at once: several events, with SEPARATOR between them."""
SEPARATOR = b"\x1e"
_FIELD = "\x1f"
_FIELD_OCTET = _FIELD.encode()
_TRACE = ""  # in place of a fact's key: what follows are the steps of the trace

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def encode(event: Event) -> bytes:
    """`event` as octets without SEPARATOR, at most MAX_OCTETS: 1.5 µs. What a client sent may hold anything a str can.

    Nearly always its fields with a control character between them; where a text has that itself, or the whole is too
    long, JSON, which takes twice the time.
    """
    parts = [
        repr(float(event.at)), event.kind, event.reason.label, event.text, event.stage, event.mac, event.uuid,
        event.client_id, str(event.xid), event.ip, event.peer, event.relay, event.system, event.token, event.name,
        str(event.size), repr(float(event.seconds)) if event.seconds else "0.0",
        str(event.retransmits),
    ]  # fmt: skip
    for pair in event.detail:
        parts += pair
    if event.trace:
        parts.append(_TRACE)
        parts += event.trace
    data = _FIELD.join(parts).encode("utf-8", "backslashreplace")  # a lone surrogate is spelled out
    plain = data.count(_FIELD_OCTET) == len(parts) - 1 and SEPARATOR not in data
    return data if plain and len(data) <= MAX_OCTETS else _as_json(event)


def joined(parts: Sequence[bytes]) -> bytes:
    """One message of several encoded events."""
    return SEPARATOR.join(parts)


def separated(message: bytes) -> Iterator[bytes]:
    """The encoded events in a message."""
    return iter(message.split(SEPARATOR))


def _as_json(event: Event) -> bytes:
    values = _values(event)
    data = _encode(values).encode()
    for most in _CUTS:
        if len(data) <= MAX_OCTETS:
            break
        data = _encode(_cut(values, most)).encode()
    return data


def _values(event: Event) -> tuple[object, ...]:
    return (
        float(event.at),
        event.kind,
        event.reason.label,
        event.text,
        event.stage,
        event.mac,
        event.uuid,
        event.client_id,
        event.xid,
        event.ip,
        event.peer,
        event.relay,
        event.system,
        event.token,
        event.name,
        event.size,
        float(event.seconds),
        event.retransmits,
        event.trace,
        event.detail,
    )


def _cut(values: tuple[object, ...], most: int) -> list[object]:
    *head, trace, detail = values
    assert isinstance(trace, tuple)
    assert isinstance(detail, tuple)
    short = [value[:most] if isinstance(value, str) else value for value in head]
    return [*short, [step[:most] for step in trace[-4:]], [(name, value[:most]) for name, value in detail[:6]]]


def decode(data: bytes) -> Event:
    """The event that `encode` made `data` of; its texts fit for a database (no lone surrogate).

    Raises PeerError for anything else.
    """
    return _from_json(data) if data[:1] == b"[" else _from_plain(data)


def _from_plain(data: bytes) -> Event:
    try:
        parts = data.decode().split(_FIELD)
        (at, kind, reason, text, stage, mac, uuid, client_id, xid, ip, peer, relay, system, token, name, size, seconds,
         retransmits) = parts[:_PLAIN]  # fmt: skip
        numbers = int(xid), int(size), int(retransmits)
        if not 0 <= min(numbers) <= max(numbers) <= _LARGEST:
            raise ValueError("a number is out of range")
        keys, values, trace = parts[_PLAIN::2], parts[_PLAIN + 1 :: 2], parts[:0]
        if _TRACE in keys:
            end = keys.index(_TRACE)
            trace = parts[_PLAIN + 2 * end + 1 :]
            keys, values = keys[:end], values[:end]
        detail = tuple(zip(map(FACTS.__getitem__, keys), values, strict=True))
        return Event(
            float(at), KINDS[kind], BY_LABEL[reason], text, stage, mac, uuid, client_id, numbers[0], ip, peer, relay,
            system, token, name, numbers[1], float(seconds), numbers[2], tuple(trace), detail,
        )  # fmt: skip
    except (KeyError, ValueError) as error:
        raise PeerError(f"not an event: {error}") from None


def _from_json(data: bytes) -> Event:
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PeerError(f"not an event: {error}") from None
    if not isinstance(values, list) or len(values) != len(FIELDS) or not all(map(isinstance, values, _TYPES)):
        raise PeerError("not an event: the fields are not an event's")
    if any(isinstance(value, int) and not 0 <= value <= _LARGEST for value in values):
        raise PeerError("not an event: a number is out of range")
    if b"\\ud" in data:  # a surrogate: most are half of a whole character, and that stays as it is
        values = _storable(values)
    *head, trace, detail = values
    return _event_of(head, trace, detail)


def _storable(value: Any) -> Any:
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _event_of(head: Sequence[Any], trace: Sequence[str], detail: Iterable[Sequence[str]]) -> Event:
    """The event of these fields' values, `head` in FIELDS' order."""
    at, kind, reason, *middle = head
    try:
        pairs = tuple((FACTS[name], _text(value)) for name, value in detail)
        return Event(*[at, KINDS[kind], BY_LABEL[reason], *middle, tuple(map(_text, trace)), pairs])
    except (KeyError, TypeError, ValueError) as error:
        raise PeerError(f"not an event: {error}") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def row_of(event: Event) -> tuple[object, ...]:
    """The values of STORED as SQLite stores them."""
    return (*_values(event)[:_PLAIN], _facts(event.trace, event.detail))


@lru_cache(256)
def _facts(trace: tuple[str, ...], detail: Detail) -> str:
    """As the table has them: most events of a kind have the same. Of the trace a pair for each step."""
    return _encode([*detail, *[(_STEP, step) for step in trace]])


_STEP, _STEPS_BEFORE = "trace", "why"


def event_of_row(row: tuple[Any, ...]) -> Event:
    """The event that `row_of` made `row` of. Raises PeerError for a kind or reason nobody knows."""
    *head, detail = row
    try:
        trace, pairs = _stored(json.loads(detail))
    except (TypeError, ValueError) as error:
        raise PeerError(f"not an event: {error}") from None
    return _event_of(head, trace, pairs)


def _stored(pairs: Iterable[Sequence[str]]) -> tuple[list[str], list[Pair]]:
    """Trace and facts as the table has them. A fact that only another version knows is left out.

    Older journals have a trace as one text, `why`; for HTTP that is the label of what settled it.
    """
    trace: list[str] = []
    facts: list[Pair] = []
    for name, value in pairs:
        if name in FACTS:
            facts.append((FACTS[name], value))
        elif name == _STEP:
            trace.append(value)
        elif name == _STEPS_BEFORE and _text(value) in BY_LABEL:
            facts.append((DECISION, value))
        elif name == _STEPS_BEFORE:
            trace += value.split("; ")
    return trace, facts
