"""What became of a request, as the journal is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind
from netprov.journal.fact import ACKNOWLEDGED, END, LENGTH, METHOD, STATUS, Detail
from netprov.render.scripts import PREVIEW_TOKEN

ENVIRON_KEY = "netprov.outcome"
"""Where a view leaves the Outcome of its request in the WSGI environ."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a request was about. `reason` None: the status says enough; `text` "": a plain sentence is made.

    `quiet`: no boot is concerned with it (pages, health), so it is no event unless it fails. `file`: the view has
    nothing of this name; a file beneath tftp.root may. `stream`: the answer is what happens from now on.
    """

    stage: str = ""
    reason: Reason | None = None
    text: str = ""
    mac: str = ""
    uuid: str = ""
    system: str = ""
    token: str = ""
    trace: tuple[str, ...] = ()
    detail: Detail = ()
    quiet: bool = False
    file: str = ""
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what was sent for it. `status` 0: nothing was."""

    method: str
    path: str
    ip: str
    port: int
    status: int
    sent: int = 0  # octets of the body
    seconds: float = 0.0
    closed: bool = False  # the client went away before the end
    stalled: int | None = None  # … without a word, having acknowledged so many octets
    length: str = ""  # of the body, where it was not sent to its end
    asked: Detail = ()  # header fields worth telling


_REASONS: Mapping[int, Reason] = {
    401: Reason.HTTP_FORBIDDEN,
    403: Reason.HTTP_FORBIDDEN,
    404: Reason.HTTP_NOT_FOUND,
    410: Reason.HTTP_FORBIDDEN,
    413: Reason.HTTP_TOO_LARGE,
}


def event_of(exchange: Exchange, outcome: Outcome, now: float) -> Event | None:
    """The event to record at `now` (seconds since the epoch); None where no boot is concerned."""
    kind, reason = _judge(exchange)
    if kind is Kind.HTTP_DONE and outcome.quiet:
        return None
    how = (
        *(((METHOD, exchange.method),) if exchange.method != "GET" else ()),
        *(((STATUS, str(exchange.status)),) if exchange.status != 200 else ()),
        *(((LENGTH, exchange.length),) if exchange.closed and exchange.length else ()),
        *(((END, "stalled"), (ACKNOWLEDGED, str(exchange.stalled))) if exchange.stalled is not None else ()),
    )
    reason = reason if exchange.closed else outcome.reason or reason
    return Event(
        at=now,
        kind=kind,
        reason=reason,
        text=outcome.text or f"{exchange.method} {exchange.path}: {reason.meaning}",
        stage=outcome.stage,
        mac=outcome.mac,
        uuid=outcome.uuid,
        ip=exchange.ip,
        peer=f"{exchange.ip}:{exchange.port}",
        system=outcome.system,
        token="" if outcome.token == PREVIEW_TOKEN else outcome.token,  # one for all: it tells no machine
        name=exchange.path,
        size=exchange.sent,
        seconds=exchange.seconds,
        trace=outcome.trace,
        detail=(*how, *exchange.asked, *outcome.detail),
    )


def _judge(exchange: Exchange) -> tuple[Kind, Reason]:
    if exchange.closed:
        return Kind.HTTP_FAIL, Reason.HTTP_CLOSED
    if exchange.status < 400:
        return Kind.HTTP_DONE, Reason.HTTP_OK
    if exchange.status in (500, 503):
        return Kind.HTTP_FAIL, Reason.INTERNAL_ERROR if exchange.status == 500 else Reason.HTTP_UNAVAILABLE
    return Kind.HTTP_REFUSE, _REASONS.get(exchange.status, Reason.HTTP_BAD_REQUEST)
