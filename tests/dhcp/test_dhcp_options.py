"""The option table and the PXE fields: D7, D8, D10, D11, D12."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network

import pytest
from dhcp_world import NOW, SERVER, World, question, reply
from hypothesis import given
from hypothesis import strategies as st

from netprov.boot.request import Loader, Via
from netprov.dhcp import pxe
from netprov.dhcp.classify import Arrival, classify
from netprov.dhcp.options import BY_NAME, OPTIONS, Type, decode_option, encode_option
from netprov.dhcp.packet import DISCOVER, Packet, parse
from netprov.errors import PeerError

a, b = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")

ROUND_TRIPS = [
    (1, IPv4Address("255.255.255.0"), b"\xff\xff\xff\0"),
    (3, (a, b), b"\x0a\0\0\1\x0a\0\0\2"),
    (2, -3600, b"\xff\xff\xf1\xf0"),
    (12, "lady", b"lady"),
    (19, True, b"\1"),
    (26, 9000, b"\x23\x28"),
    (33, ((a, b),), b"\x0a\0\0\1\x0a\0\0\2"),
    (51, 3600, b"\0\0\x0e\x10"),
    (53, 5, b"\5"),
    (55, (1, 3, 6), b"\1\3\6"),
    (77, (b"iPXE", b"x"), b"\4iPXE\1x"),
    (93, (0, 7), b"\0\0\0\7"),
    (119, ("a.example.org", "b"), b"\1a\7example\3org\0\1b\0"),
    (121, ((IPv4Network("10.17.0.0/16"), a), (IPv4Network("0.0.0.0/0"), b)), b"\x10\x0a\x11\x0a\0\0\1\0\x0a\0\0\2"),
    (200, b"\1\2", b"\1\2"),  # not in the table
]


@pytest.mark.parametrize(("code", "value", "octets"), ROUND_TRIPS)
def test_d7_types(code: int, value: object, octets: bytes) -> None:
    assert encode_option(code, value) == octets
    assert decode_option(code, octets) == value


MALFORMED = [
    (1, b"\1\2"),
    (3, b""),
    (3, b"\1\2\3\4\5"),
    (51, b"\1"),
    (93, b"\0"),
    (119, b"\5ab"),
    (119, b"\xc0\0"),  # points at itself
    (119, b"\1a\xc0\7"),  # points forward
    (119, b"\1a"),
    (121, b"\x21\1\2\3\4\5\6\7\x08"),
    (121, b"\x20\1\2"),
]


@pytest.mark.parametrize(("code", "octets"), MALFORMED)
def test_d7_malformed(code: int, octets: bytes) -> None:
    with pytest.raises(PeerError, match=f"option {code}"):
        decode_option(code, octets)


def test_d7_compressed_names() -> None:
    assert decode_option(119, b"\1a\7example\3org\0\1b\xc0\2") == ("a.example.org", "b.example.org")


@given(st.integers(0, 255), st.binary(max_size=64))
def test_only_peer_error_leaves(code: int, octets: bytes) -> None:
    with suppress(PeerError):
        decode_option(code, octets)


def test_table_is_sound() -> None:
    assert len(BY_NAME) == len(OPTIONS)
    assert all(option.code == code and 0 < code < 255 for code, option in OPTIONS.items())


D11_USER_CLASSES = [
    (b"iPXE", (b"iPXE",)),
    (b"\4iPXE", (b"iPXE",)),
    (b"\4iPXE\3abc", (b"iPXE", b"abc")),
    (b"\4iPX", (b"\4iPX",)),
    (b"\0", (b"\0",)),
]


@pytest.mark.parametrize(("octets", "classes"), D11_USER_CLASSES)
def test_d11_user_class(octets: bytes, classes: tuple[bytes, ...]) -> None:
    assert pxe.user_class(Packet(options={77: octets})) == classes


IPXES = [
    ({77: b"iPXE"}, True),
    ({77: b"\4iPXE"}, True),
    ({77: b"gPXE"}, True),
    ({175: b"\x13\1\1"}, True),
    ({175: b""}, True),
    ({60: b"PXEClient", 77: b"xNBA"}, False),
    ({}, False),
]


@pytest.mark.parametrize(("options", "ipxe"), IPXES)
def test_d11_ipxe_is_known(options: dict[int, bytes], ipxe: bool) -> None:
    assert pxe.is_ipxe(Packet(options=options)) is ipxe


WIRE = bytes.fromhex("33221100554477668899aabbccddeeff")
D12_UUIDS = [
    (b"\0" + WIRE, "00112233-4455-6677-8899-aabbccddeeff"),
    (b"", ""),
    (WIRE, ""),
    (b"\1" + WIRE, ""),
    (b"\0" + WIRE + b"\0", ""),
    (b"\0" + bytes(16), ""),  # edk2 without a board's GUID
    (b"\0" + b"\xff" * 16, ""),
    (b"\0" + bytes.fromhex("00020003000400050006000700080009"), ""),  # a board nobody named
]


@pytest.mark.parametrize(("octets", "uuid"), D12_UUIDS)
def test_d12_uuid(octets: bytes, uuid: str) -> None:
    assert pxe.client_uuid(Packet(options={97: octets})) == uuid


D12_ARCHS = [
    ({93: b"\0\7"}, 7),
    ({93: b"\0\7\0\0"}, 7),
    ({93: b"\0\x63\0\x0b"}, 11),  # the first that anything boots on
    ({93: b"\0\x63"}, 0x63),
    ({93: b"\7"}, None),
    ({60: b"PXEClient:Arch:00009:UNDI:003016"}, 9),
    ({60: b"HTTPClient:Arch:00016:UNDI:003001"}, 16),
    ({60: b"PXEClient:Arch:xxxxx"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("options", "arch"), D12_ARCHS)
def test_d12_arch(options: dict[int, bytes], arch: int | None) -> None:
    assert classify(Packet(options=options), Arrival("eth0", SERVER), Via.DHCP).arch == arch


LOADERS = [
    ({60: b"PXEClient:Arch:00000"}, Loader.FIRMWARE),
    ({60: b"HTTPClient:Arch:00016"}, Loader.FIRMWARE),
    ({60: b"U-Boot.armv8", 93: b"\0\x16"}, Loader.FIRMWARE),
    ({60: b"PXEClient", 77: b"iPXE"}, Loader.IPXE),
    ({60: b"MSFT 5.0"}, Loader.OS),
    ({60: b"udhcp 1.36"}, Loader.OS),
    ({}, Loader.OS),
]


@pytest.mark.parametrize(("options", "loader"), LOADERS)
def test_d12_loader(options: dict[int, bytes], loader: Loader) -> None:
    assert classify(Packet(options=options), Arrival("eth0", SERVER), Via.DHCP).loader is loader


def test_d8_relay_facts() -> None:
    info = b"\1\3eth\2\4\xde\xad\xbe\xef\5\4\x0a\x58\0\0\x0b\4\x0a\x58\0\1"
    data = question(DISCOVER, options={82: info}, giaddr=IPv4Address("172.16.0.1"))
    request = classify(parse(data), Arrival("eth0", SERVER), Via.DHCP)
    assert (request.circuit_id, request.remote_id) == (b"eth", b"\xde\xad\xbe\xef")
    assert request.relay == IPv4Address("10.88.0.0")  # link selection before giaddr


def test_d8_a_client_cannot_pretend_to_a_port() -> None:
    request = classify(parse(question(DISCOVER, options={82: b"\1\3eth"})), Arrival("eth0", SERVER), Via.DHCP)
    assert request.circuit_id == b""


def test_d10_duid_client_id_is_kept_and_echoed() -> None:
    duid = b"\xff\0\0\0\1" + b"\0\1\0\1" + bytes(10)
    assert reply(World(now=NOW).discover(options={61: duid})).options[61] == duid


def test_sub_options() -> None:
    assert pxe.sub_options(b"\0\6\1\x08\x47\4\0\0\0\0\xff\1\1x") == {6: b"\x08", 71: bytes(4)}
    assert pxe.sub_options(b"\6\1") == {}
    assert pxe.sub_options(b"\6") == {}
    assert pxe.encode_vendor({6: b"\x08", 71: b"\0\1\0\0"}) == b"\6\1\x08\x47\4\0\1\0\0\xff"


@given(st.binary(max_size=80))
def test_sub_options_of_anything(data: bytes) -> None:
    pxe.sub_options(data)
    Type.CLASSES.read(data)
