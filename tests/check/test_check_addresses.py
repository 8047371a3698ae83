"""Addresses, ranges, interfaces, subnets and who machines are told to fetch from: each fault planted."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

import pytest

from netprov.boot.reason import Reason
from netprov.check import addresses, reach
from netprov.check.client import Reply, tftp_read, unheard
from netprov.check.links import Link, links
from netprov.check.subject import Finding, Subject, look
from netprov.journal.correlate import Placed
from netprov.journal.event import Event, Kind
from netprov.journal.store import Store
from netprov.state.leases import Lease, LeaseState
from netprov.state.state import open_state
from tests.world import edit

from .check_world import found, rows

SUBNET = "subnets: [{subnet: 10.9.0.0/24, range: 10.9.0.100-10.9.0.109, router: 10.9.0.1}]"


@pytest.fixture
def full(site: Path) -> Path:
    """The site gives addresses at br9, which is a link of `seen`."""
    edit(site, "dhcp: {", f"dhcp: {{mode: full, {SUBNET}, ")
    edit(site, "interfaces: [lo]", "interfaces: [br9]")
    edit(site, '{mac: "52:54:00:00:00:01"}', '{mac: "52:54:00:00:00:01", ip: 10.9.0.7}')
    return site


def link(name: str, *addresses: str, **facts: bool) -> Link:
    return Link(name, tuple(map(IPv4Interface, addresses)), **facts)


HERE = link("br9", "10.9.0.1/24", bridge=True)


def seen(site: Path, *there: Link, server: int = 0) -> Subject:
    """The site on a host that has these interfaces."""
    made = look(site / "netprov.yaml", probing=False)
    subject = Subject(made.config, made.loaded, made.place, server, False)
    table: Mapping[str, Link] = {one.name: one for one in (there or (HERE,))}
    subject.__dict__["links"] = table
    return subject


def told(findings: list[Finding]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.id, str(one.severity), one.machines) for one in findings]


def lease(site: Path, ip: str, mac: str, state: LeaseState = "leased", seconds: float = 3600.0) -> None:
    with open_state(str(site / "state")) as opened:
        opened.leases.commit([Lease(IPv4Address(ip), mac, expires=time.time() + seconds, state=state)])


# addresses

LEASED = [
    # the lease of lady's address: whose, its state, how long; what is found
    ("52:54:00:00:00:01", "leased", 3600.0, None),
    ("52:54:00:00:00:99", "leased", 3600.0, "address-leased"),
    ("52:54:00:00:00:99", "leased", -5.0, None),
    ("52:54:00:00:00:99", "released", 3600.0, None),
    ("", "declined", 3600.0, "address-in-use"),
]


@pytest.mark.parametrize(("mac", "state", "seconds", "expected"), LEASED)
def test_leases_of_declared_addresses(
    full: Path, mac: str, state: LeaseState, seconds: float, expected: str | None
) -> None:
    lease(full, "10.9.0.7", mac, state, seconds)
    findings = list(addresses.addresses(seen(full)))
    assert told(findings) == ([(expected, "warning", ("lady",))] if expected else [])


def test_a_systems_address_is_ours(full: Path) -> None:
    findings = list(addresses.addresses(seen(full, HERE, link("eth5", "10.9.0.7/24"))))
    assert told(findings) == [("address-ours", "error", ("lady",))]


TWICE = ['{mac: "52:54:00:00:00:01", ip: 10.9.0.8}', '{mac: "52:54:00:00:00:02", ip: 10.9.0.7}']


@pytest.mark.parametrize("card", TWICE)
def test_two_systems_with_one_address_or_mac(full: Path, card: str) -> None:
    edit(full, "systems: {", f"systems: {{tramp: {{profile: web, interfaces: {{eth0: {card}}}}}, ")
    assert all(row[0] == "configuration" and "too" in row[2] for row in found(full, 1))


# ranges


@pytest.mark.parametrize(("count", "expected"), [(0, None), (8, None), (9, "warning"), (10, "error")])
def test_ranges_run_out(full: Path, count: int, expected: str | None) -> None:
    with open_state(str(full / "state")) as opened:
        opened.leases.commit([
            Lease(IPv4Address("10.9.0.100") + n, f"02:00:00:00:00:{n:02x}", expires=time.time() + 60)
            for n in range(count)
        ])  # fmt: skip
    findings = list(addresses.ranges(seen(full)))
    assert [(one.id, one.severity) for one in findings] == ([("range-exhausted", expected)] if expected else [])


def test_ended_leases_do_not_count(full: Path) -> None:
    for n in range(10):
        lease(full, f"10.9.0.{100 + n}", "x", seconds=-1)
    assert not list(addresses.ranges(seen(full)))


def test_what_is_declared_is_not_given(full: Path) -> None:
    """Of ten addresses two are declared systems': eight leases are all."""
    edit(full, "10.9.0.7}", "10.9.0.100}, eth1: {ip: 10.9.0.101}")
    for n in range(2, 10):
        lease(full, f"10.9.0.{100 + n}", f"02:00:00:00:00:{n:02x}")
    assert [one.severity for one in addresses.ranges(seen(full))] == ["error"]


def test_no_range_and_no_address(full: Path) -> None:
    edit(full, "range: 10.9.0.100-10.9.0.109, ", "")
    assert not list(addresses.ranges(seen(full)))
    edit(full, ", ip: 10.9.0.7", "")
    assert told(list(addresses.ranges(seen(full)))) == [("range-none", "error", ("lady",))]


IDENTITIES = [
    ('{interfaces: {eth0: {mac: "52:54:00:00:00:02"}}}', False),
    ("{uuid: 12345678-1234-1234-1234-123456789abc}", False),
    ("{serial: X1}", False), ("{client_id: \"01:02:03\"}", False), ("{hostname: tramp.example.org}", True),
    ("{interfaces: {eth0: {ip: 10.9.0.8}}}", True),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "lost"), IDENTITIES)
def test_systems_that_nothing_matches(full: Path, fields: str, lost: bool) -> None:
    edit(full, "systems: {", f"systems: {{tramp: {{profile: web, {fields[1:-1]}}}, ")
    findings = list(addresses.unmatched(seen(full)))
    assert told(findings) == ([("system-unmatched", "warning", ("tramp",))] if lost else [])


# interfaces and subnets

LINKS = [
    # what is there, what is found
    ((HERE,), []),
    ((link("eth0", "10.9.0.1/24"),), [("interface-missing", "error", ("*",))]),
    ((link("br9", "10.9.0.1/24", up=False),), [("interface-down", "error", ("lady",))]),
    ((link("br9"),), [("interface-bare", "error", ("*",))]),
    ((link("br9", "10.9.0.1/24", running=False),), [("interface-no-carrier", "warning", ("lady",))]),
    ((link("br9", "10.8.0.1/24"),), [("interface-no-subnet", "warning", ("*",))]),
]


@pytest.mark.parametrize(("there", "expected"), LINKS)
def test_interfaces(full: Path, there: tuple[Link, ...], expected: list[tuple[str, str, tuple[str, ...]]]) -> None:
    assert told(list(reach.interfaces(seen(full, *there)))) == expected


def test_the_hosts_own_links() -> None:
    assert links()["lo"].loopback
    assert not links()["lo"].bridge


def test_g16_subnets_that_nothing_serves(full: Path) -> None:
    assert not list(reach.subnets(seen(full)))
    elsewhere = link("br9", "10.8.0.1/24")
    ((finding),) = reach.subnets(seen(full, elsewhere))
    assert (finding.id, finding.machines) == ("subnet-unheard", ("lady",))
    assert "ip helper-address 10.8.0.1" in finding.advice
    ((finding),) = reach.subnets(seen(full, elsewhere, link("eth3", "10.9.0.4/24")))
    assert "eth3, which server.interfaces does not name" in finding.text
    event = Event(time.time(), Kind.DHCP_DISCOVER, Reason.DHCP_OK, relay="10.9.0.254", mac="52:54:00:00:00:01")
    store = Store(full / "state" / "journal.db")
    store.add([Placed(event, event.mac, 1)], 1000, 0.0)
    store.close()
    assert not list(reach.subnets(seen(full, elsewhere)))


# next-server


def test_an_address_that_no_interface_has(full: Path) -> None:
    edit(full, "server: {", "server: {address: 10.9.0.2, ")
    assert told(list(reach.next_servers(seen(full)))) == [("address-foreign", "warning", ("*",))]
    assert told(list(reach.next_servers(seen(full, server=1)))) == [("address-foreign", "error", ("*",))]
    assert not list(reach.next_servers(seen(full, link("br9", "10.9.0.1/24", "10.9.0.2/24"))))


def test_an_address_of_another_subnet(full: Path) -> None:
    edit(full, "server: {", "server: {address: 10.8.0.1, ")
    there = (HERE, link("eth1", "10.8.0.1/24"))
    assert not list(reach.next_servers(seen(full, *there)))  # by the router
    edit(full, ", router: 10.9.0.1", "")
    ((finding),) = reach.next_servers(seen(full, *there))
    assert (finding.id, finding.severity, finding.machines) == ("next-server-no-route", "error", ("lady",))
    assert "they are then told 10.9.0.1" in finding.advice
    edit(full, "subnet: 10.9.0.0/24,", "subnet: 10.9.0.0/24, next_server: 10.9.0.1,")
    assert not list(reach.next_servers(seen(full, *there)))


# what a client meets


def closed_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_ports_where_nobody_is() -> None:
    assert tftp_read("127.0.0.1", closed_port(socket.SOCK_DGRAM), "x") is Reply.CLOSED
    assert "refused" in unheard("127.0.0.1", closed_port(socket.SOCK_STREAM))


def test_ports_that_say_nothing() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        udp.bind(("127.0.0.1", 0))
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        assert tftp_read("127.0.0.1", udp.getsockname()[1], "x", 0.3) is Reply.SILENT
        assert unheard("127.0.0.1", tcp.getsockname()[1], 0.3) == "no answer came"


def test_findings_name_no_other_fault(full: Path) -> None:
    edit(full, "interfaces: [br9]", "interfaces: [lo]")
    assert {row["id"] for row in rows(full, 0)} <= {"subnet-unheard", "interface-no-subnet"}
