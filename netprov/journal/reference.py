"""docs/reference/events.md: every kind of event, and every fact that an event may have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netprov.journal.fact import FACTS, Number
from netprov.journal.kind import Kind

_HEAD = """\
# Events

<!-- Written by `netprov schema --page events` from netprov/journal/kind.py and netprov/journal/fact.py. -->

Every event in `netprov timeline --json`, the API's boots and the log's JSON lines is of one of these kinds. Its
`reason` says why it happened: [reasons](reasons.md).

## Kinds

| kind | what happened | severity | of its stage | in the log | webhooks tell it as |
|---|---|---|---|---|---|"""

_FACTS = """
Two rules go beyond the table. A packet that was not answered (`dhcp.drop`) has failed where its reason says what to do,
and a file that is not there is minor: loaders try names on the chance that they exist.

## Facts

What `detail` holds, as an object of texts. `trace` is a list beside it; `why` in `detail` is the same in one text.

| fact | | says | kinds |
|---|---|---|---|"""


def reference() -> str:
    """The page, from the two tables."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    for kind in Kind:
        says = " ".join(filter(None, (f"`{kind.stage}`" if kind.stage else "", kind.state)))
        log = "warning" if kind.warns else ""
        yield f"| `{kind}` | {kind.meaning} | {kind.severity} | {says} | {log} | {kind.notice or ''} |"
    yield _FACTS
    for fact in FACTS.values():
        type = "number" if isinstance(fact, Number) else "text"
        yield f"| `{fact}` | {type} | {fact.meaning} | {_carriers(fact.kinds)} |"
    yield ""


def _carriers(kinds: Sequence[Kind]) -> str:
    """Their names; a room's where all of it are there."""
    rooms = {kind.room: {k for k in Kind if k.room == kind.room} for kind in kinds}
    whole = {room for room, every in rooms.items() if len(every) > 1 and every <= {*kinds}}
    names = (f"{kind.room}.*" if kind.room in whole else str(kind) for kind in kinds)
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))
