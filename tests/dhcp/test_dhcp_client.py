"""Our client, in memory, against our server and against what servers do wrong; and the frames it sends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from dhcp_world import (
    HTTP_UEFI,
    LADY,
    LADY_IP,
    PXE_BIOS,
    PXE_UEFI,
    SERVER,
    STRANGER,
    World,
    inventory,
    ip,
    subnet,
)
from hypothesis import given
from hypothesis import strategies as st

from netprov.datagram import checksum, datagram, parse_datagram
from netprov.dhcp.client import BROADCAST, PROXY_WAIT, Ask, DhcpClient, Sending, Stage
from netprov.dhcp.destination import Broadcast, Unicast
from netprov.dhcp.packet import ACK, DISCOVER, NAK, REQUEST, encode, parse
from netprov.inventory.model import DhcpMode

XID = 0xABCD0123


class Side:
    """A server the client talks to, and the port it is heard from."""

    def __init__(self, world: World) -> None:
        self.world = world

    def hear(self, sending: Sending, client_ip: IPv4Address) -> list[tuple[bytes, int]]:
        if sending.server not in (BROADCAST, SERVER):
            return []
        arrival = {"port": sending.port, "unicast": sending.server != BROADCAST, "peer": client_ip}
        outcome = self.world.send(sending.data, **arrival)
        if outcome.reply is None:
            return []
        assert outcome.reply.destination in (Broadcast(), Unicast(client_ip, 68))
        return [(outcome.reply.data, sending.port)]


def play(client: DhcpClient, *sides: Side) -> None:
    """Lets them talk until the client is done; time passes when nobody says anything."""
    now = 0.0
    queue = client.start(now)
    while client.deadline is not None:
        here = client.address or ip("0.0.0.0")
        answers = [a for sending in queue for side in sides for a in side.hear(sending, here)]
        queue = [s for data, port in answers for s in client.receive(data, port, now)]
        if not queue and client.deadline is not None:
            now = client.deadline
            queue = client.tick(now)


@pytest.mark.parametrize(
    ("options", "name"),
    [(PXE_BIOS, "pxelinux.0"), (PXE_UEFI, "shimx64.efi"), (HTTP_UEFI, "http://10.77.0.1/files/ipxe.efi"), ({}, "")],
)
def test_full(options: dict[int, bytes], name: str) -> None:
    client = DhcpClient(Ask(LADY, options), XID)
    play(client, Side(World()))
    assert client.bound is not None
    assert (client.bound.ip, client.bound.boot_file) == (LADY_IP, name)
    assert client.bound.next_server == (SERVER if name else None)
    assert client.stage is Stage.BOUND


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    ("options", "name"),
    [(PXE_BIOS, "pxelinux.0"), (PXE_UEFI, "ipxe.efi"), (HTTP_UEFI, "http://10.77.0.1/files/ipxe.efi")],
)
def test_d15_addresses_from_another_server(options: dict[int, bytes], name: str, first: int) -> None:
    """Whichever is heard first: the two answers become one boot."""
    plain = World(inventory(systems=(), subnets=(subnet("10.77.0.0/24", "10.77.0.150", "10.77.0.159"),)))
    plain.arrival = replace(plain.arrival, server=ip("10.77.0.2"))
    sides = [Side(plain), Side(World(inventory(DhcpMode.PROXY)))]
    client = DhcpClient(Ask(LADY, options), XID)
    play(client, *(sides if first else reversed(sides)))
    assert client.bound is not None
    assert client.bound.ip == ip("10.77.0.150")
    assert (client.bound.boot_file, client.bound.next_server) == (name, SERVER)


def test_nobody_answers() -> None:
    client = DhcpClient(Ask(LADY), XID)
    sent: list[Sending] = client.start(0.0)
    while client.deadline is not None:
        sent += client.tick(client.deadline)
    assert [parse(s.data).secs for s in sent] == [0, 1, 3, 7]
    assert client.failure == "no DHCP server answered"
    assert client.tick(1e9) == []


def test_waits_for_a_proxy_but_not_for_ever() -> None:
    world = World()
    client = DhcpClient(Ask(STRANGER, PXE_BIOS), XID)  # gets an address and nothing to boot
    (sending,) = client.start(0.0)
    outcome = world.send(sending.data)
    assert outcome.reply is not None
    assert client.receive(outcome.reply.data, 67, 0.1) == []
    assert client.deadline == pytest.approx(0.1 + PROXY_WAIT)
    assert parse(client.tick(0.1 + PROXY_WAIT)[0].data).type == REQUEST


def test_who_wants_no_boot_file_does_not_wait() -> None:
    client = DhcpClient(Ask(STRANGER, boots=False), XID)
    play(client, Side(World()))
    assert client.bound is not None
    assert client.bound.boot is None


def test_a_nak_begins_anew() -> None:
    client = DhcpClient(Ask(LADY), XID)
    offer = World().send(client.start(0.0)[0].data)
    assert offer.reply is not None
    client.receive(offer.reply.data, 67, 0.0)
    client.tick(PROXY_WAIT)
    nak = encode(replace(parse(offer.reply.data), options={53: bytes((NAK,)), 54: SERVER.packed}))
    assert parse(client.receive(nak, 67, 1.0)[0].data).type == DISCOVER


STRAYS: Iterable[dict[str, object]] = [
    {"xid": XID + 1},
    {"op": 1},
    {"chaddr": bytes(16)},
    {"options": {53: bytes((ACK,))}},
    {"options": {}},
]


@pytest.mark.parametrize("change", STRAYS)
def test_strays_are_passed_over(change: dict[str, object]) -> None:
    client = DhcpClient(Ask(LADY), XID)
    world = World()
    outcome = world.send(client.start(0.0)[0].data)
    assert outcome.reply is not None
    stray = encode(replace(parse(outcome.reply.data), **change))  # type: ignore[arg-type]
    assert client.receive(stray, 67, 0.0) == []
    assert client.stage is Stage.DISCOVER
    client.receive(outcome.reply.data, 67, 0.0)
    assert client._offer is not None


@given(st.lists(st.binary(max_size=400), max_size=5))
def test_anything_may_come(packets: list[bytes]) -> None:
    client = DhcpClient(Ask(LADY), XID)
    client.start(0.0)
    for data in packets:
        client.receive(data, 67, 0.0)


@given(st.binary(max_size=600))
def test_frame_round_trip(payload: bytes) -> None:
    packet = datagram(SERVER, 67, LADY_IP, 68, payload)
    got = parse_datagram(packet)
    assert got is not None
    assert (got.source, got.port, got.destination, got.to_port, got.payload) == (SERVER, 67, LADY_IP, 68, payload)
    assert checksum(packet[:20]) in (0, 0xFFFF)  # RFC 1071: over itself it comes to nothing
    pseudo = packet[12:20] + bytes((0, 17)) + (len(packet) - 20).to_bytes(2, "big")
    assert checksum(pseudo + packet[20:]) in (0, 0xFFFF)


@given(st.binary(max_size=80))
def test_any_frame(packet: bytes) -> None:
    parse_datagram(packet)


@pytest.mark.parametrize(
    ("data", "total"),
    [
        (b"", 0xFFFF),
        (b"\0\1", 0xFFFE),
        (b"\xff\xff", 0xFFFF),
        (b"\1", 0xFEFF),
        (bytes.fromhex("0001f203f4f5f6f7"), 0x220D),
    ],
)
def test_checksum(data: bytes, total: int) -> None:
    """RFC 1071 §3's example, and the edges."""
    assert checksum(data) % 0xFFFF == total % 0xFFFF


def test_frames_that_are_not_whole() -> None:
    whole = datagram(SERVER, 67, LADY_IP, 68, b"payload")
    assert parse_datagram(whole[:-1]) is None
    assert parse_datagram(whole[:6] + b"\x20\0" + whole[8:]) is None  # a fragment
    assert parse_datagram(whole[:9] + b"\6" + whole[10:]) is None  # TCP
    assert parse_datagram(whole + b"ethernet's padding") is not None
