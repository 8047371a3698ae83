"""Boots and events as JSON: the stable form, for programs.

A boot is an object of

    machine     MAC, or "ip ADDRESS"              system      name, "" where none matched
    boot        number, from 1                    started     seconds since the epoch
    seconds     first event to last
    stages      list, in the order reached: {stage, state: "done" | "started" | "failed", at, after, began, until, size,
                seconds, retransmits, names}: `at` is when it was done first, `began` and `until` span all of it
    verdicts    list of why it went wrong, what stops it first; empty where all is well: {id, name,
                severity: "error" | "warning", sentence, advice, at, after}
    events      list, in order of time: the objects below

and an event an object of

    at          seconds since the epoch           after       seconds since the boot's start
    kind        "dhcp.ack", "tftp.done", …        reason      a label of docs/reference/reasons.md
    text        the sentence                      stage       "address", "loader", … or ""
    mac, uuid, client_id, xid, ip, peer, relay, system, name       as heard; "" or 0 where unknown
    size        octets                            seconds     of the transfer
    retransmits number                            trace       list of sentences: the steps of the decision
    detail      object of further facts, all strings: docs/reference/events.md; `why` is the trace in one string

Every key is always there; more may come. What clients sent stands in it as they sent it, escaped as JSON escapes.
Install tokens are left out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from netprov.journal.boots import Boot, Stage
from netprov.journal.event import Event
from netprov.journal.verdicts import Judged, Verdict
from netprov.journal.wire import FIELDS

Json = dict[str, object]


def boot_object(boot: Boot, found: Sequence[Verdict] = ()) -> Json:
    """`boot` with the verdicts `found`, as above."""
    return {
        "machine": boot.machine,
        "system": boot.system,
        "boot": boot.number,
        "started": boot.started,
        "seconds": round(boot.seconds, 6),
        "stages": [_stage_object(stage, boot.started) for stage in boot.stages],
        "verdicts": [verdict_object(verdict, boot.started) for verdict in found],
        "events": [event_object(event, boot.started) for event in boot.events],
    }


def event_object(event: Event, started: float) -> Json:
    """`event` of a boot that began at `started`, as above."""
    return {
        **{name: getattr(event, name) for name in FIELDS if name != "token"},
        "after": round(event.at - started, 6),
        "kind": event.kind.value,
        "reason": event.reason.label,
        "trace": list(event.trace),
        "detail": dict(event.detail) | ({"why": "; ".join(event.trace)} if event.trace else {}),
    }


def _stage_object(stage: Stage, started: float) -> Json:
    return {
        "stage": stage.name,
        "state": stage.state,
        "at": stage.at,
        "after": round(stage.at - started, 6),
        "began": stage.began,
        "until": stage.until,
        "size": stage.size,
        "seconds": stage.seconds,
        "retransmits": stage.retransmits,
        "names": list(stage.names),
    }


def verdict_object(verdict: Verdict, started: float) -> Json:
    """`verdict` on a boot that began at `started`, as above."""
    return asdict(verdict) | {"after": round(verdict.at - started, 6)}


def as_json(judged: Sequence[Judged]) -> str:
    """The boots with their verdicts, as a JSON array."""
    return json.dumps([boot_object(boot, found) for boot, found in judged], indent=2)
