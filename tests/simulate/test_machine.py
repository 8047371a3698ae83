"""What a simulated machine says of itself, and how it takes answers apart."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from netprov.boot.programs import PROGRAMS, Runs
from netprov.mac import parse_mac
from netprov.simulate import packets
from netprov.simulate.machine import KINDS, Machine, dhcp_options

MAC = parse_mac("52:54:00:00:00:01")
UUID = "12345678-9abc-def0-1234-56789abcdef0"
GUID = bytes.fromhex("0078563412bc9af0de123456789abcdef0")  # SMBIOS keeps three fields little-endian

PC = b"PXEClient:Arch:00000:UNDI:002001"
VENDOR_CLASS = {
    "bios": PC, "ipxe": PC, "xen": PC, "uefi-x64": b"PXEClient:Arch:00007:UNDI:003000",
    "uefi-arm64": b"PXEClient:Arch:00011:UNDI:003000", "uefi-http": b"HTTPClient:Arch:00016:UNDI:003000",
}  # fmt: skip

# labs: the options each was seen to send beside 53 and 57, in its order
SENT = {
    "bios": [93, 94, 55, 60, 97],
    "ipxe": [93, 94, 60, 77, 55, 175, 61, 97],
    "xen": [60, 61, 77, 93, 94, 97, 55],
    "uefi-x64": [55, 97, 94, 93, 60],
    "uefi-arm64": [55, 97, 94, 93, 60],
    "uefi-http": [55, 97, 94, 93, 60],
}


@pytest.mark.parametrize("name", KINDS)
def test_each_firmware_sends_what_it_was_seen_to_send(name):
    kind = KINDS[name]
    options = dhcp_options(Machine(MAC, kind, uuid=UUID), kind.starts)
    assert [code for code, _ in options] == SENT[name]
    told = dict(options)
    assert told[93] == kind.arch.code.to_bytes(2, "big")
    assert told[60] == VENDOR_CLASS[name]
    assert told[97] == GUID


def test_blocks_fit_an_ethernet_frame():
    assert {runs for runs, row in PROGRAMS.items() if not row.blksize} == {Runs.UEFI_HTTP, Runs.KERNEL}
    assert all(8 <= row.blksize <= 1468 for row in PROGRAMS.values() if row.blksize)


def test_without_a_uuid_it_is_nobodys():
    assert dict(dhcp_options(Machine(MAC, KINDS["bios"]), Runs.ROM))[97] == bytes(17)


def test_a_declared_client_id_is_sent():
    machine = Machine(MAC, KINDS["uefi-x64"], client_id=b"\xff123")
    for runs in (Runs.UEFI, Runs.IPXE, Runs.KERNEL):
        assert dict(dhcp_options(machine, runs))[61] == b"\xff123"


def test_who_only_looks_says_so():
    looks = Machine(MAC, KINDS["uefi-x64"], preview=True)
    for runs in (Runs.ROM, Runs.UEFI, Runs.IPXE, Runs.XEN):
        assert dhcp_options(looks, runs)[-1] == (250, b"netprov-preview")


def test_the_kernel_asks_with_another_client_id_and_no_pxe():
    told = dict(dhcp_options(Machine(MAC, KINDS["ipxe"]), Runs.KERNEL))
    assert set(told) == {55, 61}
    assert told[61] == bytes.fromhex("ff0000000100030001525400000001")


def answer(*options, **fields):
    boot = BOOTP(op=2, xid=7, yiaddr="10.0.0.5", **fields)
    packet = Ether() / IP(src="10.0.0.1", dst="255.255.255.255") / UDP(sport=67, dport=68) / boot
    return packets.read_frame(bytes(packet / DHCP(options=[("message-type", "offer"), *options, "end"])))


def test_a_question_can_be_read_again():
    payload = packets.question(MAC, 7, "discover", [(60, b"PXEClient"), (93, b"\0\7")], secs=70000)
    boot = BOOTP(payload)
    assert (boot.xid, boot.secs, boot.flags, boot.chaddr[:6].hex(":")) == (7, 0xFFFF, 0x8000, MAC)
    framed = Ether(packets.frame(MAC, payload))
    assert (framed.src, framed.dst, framed[IP].src, framed[UDP].dport) == (MAC, "ff:ff:ff:ff:ff:ff", "0.0.0.0", 67)
    assert bytes(framed[UDP].payload) == payload


def test_an_answer_is_taken_apart():
    got = answer(("server_id", "10.0.0.2"), ("router", "10.0.0.1"), ("name_server", "10.0.0.3", "10.0.0.4"),
                 ("lease_time", 60), (67, b"a.efi\0"), (60, b"PXEClient"), siaddr="10.0.0.9", file=b"b")  # fmt: skip
    assert (got.kind, got.xid, str(got.yiaddr), str(got.server_id)) == (packets.OFFER, 7, "10.0.0.5", "10.0.0.2")
    assert (got.boot_file, got.file, str(got.boot_server), got.vendor_class) == ("a.efi", "b", "10.0.0.9", "PXEClient")
    assert got.addresses(6) == (IPv4Address("10.0.0.3"), IPv4Address("10.0.0.4"))
    assert (got.number(51), got.address(3), got.address(42)) == (60, IPv4Address("10.0.0.1"), None)


@pytest.mark.parametrize(
    ("options", "fields", "server"),
    [
        ([(66, b"10.0.0.8")], {}, "10.0.0.8"),
        ([(66, b"tftp.example")], {"sname": b"10.0.0.7"}, "10.0.0.7"),
        ([("server_id", "10.0.0.2")], {}, "10.0.0.2"),
        ([], {}, "10.0.0.1"),
    ],
)
def test_where_the_boot_file_is(options, fields, server):
    assert str(answer(*options, **fields).boot_server) == server


@pytest.mark.parametrize(
    ("vendor", "uses"),
    [(b"\6\1\x08\xff", True), (b"\0\6\1\x0b", True), (b"\6\1\x07\xff", False), (b"\x09\2ab\6\1\x08", True),
     (b"\xff\6\1\x08", False), (b"\6", False), (b"\6\0", False)],
)  # fmt: skip
def test_discovery_control(vendor, uses):
    assert answer((43, vendor)).uses_bootfile == uses


@given(st.binary(max_size=700))
def test_whatever_comes_it_is_an_answer_or_nothing(data):
    head = bytes(Ether() / IP(src="10.0.0.1", dst="255.255.255.255") / UDP(sport=67, dport=68))
    for frame in (data, head + data, head + b"\2" + bytes(235) + b"\x63\x82\x53\x63" + data):
        got = packets.read_frame(frame)
        if got is not None:
            assert isinstance(got.boot_file, str)
            assert isinstance(got.uses_bootfile, bool)
            assert int(got.boot_server) >= 0
            assert isinstance(got.addresses(6), tuple)
