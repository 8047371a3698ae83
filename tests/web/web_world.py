"""A site under test: a real inventory, state and journal, and what machines did; the server itself in a thread."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from netprov.inventory.load import load
from netprov.inventory.model import Inventory
from netprov.journal.correlate import Correlator
from netprov.journal.event import Event
from netprov.journal.running import Transfers, progress_event
from netprov.journal.store import Store
from netprov.render.generation import Generation
from netprov.render.scripts import Scripts
from netprov.state.place import Place
from netprov.state.state import open_state
from netprov.web.credentials import new_password, new_token
from netprov.web.services import Services
from tests.journal.scenes import Machine
from tests.world import LOADERS, answering, put

PASSWORD = "correct horse"
HASH = new_password(PASSWORD)
READ_TOKEN, READ_HASH = new_token()
OPERATE_TOKEN, OPERATE_HASH = new_token()
ACCESS = f"""\
  users:
    alice: {{password: "{HASH}"}}
    bob: {{password: "{HASH}", scopes: [read]}}
  tokens:
    watcher: {{hash: "{READ_HASH}"}}
    robot: {{hash: "{OPERATE_HASH}", scopes: [read, operate, edit]}}
"""
INVENTORY = """\
server:
  address: 192.168.77.1
  state: state
{access}
dhcp:
  mode: full
  subnets: [{{subnet: 192.168.77.0/24, range: 192.168.77.100-192.168.77.200}}]
distros:
  probe: {{breed: redhat, os_version: "9", kernel: probe/vmlinuz, initrd: [probe/initrd.img], tree: "http://192.168.77.1/t"}}
profiles:
  web: {{distro: probe, autoinstall: default.ks}}
  db: {{distro: probe, autoinstall: default.ks}}
systems:
{systems}
"""
SYSTEM = """\
  {name}: {{profile: {profile}, {more}interfaces: {{eth0: {{mac: "{mac}", ip: 192.168.77.{last}/24}}}}}}
"""
LADY, TRAMP, TRUSTY, JOCK = (f"00:16:3e:11:11:{n:02x}" for n in (0x11, 0x12, 0x13, 0x14))
SYSTEMS = (
    SYSTEM.format(name="lady", profile="web", more="hostname: lady.example.org, ", mac=LADY, last=14)
    + SYSTEM.format(name="tramp", profile="db", more="install: install-once, ", mac=TRAMP, last=15)
    + SYSTEM.format(name="trusty", profile="web", more="install: always, ", mac=TRUSTY, last=16)
    + SYSTEM.format(name="jock", profile="web", more="", mac=JOCK, last=17)
)


class Site:
    """Everything behind the pages, in `folder`. What is recorded is in the journal at once."""

    def __init__(self, folder: Path, *, access: str = "", systems: str = SYSTEMS) -> None:
        self.folder = folder
        files = {"probe/vmlinuz": b"kernel" * 1000, "probe/initrd.img": b"initrd" * 1000}
        put(folder / "boot-images", files, dict.fromkeys(LOADERS, b"loader" * 100))
        (folder / "netprov.yaml").write_text(INVENTORY.format(access=access, systems=systems))
        self.inventory: Inventory = load(folder / "netprov.yaml")
        self._generation = Generation.of(self.inventory)
        self._read = (folder / "netprov.yaml").stat().st_ino
        self.state = open_state(self.inventory.settings.server.state)
        place = Place(self.inventory.settings.server.state)
        self._store = Store(place.journal)
        self._correlator = Correlator(self._store.latest_boot)
        self._lock = threading.Lock()
        self.events: list[Event] = []
        self.services = Services(
            newest=self.newest,
            scripts=Scripts(self.state.installs, self.state.sightings.at),
            state=self.state,
            record=self.record,
            clock=time.time,
            journal=place.journal,
            secret=b"s" * 32,
        )

    def newest(self) -> Generation:
        """As the supervisor hands it out after an edit."""
        read = (self.folder / "netprov.yaml").stat().st_ino
        if read != self._read:
            self._read, self.inventory = read, load(self.folder / "netprov.yaml")
        if self._generation.inventory is not self.inventory:
            self._generation = Generation.of(self.inventory)
        return self._generation

    def record(self, *events: Event) -> None:
        with self._lock:
            self.events += events
            self._store.add([self._correlator.place(event) for event in events], 1_000_000, 0.0)

    def move(self, event: Event, sent: int, rate: float = 11_200_000.0) -> None:
        """A transfer is on its way: `event` tells of it as its end will, `sent` octets of its size have arrived."""
        transfers = Transfers()
        with self._lock:
            transfers.take(progress_event(event, sent, rate))
            self._store.move(transfers, self._correlator.where, self.services.clock())

    def finish(self, event: Event) -> None:
        """It has ended."""
        transfers = Transfers()
        with self._lock:
            transfers.take(progress_event(event, 0, 0.0))
            transfers.take(event)
            self._store.move(transfers, self._correlator.where, self.services.clock())

    def boot(
        self, scene: Callable[[Machine], object], ago: float = 60.0, upto: int | None = None, **who: str
    ) -> Machine:
        """A machine goes through `scene` (its first `upto` events), which ends `ago` seconds before now."""
        machine = Machine(**who)  # type: ignore[arg-type]
        scene(machine)
        machine.events = machine.events[:upto]
        shift = self.services.clock() - ago - machine.events[-1].at
        machine.events = [replace(event, at=event.at + shift) for event in machine.events]
        self.record(*machine.events)
        return machine

    def close(self) -> None:
        self.state.close()
        self._store.close()


def lady() -> dict[str, str]:
    return {"mac": LADY, "ip": "192.168.77.114", "system": "lady"}


def tramp() -> dict[str, str]:
    return {"mac": TRAMP, "ip": "192.168.77.115", "system": "tramp", "uuid": "5c4c4544-0042-3510-8054-b4c04f595232",
            "token": "TOKEN-of-tramp-012345678"}  # fmt: skip


def stranger() -> dict[str, str]:
    return {"mac": "52:54:00:aa:bb:cc", "ip": "192.168.77.130", "system": "", "uuid": ""}


def many(count: int) -> str:
    """`count` systems."""
    numbers = itertools.product(range(count // 250 + 1), range(250))
    rows: Iterable[tuple[int, int]] = itertools.islice(numbers, count)
    return "".join(
        f'  node-{a:03}-{b:03}: {{profile: web, interfaces: {{eth0: {{mac: "52:54:00:00:{a:02x}:{b:02x}"}}}}}}\n'
        for a, b in rows
    )


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """The site's server on a free port: its URL."""
    with answering(site.services) as port:
        yield f"http://127.0.0.1:{port}"
