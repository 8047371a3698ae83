"""What there is to tell, and the JSON that webhooks are sent: the stable form, docs/reference/webhooks.md."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from netprov.inventory.model import Notice
from netprov.journal.boots import Boot
from netprov.journal.correlate import Placed
from netprov.journal.fact import STATE
from netprov.journal.log import boot_id
from netprov.journal.verdicts import Verdict
from netprov.text import escape

_LONGEST = 2000  # characters of a text: an advice is a dozen lines


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell. `once`: names it among all that a journal gives; "" where it can come only once anyway."""

    type: Notice
    at: float
    machine: str = ""
    system: str = ""
    boot: int = 0
    reason: str = ""
    name: str = ""
    severity: str = ""
    state: str = ""
    text: str = ""
    advice: str = ""
    once: str = ""


def news_of(placed: Placed) -> Iterator[News]:
    """What an event of the journal has to tell."""
    event = placed.event
    if event.kind.notice is not None:
        yield _of_event(event.kind.notice, placed)
    elif placed.boot and not event.kind.still:
        yield _begun(placed)


def verdict_news(boot: Boot, verdict: Verdict) -> News:
    return News(
        Notice.VERDICT,
        verdict.at,
        boot.machine,
        boot.system,
        boot.number,
        reason=verdict.id,
        name=verdict.name,
        severity=verdict.severity,
        text=verdict.sentence,
        advice=verdict.advice,
        once=f"{boot_id(boot.machine, boot.number)} {verdict.id}",
    )


def body(news: News, id: str, base: str) -> bytes:
    """The octets to send. `base` is the URL of our pages, "" where there are none.

    What clients sent is escaped as on a terminal: receivers pass a text on to chats, mails and consoles.
    """
    machine = escape(news.system or news.machine)
    page = f"{base}/machines/{quote(machine, safe='')}" if machine else base
    data = {
        "id": id,
        "machine": escape(news.machine),
        "system": escape(news.system),
        "boot": escape(boot_id(news.machine, news.boot)),
        "reason": news.reason,
        "name": news.name,
        "severity": news.severity,
        "state": news.state,
        "text": escape(news.text, _LONGEST),
        "advice": "\n".join(escape(line, _LONGEST) for line in news.advice.split("\n")),
        "url": page if base else "",
    }
    return json.dumps({"type": news.type.value, "timestamp": _time(news.at), "data": data}).encode()


def _of_event(type: Notice, placed: Placed) -> News:
    event = placed.event
    return News(
        type,
        event.at,
        placed.machine,
        event.system,
        placed.boot,
        reason=event.reason.label,
        state=event.fact(STATE),
        text=event.text or event.reason.meaning,
        advice=event.reason.advice,
    )


def _begun(placed: Placed) -> News:
    """That a machine boots; any event of the boot may be the first that is seen."""
    event = placed.event
    return News(
        Notice.BOOT,
        event.at,
        placed.machine,
        event.system,
        placed.boot,
        reason=event.reason.label,
        text=f"{event.system or placed.machine} begins to boot",
        once=f"{boot_id(placed.machine, placed.boot)} begun",
    )


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03d}Z"
