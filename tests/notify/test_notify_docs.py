"""docs/reference/webhooks.md says what is sent."""

from __future__ import annotations

import json
import re
from pathlib import Path

from netprov.boot.reason import Reason
from netprov.inventory.model import Notice
from netprov.journal.correlate import Placed
from netprov.journal.event import Event, Kind
from netprov.notify.deliver import FIRST, GIVE_UP, LONGEST
from netprov.notify.news import body, news_of
from netprov.notify.spool import MOST

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "webhooks.md").read_text()


def test_every_key_is_described_and_none_that_is_not_sent() -> None:
    (news,) = news_of(Placed(Event(1.0, Kind.INSTALL, Reason.INSTALL_DONE), "", 0))
    sent = json.loads(body(news, "msg_1", ""))
    table = PAGE[PAGE.index("| key |") : PAGE.index("Every key is always there")]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == ["type", "timestamp", *sent["data"]]
    shown = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])
    assert list(shown) == list(sent)
    assert list(shown["data"]) == list(sent["data"])


def test_the_numbers_are_those_of_the_code() -> None:
    assert (FIRST, LONGEST, GIVE_UP, MOST) == (2.0, 600.0, 86_400.0, 10_000)
    assert "after 1 to 2 s, then after twice as long, up to ten minutes, for a day" in PAGE
    assert "10,000 may wait" in PAGE


def test_every_type_and_reason_is_named() -> None:
    assert all(f"`{notice}`" in PAGE for notice in Notice)
    assert all(f"`{reason.label}`" in PAGE for reason in Reason if reason.label.startswith("webhook-"))
