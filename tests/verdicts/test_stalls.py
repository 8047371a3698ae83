"""G19 on a connection whose large packets are lost, as behind a link with a smaller MTU that does not say so."""

from __future__ import annotations

import ctypes
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from netprov.http.connections import Limits
from netprov.http.worker import HttpWorker
from netprov.inventory.model import Inventory, Settings, Target, TftpSettings
from netprov.journal.boots import boot_of
from netprov.journal.event import Event, Kind
from netprov.journal.verdicts import Context, verdicts
from netprov.render.generation import Generation
from netprov.render.scripts import Scripts
from netprov.state.state import open_state
from netprov.web.app import create_app
from netprov.web.services import Services

pytestmark = pytest.mark.e2e  # it waits for connections to die

SO_ATTACH_FILTER = 26
WEB = Target("profile", "web", initrd=("initrd.img",))
LONGEST = 600  # octets of a TCP segment that get through


def attach_drop(sock: socket.socket, longest: int) -> None:
    """Let the kernel drop what is longer, before TCP sees it: ld len; jgt #longest; ret 0; ret all."""
    code = [(0x80, 0, 0, 0), (0x25, 0, 1, longest), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF)]
    program = b"".join(struct.pack("HBBI", *line) for line in code)
    held = ctypes.create_string_buffer(program)
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(code), ctypes.addressof(held)))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, list[Event]]]:
    root = tmp_path / "root"
    root.mkdir()
    (root / "initrd.img").write_bytes(bytes(30_000_000))
    generation = Generation.of(Inventory.of(WEB, settings=Settings(tftp=TftpSettings(root=root))))
    events: list[Event] = []
    state = open_state(str(tmp_path / "state"))
    services = Services(
        newest=lambda: generation, scripts=Scripts(state.installs, state.sightings.at), state=state,
        record=events.append, clock=time.time, journal=tmp_path / "journal.db", secret=b"s",
    )  # fmt: skip
    listening = socket.create_server(("127.0.0.1", 0))
    worker = HttpWorker([listening], create_app(services), events.append, limits=Limits(stall_seconds=1.5))
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield listening.getsockname()[1], events
    finally:
        worker.stop(0)
        thread.join(10)
        state.close()


def wait_for(events: list[Event], kind: Kind) -> Event:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for event in events:
            if event.kind is kind:
                return event
        time.sleep(0.05)
    raise AssertionError(events)


def judged(event: Event) -> list[str]:
    event = replace(event, mac="52:54:00:88:00:01")
    return [verdict.id for verdict in verdicts(boot_of("m", 1, [event]), Context(now=event.at + 3600))]


def test_g19_large_packets_are_lost(server: tuple[int, list[Event]]) -> None:
    port, events = server
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        attach_drop(sock, LONGEST)
        sock.sendall(b"GET /files/initrd.img HTTP/1.1\r\nHost: x\r\n\r\n")
        event = wait_for(events, Kind.HTTP_FAIL)
    assert dict(event.detail)["length"] == "30000000"
    assert judged(event) == ["G19"]


def test_a_machine_switched_off_has_no_verdict(server: tuple[int, list[Event]]) -> None:
    port, events = server
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(b"GET /files/initrd.img HTTP/1.1\r\nHost: x\r\n\r\n")
        got = 0
        while got < 1_000_000:
            got += len(sock.recv(1 << 16))
        attach_drop(sock, 0)
        event = wait_for(events, Kind.HTTP_FAIL)
    assert dict(event.detail).get("end") in (None, "stalled")
    assert judged(event) == []


def test_a_client_that_goes_away_has_no_verdict(server: tuple[int, list[Event]]) -> None:
    port, events = server
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(b"GET /files/initrd.img HTTP/1.1\r\nHost: x\r\n\r\n")
        sock.recv(1000)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert judged(wait_for(events, Kind.HTTP_FAIL)) == []
