"""Whatever field is not sent to machines, changing it changes something else that netprov does; or the field table says
that it is a note, and then it changes nothing. So a field without effect is not one of the table's.

The rows are those of test_explain_fields.py: a new field without one fails there, a row without effect here.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientTimeout
from flask import Flask, request, session

from netprov.boot.install import Arm
from netprov.boot.reason import Reason
from netprov.errors import ConfigError
from netprov.inventory.fields import Kind
from netprov.inventory.load import load
from netprov.inventory.model import Inventory, ServerSettings, User
from netprov.journal.correlate import Placed
from netprov.journal.event import Event
from netprov.journal.event import Kind as EventKind
from netprov.journal.note import change_by_command
from netprov.journal.store import Store
from netprov.notify.deliver import attempt
from netprov.notify.follow import Follower
from netprov.notify.spool import Spool, Waiting
from netprov.render.generation import Generation
from netprov.render.preview import Preview, Records
from netprov.serve.sockets import bound_settings
from netprov.state.place import Place
from netprov.state.state import open_state
from netprov.web.access import asker
from netprov.web.credentials import mark_of
from netprov.xen.create.order import Order
from netprov.xen.create.plan import local_plan
from tests.explain.house import make
from tests.explain.test_explain_fields import CONFIG, NOTES, PASSWORD, UNSENT, changed

NOW = 1_700_000_000.0
DAY = 86_400.0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere")
    make(folder, CONFIG)
    (folder / "autoinstall").mkdir()
    (folder / "autoinstall" / "all.ks").write_text(
        "# netprov: template\n{% for i in interfaces %}# {{ i.management }}\n{% endfor %}"
    )
    return folder


def domus(folder: Path, inventory: Inventory) -> Iterator[object]:
    """What `netprov domu create --dry-run` prints."""
    for name in ("lady", "guest"):
        try:
            yield list(local_plan(Order(name, program="netprov-pxeboot"), folder / "netprov.yaml", inventory).shown())
        except ConfigError as error:
            yield str(error)


def answers(inventory: Inventory) -> str:
    """A template of the user's, made of what templates may read."""
    return Preview(Generation.of(inventory), Records(None)).answers(inventory.system("lady"), None).body.decode()


def askers(server: ServerSettings) -> Iterator[object]:
    """Who a visitor, a token and alice's session are, over HTTP."""
    app = Flask("elsewhere")
    app.secret_key = b"s"
    for token in ("", "Bearer np_robot"):
        with app.test_request_context(headers={"Authorization": token} if token else {}):
            yield asker(request, server)
    with app.test_request_context():
        session.update(user="alice", mark=mark_of(User("alice", PASSWORD)))
        yield asker(request, server)


class Client:
    """Stands for aiohttp's: remembers what is posted, and takes it."""

    def __init__(self) -> None:
        self.posted: list[object] = []

    def post(self, url: str, *, data: bytes, headers: dict[str, str], timeout: ClientTimeout, **more: object) -> Client:
        message = json.loads(data)
        message["data"].pop("id")  # of this journal; the signature is of it, too
        self.posted.append((url, message, sorted(headers), timeout.total))
        return self

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    status = 200

    def close(self) -> None:
        pass


def told(folder: Path, inventory: Inventory) -> Iterator[object]:
    """What webhooks are told of two events, and how."""
    journal, spool = folder / "journal.db", Spool(folder / "notify.db")
    follower = Follower(journal, spool, inventory, lambda: NOW, lambda: 0.0)
    follower.round()  # there is none yet: what comes is news
    store = Store(journal)
    armed = Event(NOW, EventKind.INSTALL, Reason.INSTALL_ARMED, "lady: armed", system="lady")
    begins = Event(NOW, EventKind.DHCP_OFFER, Reason.DHCP_OK, "offers", mac="52:54:00:00:00:01", system="lady")
    store.add([Placed(armed, "52:54:00:00:00:01", 0), Placed(begins, "52:54:00:00:00:01", 1)], 10**6, 0.0)
    follower.round()
    client = Client()
    for hook in inventory.settings.server.webhooks:
        while (message := spool.next(hook.name)) is not None:
            asyncio.run(attempt(client, hook, Waiting(1, hook.name, "id", message.body, NOW, 0, 0.0), NOW))  # type: ignore[arg-type]
            spool.delivered(message)
    yield client.posted
    for one in (follower, store, spool):
        one.close()


def kept(folder: Path, inventory: Inventory) -> int:
    """How many of 1,100 events of today, after 100 older ones, the journal keeps when another is added."""
    server = replace(inventory.settings.server, state=str(folder / "kept"))
    with open_state(server.state) as state:
        store = Store(Place(server.state).journal)
        old, new = (Event(at, EventKind.SERVER, Reason.SERVER_STARTED, "x") for at in (NOW - 2 * DAY, NOW))
        store.add([*[Placed(old, "", 0)] * 100, *[Placed(new, "", 0)] * 1100], 10**6, 0.0)
        change_by_command(state.installs, server, {"lady": inventory.system("lady")}, Arm(), NOW, "a test")
        store.close()
    with closing(sqlite3.connect(Place(server.state).journal)) as journal:
        return int(journal.execute("SELECT count(*) FROM events").fetchone()[0])


@pytest.fixture(scope="module")
def done(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sequence[str]], str]:
    """Everything else that netprov does with the site with these changes."""

    def everything(changes: Sequence[str]) -> str:
        inventory, folder = changed(world, changes), tmp_path_factory.mktemp("done")
        settings = inventory.settings
        parts = itertools.chain(domus(world, inventory), askers(settings.server), told(folder, inventory))
        bound = sorted(bound_settings(settings))
        return repr([*parts, answers(inventory), bound, kept(folder, inventory)])

    return everything


def test_the_same_site_does_the_same(done: Callable[[Sequence[str]], str]) -> None:
    """What differs in the tests below differs because of the change."""
    declared = [*UNSENT[Kind.WEBHOOK, "events"][0], *UNSENT[Kind.USER, "scopes"][0], *UNSENT[Kind.DISK, "size"][0]]
    assert done(declared) == done(declared)


@pytest.mark.parametrize("key", sorted(UNSENT), ids=lambda key: f"{key[0]}.{key[1]}")
def test_a_field_that_is_not_sent_counts_elsewhere(key: tuple[Kind, str], done: Callable[[Sequence[str]], str]) -> None:
    before, change = UNSENT[key]
    assert done((*before, change)) != done(before)


@pytest.mark.parametrize("key", sorted(NOTES), ids=lambda key: f"{key[0]}.{key[1]}")
def test_a_note_changes_nothing(key: tuple[Kind, str], done: Callable[[Sequence[str]], str]) -> None:
    before, change = NOTES[key]
    assert done((*before, change)) == done(before)


@pytest.mark.parametrize("key", ["templates", "autoinstall", "inventory"])
def test_each_folder_of_the_users_own_counts(key: str, tmp_path: Path) -> None:
    """The keys of netprov.yaml that are no section of the field table."""
    make(tmp_path, CONFIG)
    (tmp_path / "autoinstall").mkdir()
    (tmp_path / "autoinstall" / "all.ks").write_text("# ours\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "all.ks").write_text("# mine\n")
    (tmp_path / "mine" / "more.yaml").write_text("snippets: {more: x}\n")
    before = load(tmp_path / "netprov.yaml")
    (tmp_path / "netprov.yaml").write_text(f"{CONFIG}{key}: mine\n")
    after = load(tmp_path / "netprov.yaml")
    seen = {
        "templates": lambda inventory: inventory.settings.templates,
        "autoinstall": answers,
        "inventory": lambda inventory: list(inventory.snippets),
    }[key]
    assert seen(after) != seen(before)
