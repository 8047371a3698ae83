"""A server under test, and stand-ins for the rooms it calls."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from netprov.boot.decision import Action, BootDecision, Step
from netprov.boot.install import Arm, advance
from netprov.boot.names import Name
from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest
from netprov.errors import ConfigError, Origin, PeerError, Problem
from netprov.files.root import Root
from netprov.files.stages import Stages
from netprov.http.connections import Limits
from netprov.http.worker import HttpWorker
from netprov.inventory.model import InstallMode, Interface, Inventory, Target
from netprov.journal.event import Event, Kind
from netprov.mac import Mac
from netprov.render.environment import Templates
from netprov.render.generation import Generation
from netprov.state.leases import Lease
from netprov.web.app import create_app
from netprov.web.services import Services
from tests.world import Installs, answering

NOW = 1_800_000_000.0
CONTENT = bytes(range(256)) * 40  # 10,240 octets
LADY = Target(
    "system",
    "lady",
    profile="web",
    hostname="lady.example.org",
    install=InstallMode.ONCE,
    interfaces=(Interface("eth0", mac=Mac("52:54:00:12:34:56")),),
)
TRAMP = Target("system", "tramp", profile="<script>alert(1)</script>", hostname='a"b\n- c', comment="")
WEB = Target("profile", "web")
INVENTORY = Inventory.of(LADY, TRAMP, WEB, generation=7)


@dataclass(frozen=True)
class Made:
    body: bytes
    content_type: str
    decision: BootDecision
    stage: str
    template: str
    token: str = ""
    told: Event | None = None


@dataclass
class FakeScripts:
    """Remembers what it was asked."""

    asked: list[tuple[BootRequest, object, bool]] = field(default_factory=list)
    failure: Exception | None = None
    told: Event | None = None

    def script(self, generation: Generation, request: BootRequest, name: Name, *, preview: bool = False) -> Made | None:
        self.asked.append((request, name, preview))
        if self.failure is not None:
            raise self.failure
        if name.exact:
            return None
        armed = (Step(Reason.INSTALL_ARMED, "an install is armed"),)
        decision = BootDecision(Action.KERNEL, armed, target=LADY, record="lady")
        told = None if preview else self.told
        return Made(b"#!ipxe\nboot\n", "text/plain; charset=utf-8", decision, "script", "ipxe/boot", "t0k", told)

    def autoinstall(
        self,
        generation: Generation,
        target_kind: str,
        name: str,
        request: BootRequest,
        token: str,
        *,
        preview: bool = False,
    ) -> Made:
        self.asked.append((request, (target_kind, name, token), preview))
        if self.failure is not None:
            raise self.failure
        if token == "wrong":
            raise PeerError("the token is not that of an install under way")
        target = LADY if target_kind == "system" else WEB
        decision = BootDecision(Action.KERNEL, (Step(Reason.INSTALL_RUNNING, "running"),), target=target)
        body = f"# {target_kind} {name}\n".encode()
        return Made(body, "text/plain; charset=utf-8", decision, "autoinstall", "a.ks", token)


@dataclass
class FakeLeases:
    leases: list[Lease] = field(default_factory=list)

    def all(self) -> list[Lease]:
        return list(self.leases)

    def at(self, ip: IPv4Address) -> Lease | None:
        return next((lease for lease in self.leases if lease.ip == ip), None)


@dataclass
class FakeState:
    installs: Installs = field(default_factory=Installs)
    leases: FakeLeases = field(default_factory=FakeLeases)


TEMPLATE_ERROR = ConfigError(
    Problem(Origin("autoinstall/web.ks", 12), "system lady", "'timezone' is undefined; set it in autoinstall_meta")
)


class Kernels(Stages):
    """Whatever its folder, vmlinuz is a kernel."""

    def stage_of(self, name: str) -> str:
        return "kernel" if "vmlinuz" in name else "file"


class World:
    """Services of stand-ins, with the files of `root`."""

    def __init__(self, root: Path) -> None:
        self.scripts = FakeScripts()
        self.state = FakeState()
        self.events: list[Event] = []
        self.told = threading.Condition()
        generation = Generation(INVENTORY, Kernels(INVENTORY), Root(root), Templates())
        self.services = Services(
            scripts=self.scripts,
            state=self.state,
            newest=lambda: generation,
            record=self.record,
            clock=lambda: NOW,
            journal=root.parent / "journal.db",
            secret=b"secret",
        )

    def worker(self, listening: socket.socket, limits: Limits | None = None) -> HttpWorker:
        return HttpWorker([listening], create_app(self.services), self.record, self.services.clock, limits=limits)

    def record(self, event: Event) -> None:
        with self.told:
            self.events.append(event)
            self.told.notify_all()

    def arm(self, system: str, token: str) -> None:
        self.state.installs.records[system] = advance(
            None, Arm(), mode=InstallMode.ONCE, attempts=3, now=NOW, token=token
        )

    def event(self, *, kind: Kind | None = None, name: str | None = None, timeout: float = 10) -> Event:
        """The newest event of this kind and name, awaited."""

        def found() -> Event | None:
            wanted = (e for e in reversed(self.events) if kind in (None, e.kind) and name in (None, e.name))
            return next(wanted, None)

        with self.told:
            assert self.told.wait_for(lambda: found() is not None, timeout), self.events
            event = found()
        assert event is not None
        return event


@dataclass
class Server:
    world: World
    port: int
    root: Path

    def connect(self, rcvbuf: int = 0) -> socket.socket:
        sock = socket.socket()
        if rcvbuf:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        sock.settimeout(20)
        sock.connect(("127.0.0.1", self.port))
        return sock

    def raw(self, request: bytes) -> bytes:
        """Everything the server says to these octets until it closes."""
        with self.connect() as sock:
            sock.sendall(request)
            sock.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while part := sock.recv(1 << 16):
                    answer += part
            except ConnectionResetError:
                pass
            return answer

    def get(self, target: str, *headers: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own: status, headers by lower-case name, body."""
        lines = [f"{method} {target} HTTP/1.1", "Host: server", "Connection: close", *headers]
        answer = self.raw("\r\n".join([*lines, "", ""]).encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        first, *fields = head.decode().split("\r\n")
        return int(first.split()[1]), {k.lower(): v.strip() for k, _, v in (f.partition(":") for f in fields)}, body


@contextmanager
def serving(root: Path, limits: Limits | None = None) -> Iterator[Server]:
    world = World(root)
    with answering(world.services, limits) as port:
        yield Server(world, port, root)
