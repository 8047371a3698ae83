"""What the worlds of the rooms' tests share: patience, a site on disk, installs in memory, a server in a thread."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from netprov.boot.install import Change, InstallEvent, InstallRecord, advance
from netprov.http.connections import Limits
from netprov.http.worker import HttpWorker
from netprov.inventory.model import Target
from netprov.web.app import create_app
from netprov.web.services import Services

PATIENCE = 60.0
"""Seconds until a test gives up: a busy machine takes several to start Python five times."""

LOADERS = ("pxelinux.0", "ldlinux.c32", "shimx64.efi", "grubx64.efi", "ipxe.efi", "undionly.kpxe")


def until(holds: Callable[[], object], why: Callable[[], object] = lambda: "it never came about") -> None:
    """Waits for what another thread or process does."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, why()
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    """TCP ports of the loopback interface that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) for _ in range(count)]
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]


def put(root: Path, files: Mapping[str, bytes], loaders: Mapping[str, bytes]) -> None:
    """What tftp.root holds."""
    for name, data in {**files, **{f"loaders/{name}": data for name, data in loaders.items()}}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


def edit(folder: Path, old: str, new: str) -> None:
    """`old`, which netprov.yaml has, becomes `new`."""
    path = folder / "netprov.yaml"
    text = path.read_text()
    assert old in text, (old, text)
    path.write_text(text.replace(old, new))


@dataclass
class Installs:
    """The install records, as the state keeps them. `applied`: what happened to them; tokens are t1, t2, …"""

    records: dict[str, InstallRecord] = field(default_factory=dict)
    applied: list[InstallEvent] = field(default_factory=list)

    def get(self, system: str) -> InstallRecord | None:
        return self.records.get(system)

    def all(self) -> dict[str, InstallRecord]:
        return dict(self.records)

    def by_token(self, token: str) -> str | None:
        return next((name for name, record in self.records.items() if token and record.token == token), None)

    def apply(self, owners: Mapping[str, Target], event: InstallEvent, now: float) -> tuple[Change, ...]:
        """For one owner, as every request is."""
        ((owner, target),) = owners.items()
        self.applied.append(event)
        before, token = self.records.get(owner), f"t{len(self.applied)}"
        after = advance(before, event, mode=target.install, attempts=target.install_attempts, now=now, token=token)
        self.records[owner] = after
        return ((before, after),)


@contextlib.contextmanager
def answering(services: Services, limits: Limits | None = None) -> Iterator[int]:
    """An HTTP worker in a thread: its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        worker = HttpWorker([listening], create_app(services), services.record, services.clock, limits=limits)
        with in_thread(worker.run, lambda: worker.stop(0)):
            yield listening.getsockname()[1]


@contextlib.contextmanager
def in_thread(run: Callable[[], object], stop: Callable[[], object]) -> Iterator[None]:
    """`run` in a thread of its own, which `stop` is to end."""
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()
