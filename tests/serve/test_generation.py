"""A new generation under load: every answer is made of one, whole, whoever swaps it meanwhile."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from netprov.boot.names import PREVIEW
from netprov.http.application import Call, File, Reply
from netprov.inventory.model import InstallMode, Interface, Inventory, ServerSettings, Settings, Target, TftpSettings
from netprov.mac import parse_mac
from netprov.render.generation import Generation
from netprov.render.scripts import Scripts
from netprov.serve.current import Current
from netprov.serve.source import TftpSource
from netprov.state.state import State, open_state
from netprov.web.app import App, create_app
from netprov.web.services import Services

GENERATIONS = 6
READS = 150  # of each reader
MAC = "52-54-00-00-00-01"
UNKNOWN = "pxelinux.cfg/01-52-54-00-00-00-99"  # no script: the operator's file of this name answers
PEER = (IPv4Address("127.0.0.5"), IPv4Address("127.0.0.1"))


def generation(folder: Path, number: int) -> Inventory:
    """An inventory of which everything says its `number`: its files, its templates, its targets, its settings."""
    place = folder / str(number)
    for name, text in (
        (f"root/{number}/vmlinuz", str(number)),
        (f"root/{UNKNOWN}", str(number)),
        ("templates/ipxe/kernel.ipxe", f"#!ipxe\n# {number}\nkernel {{{{ kernel }}}}\n"),
        ("templates/pxelinux/kernel.cfg", f"# {number}\nkernel {{{{ kernel }}}}\n"),
    ):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    settings = Settings(
        server=ServerSettings(address=PEER[1]),
        tftp=TftpSettings(root=place / "root", blksize=1000 + number),
        templates=place / "templates",
    )
    interfaces = (Interface("eth0", mac=parse_mac(MAC)),)
    lady = Target("system", "lady", kernel=f"{number}/vmlinuz", interfaces=interfaces, install=InstallMode.ALWAYS)
    return Inventory.of(lady, generation=number, settings=settings)


@pytest.fixture
def inventories(tmp_path: Path) -> list[Inventory]:
    return [generation(tmp_path, number) for number in range(GENERATIONS)]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with open_state(str(tmp_path / "state")) as opened:
        yield opened


def tftp(first: Inventory, state: State) -> Current[TftpSource]:
    """As serve.roles makes it."""
    scripts = Scripts(state.installs, state.sightings.at)
    return Current(first, lambda newest: TftpSource(Generation.of(newest), scripts, lambda event: None))


def http(current: Current[Generation], state: State, folder: Path) -> App:
    scripts = Scripts(state.installs, state.sightings.at)
    return create_app(
        Services(current, scripts, state, lambda event: None, time.time, folder / "journal.db", b"secret")
    )


def get(path: str) -> Call:
    return Call("GET", path, "", (("Host", "x"), (PREVIEW, "1")), b"", (1, 1), ("127.0.0.5", 4000), ("127.0.0.1", 80))


def read(opened: Any) -> str:
    with os.fdopen(opened.fd) as file:
        return file.read()


def marks_of_script(body: bytes) -> set[int]:
    """The template's number, and the target's."""
    lines = body.decode().splitlines()
    template = next(line for line in lines if line.startswith("# "))
    kernel = next(line for line in lines if line.startswith("kernel "))
    return {int(template[2:]), int(re.search(r"([0-9]+)/vmlinuz", kernel)[1])}


def by_tftp(current: Current[TftpSource]) -> set[int]:
    source = current()
    render = source.rendered(f"pxelinux.cfg/01-{MAC}", *PEER, preview=True)
    assert render is not None
    marks = {source.settings.blksize - 1000, *marks_of_script(render().data)}
    (number,) = marks
    kept = source.open(f"{number}/vmlinuz")
    assert kept.about.stage == "kernel"
    return marks | {int(read(kept.file))}


def by_http(app: App) -> set[int]:
    reply = app.answer(get(f"/ipxe/{MAC}"))
    assert isinstance(reply, Reply)
    return marks_of_script(reply.body)


def a_file_by_http(app: App) -> set[int]:
    """Asked for by each generation's name: whichever serves has it as its kernel, or does not have it at all."""
    found = set()
    for number in range(GENERATIONS):
        file = app.at_once(f"/files/{number}/vmlinuz")
        assert file is not None
        if file.outcome.stage == "kernel":
            found.add(number - int(read(file.open(file.name))))
    return found or {0}


@pytest.fixture
def busy() -> Iterator[None]:
    """The interpreter lock goes from thread to thread all the time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def swap(inventories: list[Inventory], update: Callable[[Inventory], None], *readers: Callable[[], set[int]]) -> None:
    """Generations are handed over for as long as `readers` read; each read must be of one."""
    mixed: list[set[int]] = []
    failed: list[BaseException] = []

    def reading(reader: Callable[[], set[int]]) -> None:
        try:
            mixed.extend(marks for marks in (reader() for _ in range(READS)) if len(marks) != 1)
        except BaseException as error:  # told by the test's own thread
            failed.append(error)

    threads = [threading.Thread(target=reading, args=(reader,)) for reader in readers]
    for thread in threads:
        thread.start()
    swaps = 0
    while any(thread.is_alive() for thread in threads):
        update(inventories[swaps % GENERATIONS])
        swaps += 1
    assert (failed, mixed) == ([], [])
    assert swaps > GENERATIONS


@pytest.mark.usefixtures("busy")
def test_a_swap_under_load_shows_no_half_by_tftp(inventories: list[Inventory], state: State) -> None:
    current = tftp(inventories[0], state)
    swap(inventories, current.update, *[lambda: by_tftp(current)] * 3)


@pytest.mark.usefixtures("busy")
def test_a_swap_under_load_shows_no_half_by_http(inventories: list[Inventory], state: State, tmp_path: Path) -> None:
    current = Current(inventories[0], Generation.of)
    app = http(current, state, tmp_path)
    swap(inventories, current.update, *[lambda: by_http(app)] * 2, lambda: a_file_by_http(app))


def test_an_answer_under_way_keeps_its_generation(inventories: list[Inventory], state: State, tmp_path: Path) -> None:
    source = tftp(inventories[0], state)
    render, own = (source().rendered(name, *PEER, preview=True) for name in (f"pxelinux.cfg/01-{MAC}", UNKNOWN))
    assert render is not None
    assert own is not None
    generations = Current(inventories[0], Generation.of)
    app = http(generations, state, tmp_path)
    kept, at_once = app.answer(get(f"/{UNKNOWN}")), app.at_once("/files/0/vmlinuz")
    for current in (source, generations):
        current.update(inventories[1])
    assert marks_of_script(render().data) == {0}
    assert own().data == b"0"
    for file in (kept, at_once):
        assert isinstance(file, File)
        assert read(file.open(file.name)) == "0"
    assert source().settings.blksize == 1001
    assert by_http(app) == {1}


def test_a_generation_is_made_once_and_never_changed(inventories: list[Inventory]) -> None:
    current = Current(inventories[0], Generation.of)
    assert current() is current()
    with pytest.raises(FrozenInstanceError):
        current().inventory = inventories[1]  # type: ignore[misc]
