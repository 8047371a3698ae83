"""The server in full and reserved mode: D1 to D10, D12, D14, D16, D17."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from typing import Any

import pytest
from dhcp_world import (
    HTTP_UEFI,
    IPXE,
    LADY,
    LADY_IP,
    NOW,
    PXE_BIOS,
    PXE_UEFI,
    RELAY,
    SERVER,
    STRANGER,
    SUBNETS,
    TRAMP,
    World,
    inventory,
    ip,
    mac_number,
    named,
    question,
    reply,
    subnet,
    system,
)

from netprov.boot.install import InstallRecord, InstallState
from netprov.boot.reason import Reason
from netprov.dhcp.destination import Broadcast, Destination, ToHardware, Unicast
from netprov.dhcp.packet import ACK, DECLINE, DISCOVER, INFORM, NAK, OFFER, RELEASE, REQUEST, parse
from netprov.inventory.model import ClientOptions, DhcpMode, InstallMode, ServerSettings
from netprov.journal.event import Kind
from netprov.mac import Mac

FLAG = 0x8000
OTHER = ip("10.77.0.2")
NEAR = ip("10.77.0.5")  # a relay in the first subnet


@pytest.fixture
def world() -> World:
    return World()


D1_DESTINATIONS: list[tuple[str, int | None, dict[str, Any], dict[int, bytes], Destination]] = [
    ("offer to its hardware", DISCOVER, {}, {}, ToHardware(LADY, LADY_IP)),
    ("broadcast flag", DISCOVER, {"flags": FLAG}, {}, Broadcast()),
    ("relay before the flag", DISCOVER, {"giaddr": RELAY, "flags": FLAG}, {}, Unicast(RELAY, 67)),
    ("renewing", REQUEST, {"ciaddr": LADY_IP}, {}, Unicast(LADY_IP)),
    ("renewing by a relay", REQUEST, {"ciaddr": LADY_IP, "giaddr": NEAR}, {}, Unicast(NEAR, 67)),
    ("NAK", REQUEST, {}, {50: b"\x0a\x63\0\1"}, Broadcast()),
    ("NAK through a relay", REQUEST, {"giaddr": RELAY}, {50: b"\x0a\x63\0\1"}, Unicast(RELAY, 67)),
    ("inform", INFORM, {"ciaddr": ip("10.77.0.50")}, {}, Unicast(ip("10.77.0.50"))),
    ("bootp", None, {}, {}, ToHardware(LADY, LADY_IP)),
]


@named("kind, fields, options, where", D1_DESTINATIONS)
def test_d1_destination(
    world: World, kind: int | None, fields: dict[str, Any], options: dict[int, bytes], where: Destination
) -> None:
    outcome = world.ask(kind, LADY, options, **fields)
    assert outcome.reply is not None, outcome.event
    assert outcome.reply.destination == where


def test_d1_no_ethernet_address_means_broadcast(world: World) -> None:
    outcome = world.discover(None, {61: b"\xff\0\0\0\1ib"}, htype=32, hlen=0)
    assert outcome.reply is not None
    assert outcome.reply.destination == Broadcast()


def test_d1_a_relayed_nak_asks_for_broadcast(world: World) -> None:
    nak = reply(world.ask(REQUEST, options={50: b"\x0a\x63\0\1"}, giaddr=RELAY))
    assert nak.type == NAK
    assert nak.broadcast
    assert nak.options[56] == b"10.99.0.1 is not in 10.88.0.0/24"
    assert not {1, 3, 51, 67} & set(nak.options)
    assert not reply(world.ask(REQUEST, options={50: b"\x0a\x63\0\1"})).broadcast


def address(text: str) -> bytes:
    return ip(text).packed


LOST, OUTSIDE, FOREIGN = ip("10.77.0.105"), ip("10.77.0.90"), ip("10.99.0.5")
OURS = {54: SERVER.packed}

# (what, authoritative, mac, options, fields, the answer's type or None, reason)
D2_REQUESTS: list[tuple[str, bool, Any, dict[int, bytes], dict[str, Any], int | None, Reason]] = [
    ("selecting", True, LADY, {50: LADY_IP.packed, **OURS}, {}, ACK, Reason.DHCP_OK),
    ("selecting another", True, LADY, {50: LADY_IP.packed, 54: OTHER.packed}, {}, None, Reason.DHCP_NOT_FOR_US),
    ("selecting the wrong address", True, LADY, {50: LOST.packed, **OURS}, {}, NAK, Reason.DHCP_OTHER_ADDRESS),
    ("selecting outside the ranges", True, TRAMP, {50: OUTSIDE.packed, **OURS}, {}, NAK, Reason.DHCP_TAKEN),
    ("selecting by ciaddr", True, LADY, OURS, {"ciaddr": LADY_IP}, ACK, Reason.DHCP_OK),
    ("init-reboot", True, LADY, {50: LADY_IP.packed}, {}, ACK, Reason.DHCP_OK),
    ("init-reboot, wrong net", True, LADY, {50: FOREIGN.packed}, {}, NAK, Reason.DHCP_WRONG_NET),
    ("init-reboot, wrong net, guest", False, LADY, {50: FOREIGN.packed}, {}, None, Reason.DHCP_WRONG_NET),
    ("init-reboot, lost record", True, TRAMP, {50: LOST.packed}, {}, ACK, Reason.DHCP_OK),
    ("init-reboot, no record, guest", False, TRAMP, {50: LOST.packed}, {}, None, Reason.DHCP_NO_RECORD),
    ("init-reboot, another's declared", True, TRAMP, {50: LADY_IP.packed}, {}, NAK, Reason.DHCP_TAKEN),
    ("init-reboot, our own address", True, TRAMP, {50: SERVER.packed}, {}, NAK, Reason.DHCP_TAKEN),
    ("renewing", True, LADY, {}, {"ciaddr": LADY_IP}, ACK, Reason.DHCP_OK),
    ("rebinding, wrong net", True, LADY, {}, {"ciaddr": FOREIGN}, NAK, Reason.DHCP_WRONG_NET),
    ("rebinding, no record, guest", False, TRAMP, {}, {"ciaddr": LOST}, None, Reason.DHCP_NO_RECORD),
    ("asks for nothing", True, LADY, {}, {}, None, Reason.DHCP_MALFORMED),
]
"""A guest is a server that is not authoritative."""


@named("authoritative, mac, options, fields, kind, reason", D2_REQUESTS)
def test_d2_request(
    authoritative: bool, mac: Any, options: dict[int, bytes], fields: dict[str, Any], kind: int | None, reason: Reason
) -> None:
    outcome = World(inventory(authoritative=authoritative)).ask(REQUEST, mac, options, **fields)
    assert (reply(outcome).type if outcome.reply else None, outcome.event.reason) == (kind, reason)


def test_d2_another_clients_lease_is_refused(world: World) -> None:
    taken = world.boot(STRANGER).yiaddr
    for options in ({50: taken.packed}, {50: taken.packed, 54: SERVER.packed}):
        outcome = world.ask(REQUEST, TRAMP, options)
        assert reply(outcome).type == NAK
        assert outcome.event.reason is Reason.DHCP_TAKEN


@pytest.mark.parametrize("authoritative", [True, False])
def test_d2_init_reboot_with_another_lease_is_refused(authoritative: bool) -> None:
    """RFC 2131 §4.3.2: we have a record of the client, and its notion of its address is not right."""
    world = World(inventory(authoritative=authoritative))
    held = world.boot(STRANGER).yiaddr
    outcome = world.ask(REQUEST, STRANGER, {50: LOST.packed})
    assert (reply(outcome).type, outcome.event.reason) == (NAK, Reason.DHCP_OTHER_ADDRESS)
    assert reply(world.ask(REQUEST, STRANGER, {50: held.packed})).type == ACK
    world.now += 3601  # the lease is over: any address is as good, to a server that has the say
    assert bool(world.ask(REQUEST, STRANGER, {50: LOST.packed}).reply) is authoritative


@pytest.mark.parametrize("authoritative", [True, False])
def test_d2_init_reboot_of_a_declared_machine_with_another_address(authoritative: bool) -> None:
    outcome = World(inventory(authoritative=authoritative)).ask(REQUEST, LADY, {50: LOST.packed})
    assert (reply(outcome).type, outcome.event.reason) == (NAK, Reason.DHCP_OTHER_ADDRESS)


def test_d2_a_renewing_machine_keeps_its_old_address(world: World) -> None:
    """Declared an address while it runs: the machine moves at its next boot, not under its users' feet."""
    old = World(inventory(systems=())).boot(LADY).yiaddr
    assert reply(world.ask(REQUEST, LADY, {50: old.packed, 54: SERVER.packed})).type == NAK
    assert reply(world.ask(REQUEST, LADY, ciaddr=old)).type == ACK
    assert world.boot(LADY).yiaddr == LADY_IP


def test_d2_an_address_that_became_anothers_is_not_renewed() -> None:
    """A declared system gets its address as soon as its holder asks to prolong."""
    world = World(inventory(systems=()))
    held = world.boot(STRANGER).yiaddr
    world.server.update(inventory(systems=(system("lady", LADY, f"{held}/24"),)), world.now, (SERVER,))
    assert world.boot(LADY).yiaddr != held  # until then another one
    assert reply(world.ask(REQUEST, STRANGER, ciaddr=held)).type == NAK
    world.now += 3601
    assert world.boot(LADY).yiaddr == held


def test_d2_an_offer_of_ours_is_free_when_another_server_is_chosen(world: World) -> None:
    offered = reply(world.discover(TRAMP)).yiaddr
    world.ask(REQUEST, TRAMP, {50: offered.packed, 54: OTHER.packed})
    assert world.server.addresses.offers.at(offered) is None


def test_d3_what_is_copied(world: World) -> None:
    fields = {"xid": 0xDEADBEEF, "secs": 7, "flags": FLAG, "htype": 1, "hlen": 6, "hops": 3, "giaddr": RELAY}
    offer = reply(world.discover(STRANGER, **fields))
    got = {name: getattr(offer, name) for name in fields}
    assert got == {**fields, "hops": 0}
    assert offer.chaddr == bytes.fromhex("525400000099").ljust(16, b"\0")
    assert (offer.op, offer.ciaddr) == (2, IPv4Address(0))


def test_d3_infiniband_is_known_by_its_client_id(world: World) -> None:
    one = world.boot(None, {61: b"\xff\0\0\0\1one"}, htype=32, hlen=0)
    two = world.boot(None, {61: b"\xff\0\0\0\1two"}, htype=32, hlen=0)
    again = world.boot(None, {61: b"\xff\0\0\0\1one"}, htype=32, hlen=0)
    assert one.yiaddr == again.yiaddr != two.yiaddr


D3_NOBODY = [
    {"mac": None},
    {"mac": "00:00:00:00:00:00"},
    {"mac": "ff:ff:ff:ff:ff:ff"},
    {"mac": "01:00:5e:00:00:01"},
    {"mac": None, "hlen": 0},
]


@pytest.mark.parametrize("fields", D3_NOBODY)
def test_d3_nobodys_address(world: World, fields: dict[str, Any]) -> None:
    outcome = world.ask(DISCOVER, **fields)
    assert outcome.reply is None
    assert outcome.event.reason is Reason.DHCP_MALFORMED


def test_d4_inform(world: World) -> None:
    outcome = world.ask(INFORM, STRANGER, {55: bytes((1, 3, 6, 15))}, ciaddr=ip("10.77.0.50"))
    ack = reply(outcome)
    assert (ack.type, ack.yiaddr, ack.ciaddr) == (ACK, IPv4Address(0), ip("10.77.0.50"))
    assert not {51, 58, 59} & set(ack.options)
    assert ack.options[15] == b"example.org"
    assert not outcome.leases
    assert outcome.event.kind is Kind.DHCP_INFORM


# (what, sender, giaddr, where the answer goes; None: nowhere)
D4_NO_CIADDR: list[tuple[str, str, str, Destination | None]] = [
    ("an address all the same", "10.77.0.50", "0.0.0.0", Unicast(ip("10.77.0.50"))),
    ("by a relay", "10.88.0.1", "10.88.0.1", Unicast(RELAY, 67)),
    ("from nowhere", "0.0.0.0", "0.0.0.0", None),
]


@named("peer, giaddr, where", D4_NO_CIADDR)
def test_d4_inform_without_ciaddr(world: World, peer: str, giaddr: str, where: Destination | None) -> None:
    outcome = world.ask(INFORM, STRANGER, arrival={"peer": ip(peer)}, giaddr=ip(giaddr))
    if where is None:
        assert (outcome.reply, outcome.event.reason) == (None, Reason.DHCP_MALFORMED)
        return
    ack = reply(outcome)
    assert outcome.reply is not None
    assert outcome.reply.destination == where
    assert (ack.type, ack.yiaddr, ack.ciaddr, ack.broadcast) == (
        ACK,
        IPv4Address(0),
        IPv4Address(0),
        giaddr != "0.0.0.0",
    )
    assert not outcome.leases


D5_IGNORED = [
    (DECLINE, {50: LADY_IP.packed}, {}, Reason.DHCP_NOT_FOR_US),
    (DECLINE, {50: LADY_IP.packed, 54: OTHER.packed}, {}, Reason.DHCP_NOT_FOR_US),
    (DECLINE, {54: SERVER.packed}, {}, Reason.DHCP_NOT_FOR_US),
    (DECLINE, {50: address("10.77.0.100"), 54: SERVER.packed}, {}, Reason.DHCP_NO_RECORD),
    (RELEASE, {}, {"ciaddr": LADY_IP}, Reason.DHCP_NOT_FOR_US),
    (RELEASE, {54: OTHER.packed}, {"ciaddr": LADY_IP}, Reason.DHCP_NOT_FOR_US),
    (RELEASE, {54: SERVER.packed}, {"ciaddr": ip("10.77.0.100")}, Reason.DHCP_NO_RECORD),
    (RELEASE, {54: SERVER.packed}, {}, Reason.DHCP_NO_RECORD),
]


@pytest.mark.parametrize(("kind", "options", "fields", "reason"), D5_IGNORED)
def test_d5_ignored(world: World, kind: int, options: dict[int, bytes], fields: dict[str, Any], reason: Reason) -> None:
    world.boot(LADY)
    stored = dict(world.stored)
    outcome = world.ask(kind, LADY, options, **fields)
    assert (outcome.reply, outcome.event.reason) == (None, reason)
    assert world.stored == stored


def test_d5_nobody_gives_back_anothers_lease(world: World) -> None:
    held = world.boot(STRANGER).yiaddr
    assert not world.ask(RELEASE, TRAMP, {54: SERVER.packed}, ciaddr=held).leases
    assert not world.ask(DECLINE, TRAMP, {50: held.packed, 54: SERVER.packed}).leases


def test_d5_release(world: World) -> None:
    held = world.boot(STRANGER).yiaddr
    outcome = world.ask(RELEASE, STRANGER, {54: SERVER.packed}, ciaddr=held)
    assert outcome.reply is None
    assert [(lease.ip, lease.state) for lease in outcome.leases] == [(held, "released")]
    assert world.boot(STRANGER).yiaddr == held  # the same one while nobody else has it


def test_d5_declined_addresses_rest(world: World) -> None:
    held = world.boot(STRANGER).yiaddr
    outcome = world.ask(DECLINE, STRANGER, {50: held.packed, 54: SERVER.packed})
    assert outcome.event.kind is Kind.DHCP_DECLINE
    assert world.stored[held].state == "declined"
    assert world.boot(STRANGER).yiaddr != held
    world.restart()
    assert reply(world.ask(REQUEST, TRAMP, {50: held.packed})).type == NAK
    world.now += 3601
    assert reply(world.ask(REQUEST, TRAMP, {50: held.packed})).type == ACK


def test_d5_declining_everything_does_not_empty_the_pool(world: World) -> None:
    for n in range(100):
        held = world.boot(mac_number(n)).yiaddr
        world.ask(DECLINE, mac_number(n), {50: held.packed, 54: SERVER.packed})
    resting = [lease for lease in world.stored.values() if lease.state == "declined" and lease.expires > world.now]
    assert len(resting) <= 3
    assert world.boot(STRANGER).type == ACK


def test_d6_bootp(world: World) -> None:
    outcome = world.ask(None, LADY)
    got = reply(outcome)
    assert outcome.reply is not None
    assert len(outcome.reply.data) >= 300
    assert (got.type, got.yiaddr) == (None, LADY_IP)
    assert not {51, 53, 54, 58, 59} & set(got.options)
    assert got.options[1] == b"\xff\xff\xff\0"
    assert outcome.event.kind is Kind.DHCP_BOOTP


@pytest.mark.parametrize("mac", [STRANGER, TRAMP])
def test_d6_bootp_only_where_declared(world: World, mac: Any) -> None:
    assert world.ask(None, mac).reply is None


def test_d7_parameter_list_is_the_order(world: World) -> None:
    offer = reply(world.discover(STRANGER, {55: bytes((15, 28, 6, 3, 1, 119, 250))}))
    assert list(offer.options) == [53, 54, 51, 58, 59, 15, 28, 6, 1, 3]


# (what, the list the client sends, the order of what it gets)
D7_ORDERS: list[tuple[str, bytes, list[int]]] = [
    ("mask before router all the same", bytes((3, 6, 1, 15)), [1, 3, 6, 15]),
    ("unasked mask and router follow", bytes((15, 6)), [15, 6, 1, 3]),
    ("unasked router follows", bytes((28, 1, 15)), [28, 1, 15, 3]),
    ("an unasked mask precedes its router", bytes((15, 3)), [15, 1, 3]),
    ("asked twice", bytes((6, 15, 6)), [6, 15, 1, 3]),
    ("what nobody has", bytes((250, 6)), [6, 1, 3]),
    ("no list", b"", [1, 3, 6, 15, 28]),
]


@named("wanted, order", D7_ORDERS)
def test_rfc2132_9_8_order(world: World, wanted: bytes, order: list[int]) -> None:
    offer = reply(world.discover(STRANGER, {55: wanted} if wanted else {}))
    assert [code for code in offer.options if code not in (51, 53, 54, 58, 59)] == order


def test_d7_unasked(world: World) -> None:
    assert {1, 3, 6, 15, 28} <= set(reply(world.discover(STRANGER)).options)


def test_d7_the_clients_size_is_kept() -> None:
    long = {code: bytes(250) for code in (224, 225, 226)}
    big = subnet("10.77.0.0/24", "10.77.0.100", "10.77.0.109", options=long)
    world = World(inventory(subnets=(big,)))
    small = world.discover(STRANGER)
    large = world.discover(STRANGER, {57: b"\x05\xdc"})
    assert small.reply is not None
    assert len(small.reply.data) <= 548
    assert large.reply is not None
    assert {224, 225, 226} <= set(parse(large.reply.data).options)


# (what, options of the subnet by code and length, what the client asks for, what it gets of them)
D7_ROOM: list[tuple[str, dict[int, int], bytes, set[int]]] = [
    ("all fit", {224: 100, 225: 100}, b"", {224, 225}),
    ("a long one in the middle is left out alone", {224: 20, 225: 300, 226: 20}, b"", {224, 226}),
    ("a long one at the head is left out alone", {224: 300, 225: 20, 226: 20}, b"", {225, 226}),
    ("of two that do not fit together, the first asked for", {224: 200, 225: 200}, bytes((225, 224)), {225}),
]


@named("lengths, wanted, kept", D7_ROOM)
def test_d7_only_what_does_not_fit_is_left_out(lengths: dict[int, int], wanted: bytes, kept: set[int]) -> None:
    own = {code: bytes(length) for code, length in lengths.items()}
    net = subnet("10.77.0.0/24", "10.77.0.100", "10.77.0.109", options=own)
    outcome = World(inventory(subnets=(net,))).discover(STRANGER, {55: wanted} if wanted else {})
    assert outcome.reply is not None
    assert len(outcome.reply.data) <= 548
    assert set(lengths) & set(reply(outcome).options) == kept


def test_d7_the_operators_options_are_left_out_last() -> None:
    """What the server adds by itself, however early it stands, gives way to what somebody wrote down."""
    search = tuple(f"department-{n:02}.a-rather-long-name.example.org" for n in range(4))
    net = subnet("10.77.0.0/24", "10.77.0.100", "10.77.0.109", search=search, options={224: bytes(200)})
    world = World(inventory(subnets=(net,)))
    small = reply(world.discover(STRANGER, {55: bytes((119, 6))})).options
    assert (224 in small, 119 in small, 6 in small) == (True, False, True)
    assert {224, 119, 6} <= set(reply(world.discover(STRANGER, {55: bytes((119, 6)), 57: b"\x05\xdc"})).options)


def test_d7_operators_options_win_and_go_unasked() -> None:
    own = {210: b"pre/", 28: b"\1\1\1\1"}
    net = subnet("10.77.0.0/24", "10.77.0.100", "10.77.0.109", options=own)
    offer = reply(World(inventory(subnets=(net,))).discover(STRANGER, {55: bytes((1, 28))}))
    assert (offer.options[210], offer.options[28]) == (b"pre/", b"\1\1\1\1")


def test_d8_relay_option_last_and_untouched(world: World) -> None:
    info = b"\1\3eth\2\0\x97\1\xff"
    for kind, options in ((DISCOVER, {}), (REQUEST, {50: b"\x0a\x63\0\1"})):
        got = reply(world.ask(kind, STRANGER, {82: info, 61: b"\1x", 60: b"PXEClient", **options}, giaddr=RELAY))
        assert list(got.options)[-1] == 82
        assert got.options[82] == info


@pytest.mark.parametrize("info", [b"\1\3eth", b"", b"\1", b"\1\xff", b"\5\4\x0a\x58\0\0"])
def test_d8_echoed_without_a_relay(world: World, info: bytes) -> None:
    """RFC 3046 §2.2: a snooping switch adds it and leaves giaddr 0. The address is of our own link all the same."""
    offer = reply(world.discover(STRANGER, {82: info}))
    assert (list(offer.options)[-1], offer.options[82]) == (82, info)
    assert offer.yiaddr in SUBNETS[0].subnet
    assert reply(world.ask(REQUEST, STRANGER, {50: b"\x0a\x63\0\1", 82: info})).options[82] == info


def test_d8_server_override(world: World) -> None:
    """RFC 5107: the relay wants renewals to come through it."""
    info = b"\x0b\4" + RELAY.packed
    offer = reply(world.discover(STRANGER, {82: info}, giaddr=RELAY))
    assert offer.address(54) == RELAY
    options = {50: offer.yiaddr.packed, 54: RELAY.packed, 82: info}
    assert reply(world.ask(REQUEST, STRANGER, options, giaddr=RELAY)).type == ACK


def test_d8_link_selection(world: World) -> None:
    """RFC 3527: the relay's own address need not be of the client's link."""
    info = b"\5\4" + ip("10.88.0.0").packed
    offer = reply(world.discover(STRANGER, {82: info}, giaddr=ip("172.16.0.1")))
    assert offer.yiaddr in SUBNETS[1].subnet


def test_d9_client_id_is_echoed(world: World) -> None:
    assert world.boot(STRANGER, {61: b"\1\x52\x54\0\0\0\x99"}).options[61] == b"\1\x52\x54\0\0\0\x99"
    assert 61 not in world.boot(STRANGER).options


def test_d10_one_machine_one_address(world: World) -> None:
    """Theme 18: firmware, loader, installer and system of one machine send different client-ids."""
    stages: list[dict[int, bytes]] = [PXE_UEFI, {**IPXE, 61: b"\1\x52\x54\0\0\0\x99"}, {61: b"\xff\1\2\3\4\0\2abc"}, {}]
    assert len({world.boot(STRANGER, {**options, 55: b"\1"}).yiaddr for options in stages}) == 1
    assert world.stored[world.boot(STRANGER).yiaddr].uuid  # what the firmware told is not forgotten


def test_d10_a_client_id_never_takes_anothers_lease(world: World) -> None:
    held = world.boot(STRANGER, {61: b"\1same"}).yiaddr
    assert world.boot(TRAMP, {61: b"\1same"}).yiaddr != held
    assert world.boot(STRANGER, {61: b"\1same"}).yiaddr == held


def test_d10_two_cards_of_one_machine_have_two_addresses(world: World) -> None:
    assert world.boot(mac_number(1), PXE_UEFI).yiaddr != world.boot(mac_number(2), PXE_UEFI).yiaddr


# (client, option 60 back, option 43 back, boot file, siaddr set)
D12_ANSWERS = [
    ("bios", PXE_BIOS, b"PXEClient", b"\6\1\x08\xff", "pxelinux.0"),
    ("uefi 7", PXE_UEFI, b"PXEClient", b"\6\1\x08\xff", "shimx64.efi"),
    ("uefi 9", {**PXE_UEFI, 93: b"\0\x09"}, b"PXEClient", b"\6\1\x08\xff", "shimx64.efi"),
    ("ipxe", IPXE, b"PXEClient", None, "http://10.77.0.1/ipxe/00-16-3e-11-11-11"),
    ("http", HTTP_UEFI, b"HTTPClient", None, "http://10.77.0.1/files/ipxe.efi"),
    ("no uuid", {60: b"PXEClient:Arch:00000", 93: b"\0\0"}, b"PXEClient", b"\6\1\x08\xff", "pxelinux.0"),
]


@named("client, cls, vendor, name", D12_ANSWERS)
def test_d12_boot_fields(world: World, client: dict[int, bytes], cls: bytes, vendor: bytes | None, name: str) -> None:
    ack = world.boot(LADY, client)
    assert ack.options[60] == cls
    assert ack.options.get(43) == vendor
    assert ack.options[67].decode() == ack.file.decode() == name
    assert (ack.siaddr, ack.options[66], ack.sname) == (SERVER, b"10.77.0.1", b"10.77.0.1")
    assert ack.options.get(97) == client.get(97)
    assert 52 not in ack.options


def test_d12_ipxe_need_not_wait_for_a_proxy(world: World) -> None:
    assert reply(world.discover(LADY, IPXE)).options[175] == b"\xb0\1\1"
    assert 175 not in reply(world.discover(LADY, PXE_BIOS)).options


PI_ASKS = bytes((43, 60, 67, 128, 129, 130, 131, 132, 133, 134, 135, 66, 1, 3))
RPI4, RPI5 = b"\0RPi4" + bytes(12), b"\0RPi5\1\0\0\0\x71\x2e\xc0\x33\x11\x22\x33\x44"

# (what, MAC, option 97, fields of the target)
D12_RASPBERRIES: list[tuple[str, str, bytes, dict[str, Any]]] = [
    *((oui, f"{oui}:11:22:33", PXE_BIOS[97], {}) for oui in (
        "28:cd:c1", "2c:cf:67", "88:a2:9e", "b8:27:eb", "d8:3a:dd", "dc:a6:32", "e4:5f:01"
    )),
    ("pi 4 with another's address", "02:00:00:11:22:33", RPI4, {}),
    ("pi 5 with another's address", "02:00:00:11:22:33", RPI5, {}),
    ("aarch64", "b8:27:eb:11:22:33", b"", {"arch": "aarch64"}),
    ("arm", "b8:27:eb:11:22:33", b"", {"arch": "arm"}),
    ("its own kernel only", "b8:27:eb:11:22:33", b"", {"kernel": ""}),
]  # fmt: skip


@named("mac, uuid, fields", D12_RASPBERRIES)
def test_d12_raspberry_pi(mac: str, uuid: bytes, fields: dict[str, Any]) -> None:
    """Its boot ROM says architecture 0. It takes the server, and knows its files by itself."""
    pi = system("pi", Mac(mac), "10.77.0.20/24", **fields)
    options = {**{code: PXE_BIOS[code] for code in (60, 93, 94)}, 55: PI_ASKS, **({97: uuid} if uuid else {})}
    world = World(inventory(systems=(pi,)))
    outcome = world.discover(Mac(mac), options)
    offer = reply(outcome)
    assert (offer.siaddr, offer.options[60], offer.options[66]) == (SERVER, b"PXEClient", b"10.77.0.1")
    assert b"\0\0\x11Raspberry Pi Boot" in offer.options[43]
    assert (offer.file, 67 in offer.options) == (b"", False)
    assert dict(outcome.event.detail)["arch"] == "rpiboot"
    assert outcome.event.stage == "loader"
    for xid in range(1, 6):  # nothing of ours is fetched, so it goes round in no circle of ours
        assert world.boot(Mac(mac), options, xid=xid).siaddr == SERVER


def test_d12_a_raspberry_pi_is_told_of_in_the_trace() -> None:
    """What stops it is the last thing said."""
    mac = Mac("b8:27:eb:11:22:33")
    local = World(inventory(systems=(system("pi", mac, "10.77.0.20/24", install=InstallMode.LOCAL),)))
    outcome = local.discover(mac, PXE_BIOS)
    assert outcome.event.trace[-1] == "install: local, and no install is armed"
    assert int(reply(outcome).siaddr) == 0


@pytest.mark.parametrize("options", [{}, {60: b"dhcpcd-10.0.1:Linux"}, {**PXE_UEFI, 93: b"\0\x0b"}, IPXE])
def test_d12_what_runs_on_a_raspberry_pi_later_is_not_its_boot_rom(options: dict[int, bytes]) -> None:
    mac = Mac("b8:27:eb:11:22:33")
    ack = World(inventory(systems=(system("pi", mac, "10.77.0.20/24", arch="aarch64"),))).boot(mac, options)
    assert b"Raspberry" not in ack.options.get(43, b"")


# (what, type, options, whether option 150 comes back)
PLAIN_CLIENTS: list[tuple[str, int | None, dict[int, bytes], bool]] = [
    ("bootp", None, {}, False),
    ("plain dhcp", DISCOVER, {}, False),
    ("juniper", DISCOVER, {60: b"Juniper-ex2300-c-12t", 55: bytes((1, 3, 43, 66, 67, 150))}, True),
    ("cisco", DISCOVER, {60: b"ciscopnp", 55: bytes((1, 66, 6, 15, 67, 150))}, True),
    ("arista", DISCOVER, {60: b"Arista;DCS-7050;01.00;XX", 55: bytes((1, 3, 12, 15, 42, 66, 67))}, False),
    ("onie", DISCOVER, {60: b"onie_vendor:x86_64-dell", 55: bytes((1, 3, 6, 12, 15, 66, 67, 114, 125, 150))}, True),
    ("an empty class", DISCOVER, {60: b"", 55: bytes((150,))}, True),
]


@named("kind, options, many", PLAIN_CLIENTS)
@pytest.mark.parametrize("kernel", ["", "scotland/vmlinuz"])
@pytest.mark.parametrize("install", InstallMode)
def test_a_declared_filename_reaches_plain_clients(
    kind: int | None, options: dict[int, bytes], many: bool, kernel: str, install: InstallMode
) -> None:
    lady = system("lady", LADY, "10.77.0.14/24", filename="switch.cfg", kernel=kernel, install=install)
    outcome = World(inventory(systems=(lady,))).ask(kind, LADY, options)
    got = reply(outcome)
    assert (got.yiaddr, got.siaddr, got.file, got.sname) == (LADY_IP, SERVER, b"switch.cfg", b"10.77.0.1")
    assert (got.options[66], got.options[67]) == (b"10.77.0.1", b"switch.cfg")
    assert (got.options.get(150) == SERVER.packed) is many
    assert not {43, 60, 93} & set(got.options)
    assert outcome.event.reason is Reason.DHCP_OK


def test_a_filename_of_another_server_reaches_plain_clients_with_it() -> None:
    lady = system("lady", LADY, "10.77.0.14/24", filename="switch.cfg", next_server=ip("10.77.0.9"))
    ack = World(inventory(systems=(lady,))).boot(LADY, {55: bytes((66, 67, 150))})
    assert (ack.siaddr, ack.options[66], ack.options[150]) == (ip("10.77.0.9"), b"10.77.0.9", ip("10.77.0.9").packed)


@pytest.mark.parametrize("kind", [None, DISCOVER])
def test_no_declared_filename_is_nothing_to_boot_for_plain_clients(world: World, kind: int | None) -> None:
    got = reply(world.ask(kind, LADY, {55: bytes((66, 67, 150))}))
    assert (int(got.siaddr), got.file, {66, 67, 150} & set(got.options)) == (0, b"", set())


def test_a_system_that_runs_renews_as_often_as_it_likes() -> None:
    lady = system("lady", LADY, "10.77.0.14/24", filename="odd.bin")
    world = World(inventory(systems=(lady,)))
    for xid in range(5):
        assert world.boot(LADY, {}, xid=xid).file == b"odd.bin"
    assert world.boot(LADY, PXE_BIOS, xid=9).file == b"odd.bin"


# (what, options)
FILENAME_FIRMWARE = [
    ("bios", PXE_BIOS),
    ("uefi", PXE_UEFI),
    ("uefi of another processor", {**PXE_UEFI, 93: b"\0\x0b"}),
    ("nobody knows it", {**PXE_BIOS, 93: b"\0\x63"}),
    ("u-boot", {60: b"U-Boot.armv8", 93: b"\0\x16"}),
]


@named("options", FILENAME_FIRMWARE)
def test_a_filename_needs_no_kernel(options: dict[int, bytes]) -> None:
    lady = system("lady", LADY, "10.77.0.14/24", filename="odd.bin", kernel="", install=InstallMode.ALWAYS)
    assert World(inventory(systems=(lady,))).boot(LADY, options).file == b"odd.bin"


# (what, vendor class, option 93, the target's processor)
D12_UBOOTS: list[tuple[str, bytes, bytes, str]] = [
    ("arm64", b"U-Boot.armv8", b"\0\x16", "aarch64"),
    ("arm32", b"U-Boot.armv7", b"\0\x15", "arm"),
    ("arm64, its class alone", b"U-Boot.armv8", b"", "aarch64"),
    ("arm32, its class alone", b"U-Boot.arm", b"", "arm"),
    ("riscv64 with UEFI's number", b"U-Boot", b"\0\x1b", "riscv64"),
    ("riscv64, its class alone", b"U-Boot", b"", "riscv64"),
    ("its number alone", b"", b"\0\x16", "aarch64"),
]


@named("cls, number, arch", D12_UBOOTS)
def test_d12_uboot_gets_the_server_and_its_own_path(cls: bytes, number: bytes, arch: str) -> None:
    options = {**({60: cls} if cls else {}), **({93: number} if number else {})}
    lady = system("lady", LADY, "10.77.0.14/24", arch=arch)
    ack = World(inventory(systems=(lady,))).boot(LADY, options)
    assert (ack.siaddr, ack.options[66], ack.sname) == (SERVER, b"10.77.0.1", b"10.77.0.1")
    assert (ack.file, 67 in ack.options, 43 in ack.options, 60 in ack.options) == (b"", False, False, False)


def test_d12_uboot_for_another_processor_gets_nothing() -> None:
    lady = system("lady", LADY, "10.77.0.14/24", arch="riscv64")
    assert int(World(inventory(systems=(lady,))).boot(LADY, {60: b"U-Boot.armv8", 93: b"\0\x16"}).siaddr) == 0


def test_d12_long_names_go_in_option_67_alone() -> None:
    name = "a" * 200
    ack = World(inventory(systems=(system("lady", LADY, "10.77.0.14/24", filename=name),))).boot(LADY, PXE_BIOS)
    assert (ack.options[67].decode(), ack.file) == (name, b"")


@pytest.mark.parametrize("state", [InstallState.LOCAL, InstallState.INSTALLED, InstallState.FAILED])
def test_d12_local_boot_is_a_plain_address(world: World, state: InstallState) -> None:
    world.installs["lady"] = InstallRecord(state)
    ack = world.boot(LADY, PXE_UEFI)
    assert ack.yiaddr == LADY_IP
    assert not {43, 60, 66, 67, 97} & set(ack.options)
    assert (int(ack.siaddr), ack.file, ack.sname) == (0, b"", b"")


def test_d12_a_third_fetch_within_a_minute_gets_no_loader(world: World) -> None:
    for xid in (1, 2):
        assert world.boot(LADY, PXE_UEFI, xid=xid).file
        world.boot(LADY, PXE_UEFI, xid=xid)  # a repeated packet is one time
        world.now += 10
    outcome = world.discover(LADY, PXE_UEFI, xid=3)
    assert not reply(outcome).file
    assert "boot loop" in outcome.event.settled
    world.now += 60
    assert world.boot(LADY, PXE_UEFI, xid=4).file


def test_d12_next_server_and_our_address() -> None:
    lady = system("lady", LADY, "10.77.0.14/24", next_server=ip("10.77.0.9"))
    world = World(inventory(systems=(lady,), server=ServerSettings(address=ip("192.0.2.1"))))
    bios, ipxe = world.boot(LADY, PXE_BIOS), world.boot(LADY, IPXE, xid=9)
    assert (bios.siaddr, bios.options[66]) == (ip("10.77.0.9"), b"10.77.0.9")
    assert ipxe.file.startswith(b"http://192.0.2.1/ipxe/")
    assert bios.address(54) == SERVER  # renewals go to the interface


def test_d14_http_client_has_dns(world: World) -> None:
    ack = world.boot(LADY, {**HTTP_UEFI, 55: bytes((1, 3, 6, 60, 67))})
    assert 6 in ack.options
    assert ack.options[60] == b"HTTPClient"


def test_d16_relayed_machines_get_their_subnets_addresses(world: World) -> None:
    ack = world.boot(STRANGER, PXE_BIOS, giaddr=RELAY)
    assert ack.yiaddr in SUBNETS[1].subnet
    assert ack.options[3] == ip("10.88.0.1").packed


def test_d16_unknown_relay(world: World) -> None:
    outcome = world.discover(STRANGER, giaddr=ip("192.0.2.1"))
    assert (outcome.reply, outcome.event.reason) == (None, Reason.DHCP_NO_SUBNET)


def test_d16_a_declared_machine_in_a_foreign_subnet_gets_an_address_there(world: World) -> None:
    assert world.boot(LADY, giaddr=RELAY).yiaddr in SUBNETS[1].subnet


def test_d16_two_subnets_on_one_interface() -> None:
    upper = subnet("10.99.0.0/24")
    world = World(inventory(subnets=(*SUBNETS, upper), systems=(system("lady", LADY, "10.99.0.14/24"),)))
    both = (IPv4Interface("10.77.0.1/24"), IPv4Interface("10.99.0.1/24"))
    world.arrival = replace(world.arrival, addresses=both)
    assert world.boot(LADY).yiaddr == ip("10.99.0.14")
    assert world.boot(STRANGER).yiaddr in SUBNETS[0].subnet


def test_d17_ipv6_only_preferred() -> None:
    net = subnet("10.77.0.0/24", "10.77.0.100", "10.77.0.109", v6only=60)
    world = World(inventory(subnets=(net,)))
    assert world.boot(STRANGER, {55: bytes((1, 108))}).options[108] == (300).to_bytes(4, "big")  # RFC 8925's minimum
    assert 108 not in world.boot(STRANGER, {55: b"\1"}).options


def test_lease_times(world: World) -> None:
    ack = world.boot(STRANGER)
    assert [int.from_bytes(ack.options[c], "big") for c in (51, 58, 59)] == [3600, 1800, 3150]
    for asked, given in ((600, 600), (1, 120), (0xFFFFFFFF, 3600)):
        ack = world.boot(STRANGER, {51: asked.to_bytes(4, "big")})
        assert int.from_bytes(ack.options[51], "big") == given


def test_reserved_mode() -> None:
    world = World(inventory(DhcpMode.RESERVED))
    outcome = world.discover(STRANGER)
    assert (outcome.reply, outcome.event.reason) == (None, Reason.MODE_RESERVED)
    assert world.boot(LADY).yiaddr == LADY_IP
    assert world.boot(TRAMP).yiaddr in SUBNETS[0].subnet


def test_off() -> None:
    assert World(inventory(DhcpMode.OFF)).discover(LADY).reply is None


def test_declared_options() -> None:
    lady = system("lady", LADY, "10.77.0.14/24", name_servers=(ip("9.9.9.9"),), gateway=ip("10.77.0.254"))
    ack = World(inventory(systems=(lady,))).boot(LADY, {55: bytes((3, 6, 12))})
    assert (ack.options[3], ack.options[6]) == (ip("10.77.0.254").packed, ip("9.9.9.9").packed)
    assert ack.options[12] == b"lady.example.org"


CISCO = b"ciscopnp"
ZTP = (
    ClientOptions("", ((67, b"all.cfg"), (224, b"all"))),
    ClientOptions("cisco", ((43, b"\1\2"), (67, b"cisco.cfg"))),
    ClientOptions("", ((2, bytes(4)),)),
)

# (what, vendor class, further fields, what it gets of 2, 43, 67 and 224)
CLIENT_OPTIONS: list[tuple[str, dict[int, bytes], dict[str, Any], dict[int, bytes]]] = [
    ("no class", {}, {}, {2: bytes(4), 67: b"all.cfg", 224: b"all"}),
    ("its class", {60: CISCO}, {}, {2: bytes(4), 43: b"\1\2", 67: b"cisco.cfg", 224: b"all"}),
    ("another class", {60: b"udhcp"}, {}, {2: bytes(4), 67: b"all.cfg", 224: b"all"}),
    ("a class in capitals is another", {60: b"CISCO"}, {}, {2: bytes(4), 67: b"all.cfg", 224: b"all"}),
    ("its class before its filename", {60: CISCO}, {"filename": "x"},
     {2: bytes(4), 43: b"\1\2", 67: b"cisco.cfg", 224: b"all"}),
    ("filename before what is for all", {}, {"filename": "x"}, {2: bytes(4), 67: b"x", 224: b"all"}),
    ("firmware keeps what boots it", PXE_BIOS, {},
     {2: bytes(4), 43: b"\6\1\x08\xff", 67: b"pxelinux.0", 224: b"all"}),
]  # fmt: skip


@named("options, fields, gets", CLIENT_OPTIONS)
@pytest.mark.parametrize("subnets_profile", [False, True])
def test_options_of_a_system_and_of_a_profile(
    subnets_profile: bool, options: dict[int, bytes], fields: dict[str, Any], gets: dict[int, bytes]
) -> None:
    """Declared for the machine itself, or for what unknown ones boot in its subnet. Asked for or not."""
    lady = system("lady", LADY, "10.77.0.14/24", dhcp_options=ZTP, **fields)
    inv = inventory(systems=(lady,))
    if subnets_profile:
        net = replace(SUBNETS[0], profile="web")
        inv = inventory(subnets=(net,), systems=(replace(lady, kind="profile", name="web", interfaces=()),))
    world = World(inv)
    for _ in range(2):  # the second is remembered
        got = world.boot(LADY, {**options, 55: b"\1"})
        assert {code: octets for code, octets in got.options.items() if code in (2, 43, 67, 224)} == gets
    world.boot(LADY, {60: b"another", 55: b"\1"})
    assert world.boot(LADY, {**options, 55: b"\1"}, xid=8).options[67] == gets[67]


def test_a_systems_options_replace_its_subnets() -> None:
    net = replace(SUBNETS[0], options={224: b"subnet", 225: b"subnet"})
    own = (ClientOptions("", ((224, b"lady"), (28, b"\1\1\1\1"))),)
    lady = system("lady", LADY, "10.77.0.14/24", dhcp_options=own)
    got = World(inventory(subnets=(net,), systems=(lady,))).boot(LADY, {55: b"\1"})
    assert (got.options[224], got.options[225], got.options[28]) == (b"lady", b"subnet", b"\1\1\1\1")


HOSTNAMES = [
    (b"web-1.example.org", "web-1.example.org"),
    (b"a;rm -rf /\n{{x}}", "arm-rfx"),
    (b"\0\0", ""),
    (b"", ""),
    (b"-.-", ""),
    ("bücher".encode(), "bcher"),
]


@pytest.mark.parametrize(("sent", "kept"), HOSTNAMES)
def test_hostnames_are_cleaned(world: World, sent: bytes, kept: str) -> None:
    assert world.stored[world.boot(STRANGER, {12: sent}).yiaddr].hostname == kept


UNSUPPORTED = [2, 5, 6, 9, 10, 13, 0, 255]


@pytest.mark.parametrize("kind", UNSUPPORTED)
def test_unsupported_types(world: World, kind: int) -> None:
    outcome = world.ask(kind)
    assert (outcome.reply, outcome.event.reason) == (None, Reason.DHCP_UNSUPPORTED)


def test_replies_of_others_are_not_answered(world: World) -> None:
    data = bytearray(question(OFFER))
    data[0] = 2
    assert world.send(bytes(data)).event.reason is Reason.DHCP_UNSUPPORTED


def test_events_say_what_happened(world: World) -> None:
    event = world.discover(LADY, PXE_BIOS, secs=4).event
    detail = dict(event.detail)
    assert (event.kind, event.reason, event.system) == (Kind.DHCP_OFFER, Reason.DHCP_OK, "lady")
    assert (event.mac, event.ip, event.name, event.xid) == (LADY, str(LADY_IP), "pxelinux.0", 0x1234)
    assert (detail["type"], detail["loader"], detail["arch"], detail["secs"]) == ("discover", "firmware", "bios", "4")
    assert detail["vendor_class"].startswith("PXEClient")
    assert "matched system lady" in event.trace[0]
    assert event.text == f"offers {LADY_IP} (declared) and pxelinux.0"
    assert event.stage == "loader"
    assert event.at == NOW


def test_claiming_a_declared_address_makes_nobody_that_system(world: World) -> None:
    outcome = world.ask(DISCOVER, STRANGER, PXE_BIOS, ciaddr=LADY_IP)
    assert outcome.event.system == ""
    assert not reply(outcome).file


def test_pxe_in_a_subnet_without_ranges() -> None:
    world = World(inventory(subnets=(subnet("10.77.0.0/24"),)))
    outcome = world.discover(STRANGER)
    assert outcome.event.reason is Reason.DHCP_POOL_EMPTY
    assert "no range:" in outcome.event.text
    assert world.boot(LADY).yiaddr == LADY_IP


def test_system_without_kernel_still_gets_an_address() -> None:
    world = World(inventory(systems=(system("lady", LADY, "10.77.0.14/24", kernel="", install=InstallMode.ONCE),)))
    assert world.boot(LADY, PXE_BIOS).yiaddr == LADY_IP
