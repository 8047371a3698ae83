"""Webhooks without a network: what is told, how it is signed, when it is tried, what is kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.boot.reason import Reason
from netprov.inventory.model import Notice
from netprov.journal.boots import boot_of
from netprov.journal.correlate import Placed
from netprov.journal.event import Event, Kind
from netprov.journal.verdicts import Verdict
from netprov.notify.deliver import FIRST, LONGEST, pause
from netprov.notify.news import body, news_of, verdict_news
from netprov.notify.receivers import receivers
from netprov.notify.sign import signed_headers
from netprov.notify.spool import Entry, Spool
from netprov.notify.watch import LOOKS, WATCHED, Watch
from tests.web.hostile import HOSTILE, NEVER

MAC = "52:54:00:12:34:56"
KEYS = {"id", "machine", "system", "boot", "reason", "name", "severity", "state", "text", "advice", "url"}


# signatures


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """As the Python library standardwebhooks 1.1 makes it of the same."""
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1614265330.7
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_plain_secret_is_its_octets_and_none_signs_nothing() -> None:
    headers = signed_headers("id", b"body", "sixteen letters!", 5.0)
    digest = hmac.digest(b"sixteen letters!", b"id.5.body", hashlib.sha256)
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert "webhook-signature" not in signed_headers("id", b"body", "", 5.0)


# when to try again


def test_pauses_double_up_to_ten_minutes_and_are_spread() -> None:
    assert [pause(n, 1.0) for n in (1, 2, 3)] == [FIRST, 2 * FIRST, 4 * FIRST]
    assert pause(50, 1.0) == pause(10_000, 1.0) == LONGEST
    assert pause(1, 0.0) == FIRST / 2
    assert LONGEST / 2 <= pause(99, 0.3) <= LONGEST


# what is told


def told(placed: Placed) -> list[tuple[Notice, str]]:
    return [(news.type, news.reason) for news in news_of(placed)]


@pytest.mark.parametrize(
    ("event", "boot", "expected"),
    [
        (Event(1.0, Kind.INSTALL, Reason.INSTALL_DONE), 0, [(Notice.INSTALL, "install-done")]),
        (Event(1.0, Kind.SERVER, Reason.WORKER_DIED), 0, [(Notice.SERVER, "worker-died")]),
        (Event(1.0, Kind.INVENTORY, Reason.INVENTORY_REFUSED), 0, [(Notice.SERVER, "inventory-refused")]),
        (Event(1.0, Kind.DHCP_OFFER, Reason.DHCP_OK), 1, [(Notice.BOOT, "dhcp-ok")]),
        (Event(1.0, Kind.HTTP_DONE, Reason.HTTP_OK), 0, []),
        (Event(1.0, Kind.SYSLOG_LINE, Reason.SYSLOG_LINE), 1, []),
        # what it has to say of its receivers is never told to them: it would have no end
        (Event(1.0, Kind.WEBHOOK, Reason.WEBHOOK_FAILED), 0, []),
    ],
)
def test_what_an_event_has_to_tell(event: Event, boot: int, expected: object) -> None:
    assert told(Placed(event, MAC if boot else "", boot)) == expected


def test_the_body_has_always_the_same_keys_and_says_whose_it_is() -> None:
    event = Event(1_800_000_000.25, Kind.INSTALL, Reason.INSTALL_FAILED, "lady: installing → failed: no disk",
                  system="lady", detail=(("state", "failed"),))  # fmt: skip
    (news,) = news_of(Placed(event, MAC, 3))
    told = json.loads(body(news, "msg_1", "http://10.0.0.1"))
    assert told["type"] == "install"
    assert told["timestamp"] == "2027-01-15T08:00:00.250Z"
    assert told["data"] == {
        "id": "msg_1", "machine": MAC, "system": "lady", "boot": f"{MAC}/3", "reason": "install-failed", "name": "",
        "severity": "", "state": "failed", "text": "lady: installing → failed: no disk",
        "advice": Reason.INSTALL_FAILED.advice, "url": "http://10.0.0.1/machines/lady",
    }  # fmt: skip
    verdict = Verdict("G9", "it stops", "error", "The machine stops.", "Do this:\n  that", 1_800_000_000.0)
    boot = boot_of(MAC, 3, [Event(1.0, Kind.DHCP_OFFER, Reason.DHCP_OK)])
    told = json.loads(body(verdict_news(boot, verdict), "msg_2", ""))
    assert set(told["data"]) == KEYS
    assert (told["data"]["reason"], told["data"]["severity"], told["data"]["url"]) == ("G9", "error", "")
    assert told["data"]["advice"] == "Do this:\n  that"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_strings_reach_receivers_escaped(text: str) -> None:
    event = Event(1.0, Kind.INSTALL, Reason.INSTALL_FAILED, text, system=text, name=text, detail=(("state", "failed"),))
    (news,) = news_of(Placed(event, f"ip {text}", 1))
    sent = body(news, "msg_1", "http://10.0.0.1")
    assert sent.isascii()
    data = json.loads(sent)["data"]
    assert set(data) == KEYS
    for value in data.values():
        assert not [char for char in value if not char.isprintable() and char != "\n"]
        assert len(value) < 5000
    markup = [word for word in NEVER if word.isprintable() and word.startswith(("<", "on"))]
    assert not [word for word in markup if word in data["url"]]


# when boots are looked at


def looks(watch: Watch, until: float, step: float = 0.5) -> list[float]:
    at, found = 0.0, []
    while at <= until:
        found += [at for _ in watch.due(at, 100)]
        at += step
    return found


def test_a_boot_is_looked_at_after_each_silence_a_rule_waits_for() -> None:
    watch = Watch()
    watch.note("m", 1, 0.0)
    assert looks(watch, 2000) == list(LOOKS)
    assert watch.due(5000.0, 100) == []
    watch.note("m", 1, 6000.0)
    assert watch.due(6001.0, 100) == [("m", 1, False)]


def test_a_boot_that_never_rests_is_looked_at_every_second() -> None:
    watch, found = Watch(), 0
    for n in range(1000):
        watch.note("m", 1, n / 100)
        found += len(watch.due(n / 100, 100))
    assert 8 <= found <= 11


def test_a_new_boot_ends_the_one_before() -> None:
    watch = Watch()
    watch.note("m", 1, 0.0)
    watch.note("m", 2, 0.1)
    assert watch.due(0.2, 100) == [("m", 1, True)]
    assert watch.due(2.0, 100) == [("m", 2, False)]
    watch.note("m", 1, 3.0)  # the end of a transfer of the boot before
    assert watch.due(3.1, 100) == [("m", 1, True)]


def test_boots_that_nobody_asks_about_are_forgotten() -> None:
    watch = Watch()
    for n in range(2 * WATCHED):
        watch.note("m", n + 1, float(n))
        watch.note(f"m{n}", 1, float(n))
    assert len(watch._ended) <= WATCHED
    assert len(watch._waiting) <= WATCHED


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.floats(0, 5)), max_size=60))
def test_every_boot_is_looked_at_after_its_last_event(notes: list[tuple[str, int, float]]) -> None:
    watch, now, looked, last = Watch(), 0.0, {}, {}
    for machine, number, quiet in notes:
        now += quiet
        watch.note(machine, number, now)
        last[machine, number] = now
        looked.update({(m, n): now for m, n, _ in watch.due(now, 2)})
    for _ in range(2000):
        now += 1.0
        looked.update({(m, n): now for m, n, _ in watch.due(now, 2)})
    assert all(looked.get(boot, -1.0) >= at for boot, at in last.items())


# what is kept


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "notify.db", most=5)


def entry(name: str, *hooks: str, once: str = "") -> Entry:
    return Entry(name, name.encode(), hooks or ("ops",), once)


def test_it_is_told_once_and_in_order(spool: Spool) -> None:
    spool.queue([entry("a", once="x"), entry("b", once="x"), entry("c")], "1:2", 7, 1.0)
    assert spool.place() == ("1:2", 7)
    assert spool.was_told("x")
    assert [spool.next("ops").id, spool.next("ops").body] == ["a", b"a"]
    spool.delivered(spool.next("ops"))
    spool.queue([entry("d", once="x")], "1:2", 8, 2.0)
    assert spool.next("ops").id == "c"
    spool.begin_journal()
    assert not spool.was_told("x")


def test_what_waits_survives_the_end_of_the_process(spool: Spool, tmp_path: Path) -> None:
    spool.queue([entry("a", once="x")], "1:2", 7, 1.0)
    message = spool.next("ops")
    spool.put_off(message, 99.0, "refused", 5.0)
    again = Spool(tmp_path / "notify.db")
    assert (again.next("ops").id, again.next("ops").attempts, again.next("ops").due) == ("a", 1, 99.0)
    assert again.place() == ("1:2", 7)
    assert again.was_told("x")
    assert again.failing("ops") == 5.0
    again.hurry("ops")
    assert again.next("ops").due == 0


def test_no_more_waits_than_there_is_room_for_and_the_oldest_go(spool: Spool, tmp_path: Path) -> None:
    assert spool.queue([entry(str(n), "ops", "chat") for n in range(8)], "1:2", 7, 1.0) == 6
    assert spool.next("ops").id == "3"
    (chat, ops) = receivers(tmp_path / "notify.db")
    assert (ops.waiting, ops.dropped, chat.waiting) == (5, 3, 5)


def test_a_receiver_that_is_declared_no_more_is_forgotten(spool: Spool, tmp_path: Path) -> None:
    spool.queue([entry("a", "ops", "chat")], "1:2", 7, 1.0)
    spool.keep(["ops"], 2.0)
    assert spool.next("chat") is None
    assert [row.name for row in receivers(tmp_path / "notify.db")] == ["ops"]
    spool.keep([], 3.0)
    assert receivers(tmp_path / "notify.db") == []


def test_a_queue_that_fails_half_way_leaves_nothing(spool: Spool) -> None:
    with pytest.raises(sqlite3.Error):
        spool.queue([entry("a", once="x"), Entry("b", object(), ("ops",))], "1:2", 7, 1.0)  # type: ignore[arg-type]
    assert spool.next("ops") is None
    assert not spool.was_told("x")
    assert spool.place() == ("", 0)


def test_how_receivers_do(spool: Spool, tmp_path: Path) -> None:
    assert receivers(tmp_path / "none.db") == []
    spool.queue([entry("a"), entry("b"), entry("c")], "1:2", 7, 1.0)
    spool.put_off(spool.next("ops"), 9.0, "it answered 503", 5.0)
    spool.put_off(spool.next("ops"), 19.0, "no answer within 10 s", 9.0)
    (row,) = receivers(tmp_path / "notify.db")
    assert (row.failing, row.said, row.failed, row.waiting) == (5.0, "no answer within 10 s", 2, 3)
    spool.delivered(spool.next("ops"))
    spool.give_up(spool.next("ops"), "it answered 400")
    (row,) = receivers(tmp_path / "notify.db")
    assert (row.failing, row.delivered, row.dropped, row.waiting) == (0.0, 1, 1, 1)
    assert (tmp_path / "notify.db").stat().st_mode & 0o777 == 0o640
