"""The stages of a boot as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from netprov.dhcp.packet import TYPE_NAMES
from netprov.errors import Origin
from netprov.explain.options import rows
from netprov.explain.stage import Reply, Stage

Row = dict[str, object]
Spelled = Callable[[Origin | None], str | None]


def absolute(origin: Origin | None) -> str | None:
    """An origin by its whole path."""
    return str(origin) if origin is not None else None


def stage_row(stage: Stage, spelled: Spelled = absolute) -> Row:
    """`spelled` writes out where something was declared."""
    return {
        "stage": stage.name,
        "asks": stage.asks,
        "gets": stage.gets,
        "why": [
            {"reason": step.reason.label, "text": step.text, "origin": spelled(step.origin)} for step in stage.trace
        ],
        "text": stage.text,
        "problem": stage.problem,
        "advice": stage.advice,
        "replies": [reply_row(reply, spelled) for reply in stage.replies],
        "facts": facts_row(stage.facts),
    }


def reply_row(reply: Reply, spelled: Spelled = absolute) -> Row:
    packet = reply.packet
    return {
        "type": kind_of(reply),
        "to": reply.to,
        "note": reply.note,
        "yiaddr": str(packet.yiaddr),
        "siaddr": str(packet.siaddr),
        "giaddr": str(packet.giaddr),
        "sname": text_of(packet.sname),
        "file": text_of(packet.file),
        "options": [
            {"code": row.code, "name": row.name, "value": row.value, "origin": spelled(reply.origins.get(row.code))}
            for row in rows(packet)
        ],
    }


def facts_row(facts: Iterable[tuple[str, str]]) -> list[Row]:
    return [{"name": name, "value": value} for name, value in facts]


def kind_of(reply: Reply) -> str:
    """ "offer", "ack" …; "bootp" for a reply without a type."""
    return TYPE_NAMES.get(reply.packet.type, str(reply.packet.type))


def text_of(field: bytes) -> str:
    """A text field of the header."""
    return field.decode("utf-8", "replace")
