"""Leases and sightings come back as they went in."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from netprov.state.leases import Lease
from netprov.state.sightings import Sighting
from netprov.state.state import State, open_state

FULL = Lease(
    ip=IPv4Address("192.168.77.114"),
    mac="00:16:3e:11:11:11",
    client_id=bytes.fromhex("0100163e111111"),
    hostname="lady",
    expires=1_700_000_000.25,
    state="leased",
    subnet="192.168.77.0/24",
    uuid="4c4c4544-0042-3510-8054-b4c04f595231",
    arch=0,
    circuit_id=b"\x00\xffge-0/0/1",
    remote_id=b"\x01",
    system="lady",
)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with open_state(str(tmp_path / "made" / "here")) as state:
        yield state


@pytest.mark.parametrize(
    "lease",
    [
        FULL,
        Lease(IPv4Address("0.0.0.0"), ""),
        Lease(IPv4Address("255.255.255.255"), "00:00:00:00:00:01", state="declined", arch=None),
        Lease(IPv4Address("10.0.0.1"), "00:00:00:00:00:01", state="released", hostname="größe-рыба"),
    ],
)
def test_a_lease_comes_back_as_it_went_in(state: State, lease: Lease) -> None:
    state.leases.commit([lease])
    assert state.leases.all() == [lease]
    assert state.leases.at(lease.ip) == lease


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("a\0b", "a\\x00b"),
        ("caf\udce9", "caf\\udce9"),
        ("'; DROP TABLE leases; --", "'; DROP TABLE leases; --"),
        ("x" * 100_000, "x" * 100_000),
    ],
)
def test_no_hostname_spoils_the_batch(state: State, sent: str, stored: str) -> None:
    """What one client sends must not keep the leases of the others from being stored."""
    state.leases.commit([FULL, Lease(IPv4Address("10.0.0.2"), "00:00:00:00:00:02", hostname=sent)])
    assert {lease.hostname for lease in state.leases.all()} == {"lady", stored}


def test_a_lease_replaces_that_of_its_address(state: State) -> None:
    other = Lease(FULL.ip, "00:16:3e:22:22:22", expires=2.0)
    state.leases.commit([FULL])
    state.leases.commit([other])
    state.leases.commit([FULL, other])  # twice in one batch: the last counts
    assert state.leases.all() == [other]


def test_purge_forgets_only_what_expired_before(state: State) -> None:
    leases = [Lease(IPv4Address(f"10.0.0.{n}"), "", expires=float(n)) for n in range(1, 6)]
    state.leases.commit(leases)
    assert state.leases.purge(before=3.0) == 2
    assert state.leases.all() == leases[2:]
    assert state.leases.purge(before=3.0) == 0


def test_sightings(state: State) -> None:
    ip = IPv4Address("10.0.0.9")
    seen = Sighting(ip, "52:54:00:00:00:01", "uuid", b"\1", "serial\0", b"\2", b"\3", 7, 12.5)
    assert state.sightings.at(ip) is None
    state.leases.commit([], [seen])
    assert state.sightings.at(ip) == Sighting(
        ip, "52:54:00:00:00:01", "uuid", b"\1", "serial\\x00", b"\2", b"\3", 7, 12.5
    )
    state.leases.commit([FULL], [Sighting(ip, "52:54:00:00:00:02", at=13.0)])
    assert state.sightings.at(ip) == Sighting(ip, "52:54:00:00:00:02", at=13.0)
    assert state.sightings.purge(before=13.5) == 1
    assert state.sightings.at(ip) is None


def test_nothing_is_nothing(state: State) -> None:
    state.leases.commit([])
    assert state.leases.all() == []
    assert state.leases.at(IPv4Address("10.0.0.1")) is None


def test_another_process_view(state: State, tmp_path: Path) -> None:
    """A command reads and writes beside the server."""
    with open_state(str(tmp_path / "made" / "here")) as command:
        state.leases.commit([FULL])
        assert command.leases.all() == [FULL]
        command.leases.purge(before=2e9)
        assert state.leases.all() == []
