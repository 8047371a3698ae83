"""What each worker is: made in its own process, from sockets that the supervisor bound."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from netprov.dhcp.bind import DhcpSockets
from netprov.inventory.model import Inventory
from netprov.journal.event import Event
from netprov.journal.recorder import Recorder
from netprov.journal.writer import JournalWriter
from netprov.recorder.tap import Tap
from netprov.serve.current import Current
from netprov.serve.worker import Role, Running
from netprov.state.place import Place

_SECRET_OCTETS = 32

InventoryOf = Callable[[], Inventory]
Record = Callable[[Event], None]


def journal(sock: socket.socket, inventory_of: InventoryOf) -> Role:
    """The journal's one writer."""

    def make() -> Running:
        inventory = inventory_of()
        return JournalWriter(Place(inventory.settings.server.state).journal, [sock], inventory.settings.server)

    return make


def capture(sock: socket.socket, inventory_of: InventoryOf) -> Role:
    """The one who keeps packets."""

    def make() -> Running:
        from netprov.recorder.writer import PacketWriter

        inventory = inventory_of()
        return PacketWriter(Place(inventory.settings.server.state).capture, sock, inventory)

    return make


def dhcp(sockets: DhcpSockets, inventory_of: InventoryOf, recorder: Recorder, tap: Tap | None) -> Role:
    """DHCP and proxyDHCP: one process, since one mind must give the addresses."""

    def make() -> Running:
        from netprov.dhcp.loop import DhcpWorker
        from netprov.dhcp.overhear import listen
        from netprov.dhcp.tap import DhcpTap
        from netprov.state.state import open_state

        inventory = inventory_of()
        if sockets.replies is not None:
            hearing = (sockets.replies, inventory.settings.server.interfaces, recorder.record)
            threading.Thread(target=listen, args=hearing, name="overhear", daemon=True).start()
        packets = DhcpTap(tap) if tap is not None else None
        state = open_state(inventory.settings.server.state)
        return DhcpWorker(sockets, inventory, state, recorder.record_all, tap=packets)

    return make


def tftp(
    sockets: Sequence[socket.socket], inventory_of: InventoryOf, record: Record, drain: float, tap: Tap | None
) -> Role:
    """One of the TFTP workers."""

    def make() -> Running:
        from netprov.render.generation import Generation
        from netprov.render.scripts import Scripts
        from netprov.serve.source import TftpSource
        from netprov.state.state import open_state
        from netprov.tftp.server import TftpServer
        from netprov.tftp.tap import TftpTap

        inventory = inventory_of()
        state = open_state(inventory.settings.server.state)
        scripts = Scripts(state.installs, state.sightings.at)
        current = Current(inventory, lambda newest: TftpSource(Generation.of(newest), scripts, record))
        packets = TftpTap(tap, time.monotonic, time.time) if tap is not None else None
        server = TftpServer(sockets, current, record, tap=packets)
        return _Runs(server.run, lambda: server.stop(drain), current.update)

    return make


def http(
    sockets: Sequence[socket.socket],
    inventory_of: InventoryOf,
    record: Record,
    drain: float,
    secret: bytes,
    tap: Tap | None,
) -> Role:
    """One of the HTTP workers."""

    def make() -> Running:
        from netprov.files.sums import Sums
        from netprov.http.tap import HttpTap
        from netprov.http.worker import HttpWorker
        from netprov.render.generation import Generation
        from netprov.render.scripts import Scripts
        from netprov.state.state import open_state
        from netprov.web.app import create_app
        from netprov.web.services import Services

        inventory = inventory_of()
        current = Current(inventory, Generation.of)
        state = open_state(inventory.settings.server.state)
        services = Services(
            newest=current,
            scripts=Scripts(state.installs, state.sightings.at, sum_of=Sums().of),
            state=state,
            record=record,
            clock=time.time,
            journal=Place(inventory.settings.server.state).journal,
            secret=secret,
        )
        heads = HttpTap(tap) if tap is not None else None
        worker = HttpWorker(sockets, create_app(services), record, tap=heads)
        return _Runs(worker.run, lambda: worker.stop(drain), current.update)

    return make


def syslog(sockets: Sequence[socket.socket], inventory_of: InventoryOf, record: Record) -> Role:
    """The receiver of installers' logs."""

    def make() -> Running:
        from netprov.state.state import open_state
        from netprov.syslog.worker import Directory, SyslogWorker

        inventory = inventory_of()
        return SyslogWorker(
            sockets, Directory(open_state(inventory.settings.server.state).sightings, inventory), record
        )

    return make


def notify(inventory_of: InventoryOf, record: Record) -> Role:
    """Tells webhooks what the journal has."""

    def make() -> Running:
        from netprov.notify.worker import NotifyWorker

        inventory = inventory_of()
        return NotifyWorker(Place(inventory.settings.server.state), inventory, record)

    return make


class _Runs:
    """Three functions as a Running."""

    def __init__(self, run: Callable[[], None], stop: Callable[[], None], update: Callable[[Inventory], None]) -> None:
        self.run = run
        self.stop = stop
        self.update = update


def roles(
    inventory_of: InventoryOf,
    recorder: Recorder,
    journal_socket: socket.socket,
    capture_socket: socket.socket | None,
    tap: Tap | None,
    dhcp_sockets: DhcpSockets,
    tftp_sockets: Sequence[Sequence[socket.socket]],
    http_sockets: Sequence[Sequence[socket.socket]],
    syslog_sockets: Sequence[socket.socket],
    drain: float,
) -> Mapping[str, Role]:
    """Every worker by name, in the order to start them. What `tap` is told is read from `capture_socket`."""
    record = recorder.record
    every: dict[str, Role] = {"journal": journal(journal_socket, inventory_of)}
    if capture_socket is not None:
        every["capture"] = capture(capture_socket, inventory_of)
    if dhcp_sockets.listeners:
        every["dhcp"] = dhcp(dhcp_sockets, inventory_of, recorder, tap)
    for number, sockets in enumerate(tftp_sockets, 1):
        every[_name("tftp", number, len(tftp_sockets))] = tftp(sockets, inventory_of, record, drain, tap)
    secret = secrets.token_bytes(_SECRET_OCTETS)  # never on a disk: a restart of the server ends the page's sessions
    for number, sockets in enumerate(http_sockets, 1):
        every[_name("http", number, len(http_sockets))] = http(sockets, inventory_of, record, drain, secret, tap)
    if syslog_sockets:
        every["syslog"] = syslog(syslog_sockets, inventory_of, record)
    if inventory_of().settings.server.webhooks:
        every["notify"] = notify(inventory_of, record)
    return every


def _name(kind: str, number: int, count: int) -> str:
    return f"{kind}-{number}" if count > 1 else kind
