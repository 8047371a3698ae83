"""The worker on a real journal, and receivers on the loopback interface that are good, dead and hostile."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import socket
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from netprov.boot.reason import Reason
from netprov.inventory.model import Inventory, Notice, ServerSettings, Settings, Webhook
from netprov.journal.correlate import Correlator
from netprov.journal.event import Event, Kind
from netprov.journal.store import Store
from netprov.notify import deliver, worker
from netprov.notify.deliver import attempt, session
from netprov.notify.follow import Follower
from netprov.notify.receivers import receivers as looked_at
from netprov.notify.spool import Spool, Waiting
from netprov.notify.worker import NotifyWorker
from netprov.state.place import Place
from tests.journal.scenes import Machine, bios_pxelinux
from tests.notify import receivers
from tests.notify.receivers import receiving, status
from tests.world import in_thread, until

EVERY = tuple(Notice)


def inventory(*hooks: Webhook) -> Inventory:
    return Inventory(settings=Settings(server=ServerSettings(webhooks=hooks)))


@dataclass
class Site:
    """A journal that events are written into, as the writer does."""

    folder: Path
    recorded: list[Event] = field(default_factory=list)
    correlator: Correlator = field(default_factory=Correlator)

    def __post_init__(self) -> None:
        self.place = Place(str(self.folder))
        self.store = Store(self.place.journal)

    def record(self, *events: Event) -> None:
        self.store.add([self.correlator.place(event) for event in events], 1_000_000, 0.0)

    @contextlib.contextmanager
    def running(self, *hooks: Webhook, before: Sequence[Webhook] | None = None) -> Iterator[NotifyWorker]:
        """`before`: what was declared when the worker was made, where that is not what its loop begins with."""
        worker = NotifyWorker(self.place, inventory(*(hooks if before is None else before)), self.recorded.append)
        if before is not None:
            worker.update(inventory(*hooks))
        with in_thread(worker.run, worker.stop):
            yield worker

    def followed(self) -> bool:
        """Whether the worker reads the journal: from now on everything is news."""
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.place.spool}?mode=ro", uri=True)) as spool:
                return spool.execute("SELECT journal FROM place").fetchone() is not None
        except sqlite3.Error:
            return False

    def reasons(self) -> list[Reason]:
        return [event.reason for event in self.recorded]

    def standing(self, name: str):
        return next((row for row in looked_at(self.place.spool) if row.name == name), None)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.store.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "POLL", 0.05)
    monkeypatch.setattr(worker, "TROUBLE", 0.1)
    monkeypatch.setattr(deliver, "FIRST", 0.05)
    monkeypatch.setattr(deliver, "LONGEST", 0.2)


def machine(ago: float = 5.0) -> Machine:
    return Machine(at=time.time() - ago)


def stuck(machine: Machine) -> Machine:
    """It took an address and a boot file, and was never heard of again: verdict G4."""
    return machine.address("firmware", "shimx64.efi")


def install(text: str = "lady: booting → installed") -> Event:
    return Event(time.time(), Kind.INSTALL, Reason.INSTALL_DONE, text, system="lady", detail=(("state", "installed"),))


# one attempt


def once(url: str, timeout: int = 1, secret: str = "") -> deliver.Answer:
    async def run() -> deliver.Answer:
        async with session() as client:
            hook = Webhook("ops", url, secret, timeout=timeout)
            return await attempt(client, hook, Waiting(1, "ops", "msg_1", b'{"a": 1}', 0.0, 0, 0.0), 1_800_000_000.0)

    return asyncio.run(run())


def dead_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        return f"http://127.0.0.1:{gone.getsockname()[1]}/"


BAD = {
    "hangs": (receivers.hang, False, "no answer within 1 s"),
    "drips a header for ever": (receivers.drip, False, "no answer within 1 s"),
    "endless headers": (receivers.huge_headers, False, "its answer is not HTTP, or it closed the connection"),
    "no HTTP": (receivers.nonsense, False, "its answer is not HTTP, or it closed the connection"),
    "closes": (receivers.closes, False, "its answer is not HTTP, or it closed the connection"),
    "503": (status(503), False, "it answered 503"),
    "404": (status(404), False, "it answered 404"),
    "429": (status(429), False, "it answered 429"),
    "400": (status(400), True, "it answered 400"),
    "413": (status(413), True, "it answered 413"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_receiver_costs_its_timeout_at_most(case: str) -> None:
    answer, final, said = BAD[case]
    with receiving(answer) as receiver:
        began = time.monotonic()
        found = once(receiver.url)
        assert time.monotonic() - began < 10  # not the minutes that an endless answer would take
    assert (found.taken, found.final, found.said) == (False, final, said)


def test_an_endless_answer_counts_by_its_status_and_is_not_read() -> None:
    with receiving(receivers.huge) as receiver:
        assert once(receiver.url, timeout=20).taken


def test_a_dead_receiver_and_one_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert once(dead_url()).said == "Connection refused"

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert once("http://receiver.example/", timeout=20).said == "its name is not known in DNS"


def test_a_receiver_that_speaks_no_tls() -> None:
    with receiving(status(200)) as receiver:
        assert once(receiver.url.replace("http:", "https:"), timeout=10).said.startswith("TLS: ")


def test_a_redirect_is_not_followed() -> None:
    with receiving(status(200)) as elsewhere, receiving(status(307, f"Location: {elsewhere.url}\r\n")) as receiver:
        found = once(receiver.url)
        assert not found.taken
        assert "redirects are not followed" in found.said
        assert elsewhere.requests == []


def test_what_is_sent() -> None:
    with receiving(status(204)) as receiver:
        assert once(receiver.url, secret="a secret of 16 and more").taken
    (request,) = receiver.requests
    assert request.line == "POST /hook?x=1 HTTP/1.1"
    assert request.body == b'{"a": 1}'
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("netprov/")
    signed = hmac.digest(b"a secret of 16 and more", b'msg_1.1800000000.{"a": 1}', hashlib.sha256)
    assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(signed).decode()}"
    assert (request.headers["webhook-id"], request.headers["webhook-timestamp"]) == ("msg_1", "1800000000")


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", dead_url())
    with receiving(status(200)) as receiver:
        assert once(receiver.url).taken


# the worker


def test_states_and_verdicts_are_told_once_to_who_wants_them(site: Site) -> None:
    with receiving(status(200)) as ops, receiving(status(200)) as chat:
        hooks = Webhook("ops", ops.url), Webhook("chat", chat.url, events=EVERY)
        with site.running(*hooks):
            until(site.followed)
            site.record(install(), *stuck(machine(100.0)).events)
            until(lambda: len(ops.requests) >= 2)
            until(lambda: len(chat.requests) >= 3)
            time.sleep(1.5)  # the boot is looked at again
        said = {(told["type"], told["data"]["reason"]) for told in ops.taken}
        verdict = next(told["data"] for told in ops.taken if told["type"] == "verdict")
        assert ("install", "install-done") in said
        assert verdict["machine"] == "00:16:3e:11:11:11"
        assert verdict["boot"] == "00:16:3e:11:11:11/1"
        assert verdict["advice"]
        assert len(ops.taken) == len(said)  # each once
        assert {told["type"] for told in chat.taken} == {"verdict", "install", "boot"}
        assert len({told["data"]["id"] for told in chat.taken}) == len(chat.taken)
        assert sum(told["type"] == "boot" for told in chat.taken) == 1
        assert site.recorded == []


def test_a_healthy_boot_is_no_verdict(site: Site) -> None:
    with receiving(status(200)) as ops, site.running(Webhook("ops", ops.url)):
        until(site.followed)
        site.record(*bios_pxelinux(machine(60.0)).events)
        until(lambda: ops.requests)
        time.sleep(1.5)
        assert [told["type"] for told in ops.taken] == ["install"]


def test_a_restart_neither_loses_nor_repeats(site: Site) -> None:
    """The receiver is away while it happens, and so is the worker, for a while."""
    url = dead_url()
    with site.running(Webhook("ops", url)):
        until(site.followed)
        site.record(install("first"))
        until(lambda: Reason.WEBHOOK_FAILED in site.reasons())
    site.record(install("second"), *stuck(machine(100.0)).events)
    with receiving(status(200)) as ops:
        with site.running(Webhook("ops", ops.url)):
            until(lambda: len(ops.requests) >= 3)
            until(lambda: Reason.WEBHOOK_RECOVERED in site.reasons())
            time.sleep(1.3)
        assert [told["data"]["text"] for told in ops.taken][:2] == ["first", "second"]
        with site.running(Webhook("ops", ops.url)):
            time.sleep(1.5)
        assert len(ops.requests) == 3
    assert site.reasons() == [Reason.WEBHOOK_FAILED, Reason.WEBHOOK_RECOVERED]
    assert site.standing("ops").failing == 0


def test_a_dead_receiver_delays_nobody(site: Site) -> None:
    with receiving(receivers.hang) as slow, receiving(status(200)) as ops:
        hooks = Webhook("slow", slow.url, timeout=20), Webhook("dead", dead_url()), Webhook("ops", ops.url)
        with site.running(*hooks) as running:
            until(site.followed)
            for n in range(20):
                site.record(install(str(n)))
            until(lambda: len(ops.requests) == 20)
            assert [told["data"]["text"] for told in ops.taken] == [str(n) for n in range(20)]
            assert site.standing("slow").waiting == 20
            began = time.monotonic()
            running.stop()
        assert time.monotonic() - began < 10  # nor is its end waited for


def test_a_message_that_is_refused_does_not_stop_the_next(site: Site) -> None:
    def answer(request: receivers.Request, connection: socket.socket) -> None:
        status(400 if request.json["data"]["text"] == "bad" else 200)(request, connection)

    with receiving(answer) as ops, site.running(Webhook("ops", ops.url)):
        until(site.followed)
        site.record(install("bad"), install("good"))
        until(lambda: len(ops.requests) == 2)
        until(lambda: site.standing("ops").delivered == 1)
    assert site.reasons() == [Reason.WEBHOOK_DROPPED]
    assert site.standing("ops").dropped == 1


def test_failures_are_tried_again_and_told_once(site: Site) -> None:
    answers = iter([503, 500, 302, 200])

    def answer(request: receivers.Request, connection: socket.socket) -> None:
        status(next(answers))(request, connection)

    with receiving(answer) as ops, site.running(Webhook("ops", ops.url)):
        until(site.followed)
        site.record(install())
        until(lambda: len(ops.requests) == 4)
        until(lambda: site.standing("ops").delivered == 1)
    assert len({request.headers["webhook-id"] for request in ops.requests}) == 1
    until(lambda: site.reasons() == [Reason.WEBHOOK_FAILED, Reason.WEBHOOK_RECOVERED])
    assert "it answered 503" in site.recorded[0].text


def test_an_edit_takes_effect_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "FIRST", 600.0)
    monkeypatch.setattr(deliver, "LONGEST", 600.0)
    with receiving(status(200)) as ops, site.running(Webhook("ops", dead_url())) as running:
        until(site.followed)
        site.record(install())
        until(lambda: Reason.WEBHOOK_FAILED in site.reasons())
        running.update(inventory(Webhook("ops", ops.url), Webhook("chat", ops.url)))
        until(lambda: len(ops.requests) == 1)
        running.update(inventory(Webhook("chat", ops.url)))
        until(lambda: site.standing("ops") is None)
        site.record(install())
        until(lambda: site.standing("chat").delivered == 1)
    assert len(ops.requests) == 2


def test_an_edit_before_the_loop_runs_is_not_lost(site: Site) -> None:
    with receiving(status(200)) as ops, site.running(Webhook("ops", ops.url), before=()):
        until(site.followed)
        site.record(install())
        until(lambda: ops.requests)


def test_a_damaged_spool_goes_out_of_the_way(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.place.spool.write_bytes(b"this is no database" * 1000)
    with receiving(status(200)) as ops, site.running(Webhook("ops", ops.url)):
        until(lambda: site.place.spool.exists() and "a new one is made" in caplog.text)
        until(site.followed)
        site.record(install())
        until(lambda: ops.requests)
    assert site.place.spool.with_name("notify.db.corrupt-1").exists()


# following


def test_another_journal_is_read_from_its_beginning(site: Site) -> None:
    """A damaged journal was moved aside: boots are counted from 1 again, and what they get is told again."""
    spool = Spool(site.place.spool)
    hook = inventory(Webhook("ops", "http://127.0.0.1/"))
    follower = Follower(site.place.journal, spool, hook, time.time, lambda: now)
    now = 100.0
    follower.round()
    site.record(*stuck(machine(100.0)).events)
    follower.round()
    now = 102.0
    assert follower.round().queued == 1
    site.store.close()
    for path in list(site.folder.glob("journal.db*")):
        path.rename(path.with_name("old-" + path.name))
    site.store, site.correlator = Store(site.place.journal), Correlator()
    site.record(*stuck(machine(100.0)).events)
    now = 110.0
    follower.round()
    now = 112.0
    assert follower.round().queued == 1
    follower.close()
    spool.close()


def test_what_is_older_than_a_day_is_no_news(site: Site) -> None:
    spool = Spool(site.place.spool)
    hook = inventory(Webhook("ops", "http://127.0.0.1/", events=EVERY))
    follower = Follower(site.place.journal, spool, hook, time.time, time.monotonic)
    follower.round()
    site.record(*bios_pxelinux(machine(3 * 86_400.0)).events)
    assert follower.round().queued == 0
    follower.close()
    spool.close()


def test_many_machines_at_once_are_judged_a_few_at_a_time(site: Site) -> None:
    spool = Spool(site.place.spool)
    hook = inventory(Webhook("ops", "http://127.0.0.1/"))
    follower = Follower(site.place.journal, spool, hook, time.time, lambda: now)
    now, count = 100.0, 100
    follower.round()
    for n in range(count):
        mac = f"52:54:00:00:00:{n:02x}"
        uuid = f"{n:08d}-0042-3510-8054-b4c04f595231"
        site.record(*stuck(Machine(mac, f"10.0.0.{n}", "", uuid, at=time.time() - 100.0)).events)
    queued = follower.round().queued
    assert queued == 0
    rounds = []
    for _ in range(6):
        now += 1.0
        rounds.append(follower.round().queued)
    assert sum(rounds) == count
    assert max(rounds) <= 40
    follower.close()
    spool.close()
