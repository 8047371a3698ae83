"""The shell: what is sent when the store fails, when a packet trips us up, when the clock or the inventory changes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Any

import pytest
from dhcp_world import LADY, inventory, mac_number, question, subnet, system

from netprov.boot.reason import Reason
from netprov.dhcp import loop
from netprov.dhcp.bind import DhcpSockets, bind
from netprov.dhcp.interfaces import interfaces
from netprov.dhcp.loop import DhcpWorker
from netprov.dhcp.packet import DISCOVER, REQUEST
from netprov.errors import ConfigError
from netprov.inventory.model import DhcpMode, DhcpSettings, Inventory, ServerSettings, Settings
from netprov.journal.event import Event, Kind
from netprov.state.failure import StateError
from netprov.state.leases import Lease
from netprov.state.place import Place
from netprov.state.sightings import Sighting
from netprov.state.state import State, open_state

HOME = IPv4Address("127.0.0.1")


class Leases:
    """The store, which can be made to fail, and which notes what was sent before it returned."""

    def __init__(self, state: State, sent: Callable[[], int]) -> None:
        self._leases = state.leases
        self.all = state.leases.all
        self.purge = state.leases.purge
        self.broken = False
        self.sizes: list[int] = []

    def commit(self, leases: Any, sightings: Any = ()) -> None:
        self.sizes.append(len(leases))
        if self.broken:
            raise StateError(Place("/nowhere"), "no room is left on its disk")
        self._leases.commit(leases, sightings)


class Running:
    """A worker on the loopback, played to by a relay at 127.0.0.2 (a relay asks and is answered by unicast)."""

    def __init__(self, folder: Path) -> None:
        net = subnet("127.0.0.0/8", "127.9.0.0", "127.9.0.99", router=(), dns=())
        self.inventory = replace(
            inventory(subnets=(net,), systems=(system("lady", LADY, "127.9.1.1/8"),)),
            settings=Settings(
                server=ServerSettings(interfaces=("lo",)), dhcp=DhcpSettings(mode=DhcpMode.FULL, port=0, proxy_port=0)
            ),
        )
        self.events: list[Event] = []
        self.skew = 0.0
        self.state = open_state(str(folder))
        self.store = Leases(self.state, lambda: len(self.events))
        self.state.leases = self.store  # type: ignore[assignment]
        self.sockets = bind(self.inventory.settings)
        self.port = self.sockets.listeners[0].getsockname()[1]
        self.worker = DhcpWorker(
            self.sockets, self.inventory, self.state, self.events.extend, lambda: time.time() + self.skew
        )
        self.thread = threading.Thread(target=self.worker.run)
        self.thread.start()
        self.relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.relay.settimeout(3)

    def close(self) -> None:
        self.worker.stop()
        self.thread.join(10)
        self.relay.close()
        self.sockets.close()
        self.state.close()

    def send(self, kind: int, mac: Any, options: dict[int, bytes] | None = None, **fields: Any) -> None:
        self.relay.sendto(question(kind, mac, options, ciaddr=HOME, **fields), ("127.0.0.1", self.port))

    def wait(self, count: int) -> None:
        end = time.monotonic() + 5
        while len(self.events) < count and time.monotonic() < end:
            time.sleep(0.005)
        assert len(self.events) >= count, self.events


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    try:
        yield running
    finally:
        running.close()


def ask(running: Running, kind: int, mac: Any, options: dict[int, bytes] | None = None) -> Event:
    """One question; the event it led to. The answer goes to port 68 of the loopback, where nobody is."""
    count = len(running.events)
    running.send(kind, mac, options)
    running.wait(count + 1)
    return running.events[-1]


def test_s1_s3_a_lease_that_cannot_be_stored_is_not_confirmed(running: Running) -> None:
    offer = ask(running, DISCOVER, LADY)
    assert (offer.kind, offer.ip) == (Kind.DHCP_OFFER, "127.9.1.1")
    options = {50: IPv4Address(offer.ip).packed, 54: HOME.packed}
    running.store.broken = True
    refused = ask(running, REQUEST, LADY, options)
    assert (refused.kind, refused.reason) == (Kind.DHCP_DROP, Reason.DHCP_STORE_FAILED)
    assert "no room is left" in refused.text
    running.store.broken = False
    assert ask(running, REQUEST, LADY, options).kind is Kind.DHCP_ACK
    assert [str(lease.ip) for lease in running.store.all()] == ["127.9.1.1"]


def test_one_bad_packet_ends_nothing(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    receive = running.worker._server.receive

    def trip(data: bytes, *rest: Any) -> Any:
        if b"TRIP" in data:
            raise ZeroDivisionError
        return receive(data, *rest)

    monkeypatch.setattr(running.worker._server, "receive", trip)
    event = ask(running, DISCOVER, LADY, {12: b"TRIP"})
    assert (event.kind, event.reason) == (Kind.DHCP_DROP, Reason.INTERNAL_ERROR)
    assert ask(running, DISCOVER, LADY).kind is Kind.DHCP_OFFER


def test_what_is_no_dhcp_is_dropped(running: Running) -> None:
    for count, data in enumerate((b"", b"x", bytes(2000)), 1):
        running.relay.sendto(data, ("127.0.0.1", running.port))
        running.wait(count)
        assert running.events[-1].reason is Reason.DHCP_MALFORMED


def test_packets_that_come_together_share_a_commit(running: Running) -> None:
    for n in range(60):
        running.send(REQUEST, mac_number(n), {50: IPv4Address(f"127.9.0.{n}").packed, 54: HOME.packed}, xid=n)
    running.wait(60)
    assert sum(running.store.sizes) == 60
    assert len(running.store.sizes) < 60


def test_a_new_inventory_answers_from_the_next_packet_on(running: Running) -> None:
    lady = system("lady", LADY, "127.9.1.7/8")
    changed = Inventory.of(
        lady, settings=running.inventory.settings, subnets=running.inventory.subnets, generation=2
    )  # fmt: skip
    running.worker.update(changed)
    end = time.monotonic() + 5
    while ask(running, DISCOVER, LADY).ip != "127.9.1.7" and time.monotonic() < end:
        pass
    assert running.events[-1].ip == "127.9.1.7"


def test_d18_the_clock_is_set(running: Running) -> None:
    ask(running, REQUEST, mac_number(1), {50: IPv4Address("127.9.0.5").packed, 54: HOME.packed})
    running.skew = -1_000_000.0
    ask(running, DISCOVER, mac_number(2))
    (lease,) = running.store.all()
    assert lease.expires == pytest.approx(time.time() - 1_000_000 + 3600, abs=30)


def test_what_is_long_over_is_forgotten_in_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, day = time.time(), 86400.0
    for name, value in (("TIDY_SECONDS", 0.05), ("_TIDY_PAUSE", 0.01), ("_TIDY_STEP", 2)):
        monkeypatch.setattr(loop, name, value)
    days = {f"127.9.0.{n}": n for n in (0, 1, 29, 31, 32, 33, 34, 35)}
    with open_state(str(tmp_path)) as state:
        state.leases.commit(
            [Lease(IPv4Address(ip), "", expires=now - n * day) for ip, n in days.items()],
            [Sighting(IPv4Address(ip), "", at=now - n * day) for ip, n in days.items()],
        )
    running = Running(tmp_path)
    try:
        end = time.monotonic() + 5
        recent = [ip for ip, n in days.items() if n < 30]
        seen = list(days)
        while len(seen) > len(recent) and time.monotonic() < end:
            seen = [ip for ip in days if running.state.sightings.at(IPv4Address(ip))]
        assert seen == recent
        assert [str(lease.ip) for lease in running.store.all()] == recent
        assert ask(running, DISCOVER, LADY).kind is Kind.DHCP_OFFER
    finally:
        running.close()


def test_s5_no_port_is_a_problem_with_advice() -> None:
    settings = Settings(server=ServerSettings(interfaces=("nosuch0",)), dhcp=DhcpSettings(port=0, proxy_port=0))
    with pytest.raises(ConfigError, match="There is no interface nosuch0") as error:
        bind(settings)
    assert len(error.value.problems) == 2
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"Another DHCP server has it .*{port}"):
            bind(Settings(dhcp=DhcpSettings(port=port, proxy_port=0)))


def test_off_binds_nothing() -> None:
    assert bind(Settings(dhcp=DhcpSettings(mode=DhcpMode.OFF))) == DhcpSockets(())


def test_interfaces_of_this_host() -> None:
    loopback = next(i for i in interfaces().values() if i.name == "lo")
    assert IPv4Interface("127.0.0.1/8") in loopback.addresses
    assert loopback.index == socket.if_nametoindex("lo")
