"""The PXE fields: D8, D10, D11, D12."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from dhcp_world import NOW, SERVER, World, question, reply
from hypothesis import given
from hypothesis import strategies as st

from netprov.boot.request import Loader, Via
from netprov.dhcp import pxe
from netprov.dhcp.classify import Arrival, classify
from netprov.dhcp.packet import DISCOVER, Packet, parse
from netprov.dhcpoptions.types import Type

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
    ({60: b"U-Boot.armv8"}, 22),
    ({60: b"U-Boot.armv7"}, 21),
    ({60: b"U-Boot.arm"}, 21),
    ({60: b"U-Boot"}, None),
    ({93: b"\0\0", 97: b"\0RPi5" + bytes(12)}, 41),
    ({93: b"\0\7", 97: b"\0RPi5" + bytes(12)}, 7),
    ({93: b"\0\0", 97: b"RPi5"}, 0),
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
    ({60: b"U-Boot"}, Loader.FIRMWARE),
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
