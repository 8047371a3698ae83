"""ProxyDHCP: D15, D16, and the field's known failures (themes 2 to 6)."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest
from dhcp_world import (
    HTTP_UEFI,
    IPXE,
    LADY,
    PXE_BIOS,
    PXE_UEFI,
    RELAY,
    SERVER,
    STRANGER,
    World,
    inventory,
    ip,
    named,
    reply,
)

from netprov.boot.install import InstallRecord, InstallState
from netprov.boot.reason import Reason
from netprov.dhcp.destination import Broadcast, Unicast
from netprov.dhcp.packet import ACK, DECLINE, DISCOVER, INFORM, OFFER, RELEASE, REQUEST
from netprov.inventory.model import DhcpMode, UnknownPolicy
from netprov.journal.event import Kind

BYPASS = b"\6\1\x08\xff"
LEASED = ip("10.77.0.140")


@pytest.fixture
def world() -> World:
    return World(inventory(DhcpMode.PROXY))


# (client, vendor class, option 43 in the ProxyOFFER, boot file)
D15_OFFERS = [
    ("bios", PXE_BIOS, b"PXEClient", BYPASS, "pxelinux.0"),
    ("uefi", PXE_UEFI, b"PXEClient", None, "ipxe.efi"),  # edk2#6944: with 43 old firmware drops it
    ("uefi 9", {**PXE_UEFI, 93: b"\0\x09"}, b"PXEClient", None, "ipxe.efi"),
    ("ipxe", IPXE, b"PXEClient", None, "http://10.77.0.1/ipxe/00-16-3e-11-11-11"),
    ("http", HTTP_UEFI, b"HTTPClient", None, "http://10.77.0.1/files/ipxe.efi"),
]


@named("client, cls, vendor, name", D15_OFFERS)
def test_d15_offer(world: World, client: dict[int, bytes], cls: bytes, vendor: bytes | None, name: str) -> None:
    outcome = world.discover(LADY, client)
    offer = reply(outcome)
    assert (offer.type, int(offer.yiaddr)) == (OFFER, 0)
    assert (offer.options[60], offer.options.get(43), offer.options[97]) == (cls, vendor, client[97])
    assert offer.file.decode() == offer.options[67].decode() == name
    assert (offer.siaddr, offer.address(54)) == (SERVER, SERVER)
    assert not {1, 3, 6, 51, 58, 59, 175} & set(offer.options)
    assert outcome.reply is not None
    assert outcome.reply.destination == Broadcast()
    assert not outcome.leases


D15_SILENT: list[tuple[str, int | None, Any, dict[int, bytes], Reason]] = [
    ("not PXE", DISCOVER, LADY, {}, Reason.NOT_PXE),
    ("Windows", DISCOVER, LADY, {60: b"MSFT 5.0"}, Reason.NOT_PXE),
    ("unknown machine", DISCOVER, STRANGER, PXE_BIOS, Reason.UNKNOWN_IGNORE),
    ("not PXE, inform", INFORM, LADY, {}, Reason.NOT_PXE),
    ("decline", DECLINE, LADY, {50: LEASED.packed, 54: SERVER.packed, **PXE_BIOS}, Reason.MODE_PROXY),
    ("release", RELEASE, LADY, {54: SERVER.packed}, Reason.MODE_PROXY),
    ("bootp", None, LADY, {}, Reason.MODE_PROXY),
]


@named("kind, mac, options, reason", D15_SILENT)
def test_d15_silent(world: World, kind: int | None, mac: Any, options: dict[int, bytes], reason: Reason) -> None:
    outcome = world.ask(kind, mac, options, ciaddr=LEASED)
    assert (outcome.reply, outcome.event.reason, outcome.leases) == (None, reason, ())


def test_d15_local_boot_is_not_answered(world: World) -> None:
    world.installs["lady"] = InstallRecord(InstallState.INSTALLED)
    outcome = world.discover(LADY, PXE_UEFI)
    assert (outcome.reply, outcome.event.reason) == (None, Reason.INSTALL_DONE)


def test_d15_unknown_machines_get_the_menu_where_wanted() -> None:
    world = World(inventory(DhcpMode.PROXY, unknown=UnknownPolicy.MENU))
    assert reply(world.discover(STRANGER, PXE_BIOS)).file == b"pxelinux.0"


def test_d15_who_asks_another_server_is_seen(world: World) -> None:
    outcome = world.ask(REQUEST, LADY, {**PXE_UEFI, 50: LEASED.packed, 54: ip("10.77.0.2").packed})
    assert outcome.reply is None
    event = outcome.event
    assert (event.kind, event.reason, event.ip) == (Kind.DHCP_REQUEST, Reason.MODE_PROXY, str(LEASED))
    assert [(s.ip, s.mac, s.arch) for s in outcome.sightings] == [(LEASED, LADY, 7)]


def test_d15_an_offices_machines_are_none_of_our_business(world: World) -> None:
    assert not world.ask(REQUEST, STRANGER, {50: LEASED.packed, 54: ip("10.77.0.2").packed}).sightings


ON_4011 = {"port": 4011, "peer": LEASED, "peer_port": 4011, "unicast": True}


@pytest.mark.parametrize("mode", [DhcpMode.PROXY, DhcpMode.FULL, DhcpMode.RESERVED])
@pytest.mark.parametrize("kind", [REQUEST, INFORM])
@pytest.mark.parametrize(("client", "vendor"), [(PXE_BIOS, BYPASS), (PXE_UEFI, None)])
def test_d15_boot_server(mode: DhcpMode, kind: int, client: dict[int, bytes], vendor: bytes | None) -> None:
    """Theme 3: port 4011 is always answered."""
    world = World(inventory(mode))
    outcome = world.ask(kind, LADY, client, arrival=ON_4011, ciaddr=LEASED)
    ack = reply(outcome)
    assert (ack.type, int(ack.yiaddr), ack.ciaddr) == (ACK, 0, LEASED)
    assert (ack.siaddr, ack.address(54)) == (SERVER, SERVER)
    assert ack.options.get(43) == vendor
    assert ack.options[60] == b"PXEClient"
    assert ack.options[97] == client[97]
    assert ack.file == ack.options[67] != b""
    assert outcome.reply is not None
    assert outcome.reply.destination == Unicast(LEASED, 4011)
    assert outcome.reply.arrival.port == 4011


def test_d15_boot_server_answers_where_it_was_asked_from(world: World) -> None:
    outcome = world.ask(REQUEST, LADY, PXE_BIOS, arrival={**ON_4011, "peer_port": 68}, ciaddr=LEASED)
    assert outcome.reply is not None
    assert outcome.reply.destination == Unicast(LEASED, 68)


def test_d15_boot_item_is_echoed(world: World) -> None:
    item = b"\x80\0\0\1"
    ack = reply(world.ask(REQUEST, LADY, {**PXE_BIOS, 43: b"\x47\4" + item + b"\xff"}, arrival=ON_4011, ciaddr=LEASED))
    assert ack.options[43] == b"\6\1\x08\x47\4" + item + b"\xff"


D15_4011_SILENT = [
    (DISCOVER, PXE_BIOS, Reason.DHCP_UNSUPPORTED),
    (REQUEST, {}, Reason.PROXY_INCOMPLETE),
    (REQUEST, {60: b"MSFT 5.0"}, Reason.PROXY_INCOMPLETE),
    (RELEASE, PXE_BIOS, Reason.DHCP_UNSUPPORTED),
    (None, PXE_BIOS, Reason.DHCP_UNSUPPORTED),
]


@pytest.mark.parametrize(("kind", "options", "reason"), D15_4011_SILENT)
def test_d15_boot_server_silent(world: World, kind: int | None, options: dict[int, bytes], reason: Reason) -> None:
    outcome = world.ask(kind, LADY, options, arrival=ON_4011)
    assert (outcome.reply, outcome.event.reason) == (None, reason)


def test_d15_the_loop_guard_counts_boots_not_packets(world: World) -> None:
    """One boot asks on port 67 and on 4011, with two xids (edk2 draws a new one)."""

    def boots(xid: int) -> tuple[bool, bool]:
        offer = world.discover(LADY, PXE_UEFI, xid=xid)
        world.ask(REQUEST, LADY, {**PXE_UEFI, 50: LEASED.packed, 54: ip("10.77.0.2").packed}, xid=xid)
        ack = world.ask(REQUEST, LADY, PXE_UEFI, arrival=ON_4011, ciaddr=LEASED, xid=xid + 1000)
        world.now += 5
        return offer.reply is not None, ack.reply is not None

    assert [boots(xid) for xid in (1, 2)] == [(True, True)] * 2
    assert world.discover(LADY, PXE_UEFI, xid=3).event.reason is Reason.LOADER_LOOP


def test_d15_who_only_looks_is_no_round_of_a_loop(world: World) -> None:
    looks = {**PXE_UEFI, 250: b"netprov-preview"}
    for xid in range(5):
        assert world.discover(LADY, looks, xid=xid).reply is not None
        world.ask(REQUEST, LADY, {**looks, 50: LEASED.packed, 54: ip("10.77.0.2").packed}, xid=xid)
    assert world.discover(LADY, PXE_UEFI, xid=9).reply is not None


def test_d16_relayed_proxy(world: World) -> None:
    outcome = world.discover(LADY, {**PXE_BIOS, 82: b"\1\3eth"}, giaddr=RELAY)
    offer = reply(outcome)
    assert outcome.reply is not None
    assert outcome.reply.destination == Unicast(RELAY, 67)
    assert list(offer.options)[-1] == 82


def test_d15_pxe_inform_on_67(world: World) -> None:
    ack = reply(world.ask(INFORM, LADY, PXE_BIOS, ciaddr=LEASED))
    assert (ack.type, ack.file, int(ack.yiaddr)) == (ACK, b"pxelinux.0", 0)


def test_theme_12_siaddr_is_the_address_the_question_arrived_at(world: World) -> None:
    offer = reply(world.ask(DISCOVER, LADY, PXE_BIOS, arrival={"server": ip("10.99.0.1")}))
    assert (offer.siaddr, offer.address(54)) == (IPv4Address("10.99.0.1"),) * 2
