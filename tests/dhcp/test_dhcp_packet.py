"""The codec: D3, D7, and that nothing but PeerError leaves it."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address

import pytest
from dhcp_world import named, question
from hypothesis import given
from hypothesis import strategies as st

from netprov.dhcp.packet import (
    ANY,
    COOKIE,
    DISCOVER,
    MAX_MESSAGE,
    MIN_MESSAGE,
    Packet,
    encode,
    message_limit,
    parse,
)
from netprov.errors import PeerError

HEADER = bytes((1, 1, 6, 0)) + bytes(232)


def packet(*options: bytes, sname: bytes = b"", file: bytes = b"") -> bytes:
    head = HEADER[:44] + sname.ljust(64, b"\0") + file.ljust(128, b"\0")
    return head + COOKIE + b"".join(options)


D7_READING = [
    ("pads", (b"\0\0\x35\1\1\0\0\0\x3d\2ab\xff",), {53: b"\1", 61: b"ab"}),
    ("missing END", (b"\x35\1\1",), {53: b"\1"}),
    ("nothing after END counts", (b"\x35\1\1\xff\x3d\1a",), {53: b"\1"}),
    ("last option cut short", (b"\x35\1\1\x3d\7ab",), {53: b"\1"}),
    ("length octet missing", (b"\x35\1\1\x3d",), {53: b"\1"}),
    ("length 0", (b"\x35\1\1\x0c\0\xff",), {53: b"\1", 12: b""}),
    ("twice: RFC 3396 joins", (b"\x35\1\1\x2b\2ab\x0c\1h\x2b\2cd\xff",), {53: b"\1", 43: b"abcd", 12: b"h"}),
]


@named("octets, options", D7_READING)
def test_d7_reading(octets: tuple[bytes, ...], options: dict[int, bytes]) -> None:
    assert parse(packet(*octets)).options == options


D7_OVERLOAD = [
    (1, {12: b"file", 43: b"Ab"}, b"sname", b""),
    (2, {12: b"sn", 43: b"Ad"}, b"", b"\x0c\4file\x2b\1b\xff"),
    (3, {12: b"filesn", 43: b"Abd"}, b"", b""),  # RFC 3396 §5: options, file, sname
    (0, {43: b"A"}, b"\x0c\2sn\x2b\1d\xff", b"\x0c\4file\x2b\1b\xff"),
    (9, {12: b"file", 43: b"Ab"}, b"sname", b""),
]


@pytest.mark.parametrize(("which", "options", "sname", "file"), D7_OVERLOAD)
def test_d7_overload(which: int, options: dict[int, bytes], sname: bytes, file: bytes) -> None:
    in_sname = b"sname" if not which & 2 and which else b"\x0c\2sn\x2b\1d\xff"
    got = parse(packet(bytes((52, 1, which)), b"\x2b\1A\xff", sname=in_sname, file=b"\x0c\4file\x2b\1b\xff"))
    assert got.options == options
    assert (got.sname, got.file) == (sname.split(b"\0")[0], file.split(b"\0")[0])


D7_REFUSED = [
    (b"", "octets are too few"),
    (bytes(235), "octets are too few"),
    (b"\3" + HEADER[1:] + COOKIE, "op 3"),
    (b"\1\1\x11" + HEADER[3:] + COOKIE, "17 octets"),
    (HEADER + b"nope", "magic cookie"),
    (HEADER, "magic cookie"),
]


@pytest.mark.parametrize(("data", "text"), D7_REFUSED)
def test_d7_not_dhcp(data: bytes, text: str) -> None:
    with pytest.raises(PeerError, match=text):
        parse(data)


def test_d6_bootp_without_cookie() -> None:
    got = parse(HEADER + b"vendor".ljust(64, b"\0"))
    assert got.type is None
    assert got.options == {}


def test_d6_minimum_length() -> None:
    assert len(encode(Packet())) == 300


def test_d7_long_options_are_split() -> None:
    value = bytes(range(256)) * 2
    data = encode(Packet(options={53: b"\1", 43: value}), MAX_MESSAGE)
    assert data.count(b"\x2b\xff" + value[:255]) == 1
    assert parse(data).options == {53: b"\1", 43: value}


def test_d7_boot_file_is_followed_by_a_pad() -> None:
    """netboot.xyz#1198: ROMs that read 67 as a C string; raspberrypi/firmware#871: one that a NUL inside breaks."""
    data = encode(Packet(options={66: b"10.0.0.1", 67: b"pxelinux.0"}))
    assert b"\x42\x0810.0.0.1\0\x43\x0apxelinux.0\0\xff" in data


def test_d7_too_long_for_the_client() -> None:
    """Options leave from the end, those that matter stay."""
    options = {53: b"\2", 119: bytes(180), 12: bytes(100), 6: bytes(40), 67: bytes(100), 43: b"\6\1\x08", 1: b"mask"}
    data = encode(Packet(options=options), MIN_MESSAGE)
    assert len(data) <= MIN_MESSAGE
    assert set(parse(data).options) == {53, 119, 67, 43, 1}


D7_LIMITS = [(b"", 548), (b"\x02\x40", 548), (b"\0\0", 548), (b"\x05\xdc", 1472), (b"\xff\xff", 1472), (b"\x05", 548)]


@pytest.mark.parametrize(("option_57", "limit"), D7_LIMITS)
def test_d7_max_message_size(option_57: bytes, limit: int) -> None:
    assert message_limit(Packet(options={57: option_57} if option_57 else {})) == limit


addresses = st.integers(0, 0xFFFFFFFF).map(IPv4Address)
octet = st.integers(0, 255)
names = st.binary(max_size=60).map(lambda b: b.replace(b"\0", b""))
packets = st.builds(
    Packet,
    op=st.sampled_from((1, 2)),
    htype=octet,
    hlen=st.integers(0, 16),
    hops=octet,
    xid=st.integers(0, 0xFFFFFFFF),
    secs=st.integers(0, 0xFFFF),
    flags=st.integers(0, 0xFFFF),
    ciaddr=addresses,
    yiaddr=addresses,
    siaddr=addresses,
    giaddr=addresses,
    chaddr=st.binary(min_size=16, max_size=16),
    sname=names,
    file=names,
    options=st.dictionaries(st.integers(1, 254).filter(lambda c: c != 52), st.binary(max_size=300), max_size=20),
)


@given(packets)
def test_round_trip(sent: Packet) -> None:
    assert parse(encode(sent, 1 << 16)) == sent


@given(packets, st.integers(300, 1500))
def test_encode_keeps_to_the_limit(sent: Packet, limit: int) -> None:
    data = encode(sent, limit)
    if len(data) > limit:  # only what a client cannot do without is left then
        assert set(parse(data).options) <= {1, 3, 43, 51, 53, 54, 60, 61, 66, 67, 82, 97}


@given(st.binary(max_size=600))
def test_only_peer_error_leaves(data: bytes) -> None:
    with suppress(PeerError):
        parse(data)


@given(st.binary(max_size=300), st.binary(max_size=64), st.binary(max_size=128))
def test_any_options_parse(options: bytes, sname: bytes, file: bytes) -> None:
    got = parse(packet(options, sname=sname, file=file))
    assert got.op == 1


@given(st.data())
def test_any_damage_parses_or_is_refused(data: st.DataObject) -> None:
    options = {60: b"PXEClient:Arch:00007", 93: b"\0\7", 61: b"\1abcdef", 82: b"\1\2ab"}
    octets = bytearray(question(DISCOVER, options=options))
    for _ in range(data.draw(st.integers(1, 8))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(octet)
    with suppress(PeerError):
        parse(bytes(octets[: data.draw(st.integers(0, len(octets)))]))


D3_HARDWARE = [
    (1, 6, bytes.fromhex("00163e111111"), "00:16:3e:11:11:11", "00:16:3e:11:11:11"),
    (32, 0, b"", None, ""),  # Infiniband, RFC 4390
    (1, 16, bytes(range(1, 17)), None, "1-0102030405060708090a0b0c0d0e0f10"),  # edk2 with SendGUID
    (6, 6, bytes.fromhex("00163e111111"), None, "6-00163e111111"),
    (1, 6, bytes(6), "00:00:00:00:00:00", ""),
]


@pytest.mark.parametrize(("htype", "hlen", "chaddr", "mac", "hardware"), D3_HARDWARE)
def test_d3_hardware(htype: int, hlen: int, chaddr: bytes, mac: str | None, hardware: str) -> None:
    got = Packet(htype=htype, hlen=hlen, chaddr=chaddr.ljust(16, b"\0"))
    assert (got.mac, got.hardware) == (mac, hardware)


def test_addresses_read() -> None:
    got = Packet(options={50: b"\x0a\x4d\0\1", 54: b"\x0a\x4d", 1: bytes(4), 3: b"\x0a\0\0\1\x0a\0\0\2"})
    assert got.address(50) == IPv4Address("10.77.0.1")
    assert got.address(54) is None
    assert got.address(1) is None
    assert got.address(3) == IPv4Address("10.0.0.1")
    assert got.address(99) is None
    assert got.ciaddr is ANY or got.ciaddr == ANY
