"""Other DHCP servers, overheard: what counts as one, and how often it is told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.boot.reason import Reason
from netprov.datagram import datagram
from netprov.dhcp.overhear import AGAIN, Overheard, replies
from netprov.dhcp.packet import ACK, BOOTREPLY, BOOTREQUEST, NAK, OFFER, Packet, encode
from netprov.journal.event import Event, Kind

RIVAL, OURS, CLIENT = IPv4Address("10.9.0.2"), IPv4Address("10.9.0.1"), IPv4Address("10.9.0.60")
MAC = b"\x52\x54\x00\x77\x99\x01"
BROADCAST = IPv4Address("255.255.255.255")


def packet(source: IPv4Address = RIVAL, port: int = 68, options: Mapping[int, bytes] = {}, **fields: Any) -> bytes:
    given = {"op": BOOTREPLY, "yiaddr": CLIENT, "chaddr": b"\x02\0\0\0\0\x07".ljust(16, b"\0"), **fields}
    reply = Packet(options={53: bytes([OFFER]), 54: source.packed, **options}, **given)
    return datagram(source, 67, BROADCAST, port, encode(reply))


def heard(data: bytes, overheard: Overheard | None = None, now: float = 1000.0) -> Event | None:
    return (overheard or Overheard()).receive(data, "br9", MAC, [OURS], now)


def test_g15_an_offer() -> None:
    event = heard(packet(options={67: b"evil\x1b[31m.0"}))
    assert event is not None
    assert (event.kind, event.reason, event.at) == (Kind.SERVER, Reason.DHCP_RIVAL, 1000.0)
    assert event.text == "another DHCP server, 10.9.0.2, offered 10.9.0.60 on br9"
    assert dict(event.detail) == {
        "server": "10.9.0.2", "server_mac": "52:54:00:77:99:01", "interface": "br9", "type": "offer",
        "client": "02:00:00:00:00:07", "file": "evil\x1b[31m.0",
    }  # fmt: skip
    # it belongs to no machine's boot
    assert not event.mac
    assert not event.ip
    assert not event.peer


NOBODY: dict[str, Any] = {"yiaddr": IPv4Address(0)}
KINDS = [
    # the packet, what it is told as; None: not at all
    (packet(options={53: bytes([ACK])}), "ack"),
    (packet(options={53: bytes([NAK])}, **NOBODY), "nak"),
    (packet(options={60: b"PXEClient"}, **NOBODY), "proxy"),
    (packet(options={60: b"HTTPClient"}, **NOBODY), "proxy"),
    (packet(options={53: bytes([ACK])}, **NOBODY), None),  # the answer to an INFORM
    (packet(OURS), None),
    (packet(op=BOOTREQUEST), None),
    (packet(port=67), None),
    (packet()[:60], None),
    (b"", None),
    (bytes(400), None),
]


@pytest.mark.parametrize(("data", "kind"), KINDS)
def test_kinds(data: bytes, kind: str | None) -> None:
    event = heard(data)
    assert (event is not None and dict(event.detail)["type"]) == (kind or False)


def test_each_server_is_told_of_now_and_then() -> None:
    overheard = Overheard()
    told = [heard(packet(), overheard, now) is not None for now in (0.0, 1.0, AGAIN - 1, AGAIN, AGAIN + 1)]
    assert told == [True, False, False, True, False]
    assert heard(packet(IPv4Address("10.9.0.3")), overheard, 2.0) is not None
    assert heard(packet(options={60: b"PXEClient"}, **NOBODY), overheard, 2.0) is not None


def test_a_flood_of_invented_servers_is_bounded() -> None:
    overheard = Overheard()
    for number in range(2000):
        heard(packet(IPv4Address(0x0A090100 + number)), overheard)
    assert len(overheard._told) == 256


@given(st.binary(max_size=400))
def test_garbage(data: bytes) -> None:
    heard(data)
    heard(datagram(RIVAL, 67, BROADCAST, 68, data))


def test_the_socket_hears_nothing_else() -> None:
    if os.geteuid() != 0:
        assert replies() is None
        return
    sock = replies()
    assert sock is not None
    sock.setblocking(False)
    with sock:
        for _ in range(100):  # what came before the filter was there
            try:
                sock.recv(100)
            except BlockingIOError:
                break
        with pytest.raises(BlockingIOError):
            sock.recv(100)
