"""The option table: the codec of every row, its names, and what the configuration makes of them (D7)."""

from __future__ import annotations

import json
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.dhcpoptions.table import OPTIONS, Option, decode_option, encode_option, name_of, option_named
from netprov.dhcpoptions.types import Type
from netprov.errors import PeerError
from netprov.inventory.fields import SPELLINGS, Kind
from netprov.inventory.nodes import compose
from netprov.inventory.options import OURS, SUBNET_OPTIONS
from netprov.inventory.types import Wrong

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


def whole(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


def some(values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(values, min_size=1, max_size=8).map(tuple)


ADDRESSES = st.ip_addresses(v=4)
LABELS = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True)
NETWORKS = st.tuples(ADDRESSES, st.integers(0, 32)).map(lambda pair: IPv4Network(pair, strict=False))
HELD: dict[Type, st.SearchStrategy[object]] = {
    Type.IP: ADDRESSES,
    Type.IPS: some(ADDRESSES),
    Type.IP_PAIRS: some(st.tuples(ADDRESSES, ADDRESSES)),
    Type.U8: whole(8),
    Type.U16: whole(16),
    Type.U16S: some(whole(16)),
    Type.U32: whole(32),
    Type.I32: st.integers(-(2**31), 2**31 - 1),
    Type.BOOL: st.booleans(),
    Type.TEXT: st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=60),
    Type.OCTETS: st.binary(max_size=60),
    Type.CODES: some(whole(8)),
    Type.NAMES: some(st.lists(LABELS, min_size=1, max_size=4).map(".".join)),
    Type.ROUTES: some(st.tuples(NETWORKS, ADDRESSES)),
    Type.CLASSES: some(st.binary(min_size=1, max_size=20)),
}
"""The values of each type."""


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
@given(data=st.data())
def test_d7_every_row_there_and_back(option: Option, data: st.DataObject) -> None:
    value = data.draw(HELD[option.type])
    assert decode_option(option.code, encode_option(option.code, value)) == value


def test_table_is_sound() -> None:
    assert all(option.code == code and 0 < code < 255 and option.source for code, option in OPTIONS.items())
    spelled = [name for option in OPTIONS.values() for name in (option.name, *option.aliases)]
    assert len(set(spelled)) == len(spelled)
    assert all(name == name.lower().replace("_", "-") and not name.isdecimal() for name in spelled)


WRITTEN = {  # a text that the configuration reads, and what it means
    Type.IP: ("10.0.0.1", a),
    Type.IPS: ("10.0.0.1", (a,)),
    Type.IP_PAIRS: ("10.0.0.1 10.0.0.2", ((a, b),)),
    Type.U8: ("7", 7),
    Type.U16: ("1500", 1500),
    Type.U16S: ("576", (576,)),
    Type.U32: ("70000", 70000),
    Type.I32: ("-3600", -3600),
    Type.BOOL: ("yes", True),
    Type.TEXT: ("lady", "lady"),
    Type.OCTETS: ("hex:01:ff", b"\1\xff"),
    Type.ROUTES: ("10.17.0.0/16 10.0.0.1", ((IPv4Network("10.17.0.0/16"), a),)),
    Type.CLASSES: ("hex:01:61", (b"a",)),
}


def configured(name: str, *texts: str) -> dict[int, bytes]:
    node = compose(json.dumps({name: texts}).encode(), "f")
    assert node is not None
    return SUBNET_OPTIONS.read(node)


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_every_name_that_is_shown_can_be_written(option: Option) -> None:
    """`explain` printed 42 as `ntp`, which the configuration refused."""
    assert name_of(option.code) == option.name
    for name in (option.name, option.name.upper(), option.name.replace("-", "_"), *option.aliases, str(option.code)):
        if option.code in OURS:
            with pytest.raises(
                Wrong, match=rf"option {option.code} is what the server works out .*{OURS[option.code]}"
            ):
                configured(name, "x")
        else:
            text, value = WRITTEN[option.type]
            assert configured(name, text) == {option.code: encode_option(option.code, value)}
            if option.type.holds.startswith("list") and option.type is not Type.CLASSES:
                twice = encode_option(option.code, value) * 2
                assert configured(name, text, text) == {option.code: twice}


@pytest.mark.parametrize(("code", "says"), [(code, says) for code, says in OURS.items() if says])
def test_what_the_server_sets_names_its_field(code: int, says: str) -> None:
    """Whoever writes such an option is told the field to write instead."""
    kind = Kind.SYSTEM if says.startswith("a system's ") else Kind.SUBNET
    assert says.removeprefix("a system's ") in SPELLINGS[kind]


FORMERLY = [  # what either of the two tables said before they were one
    ("ntp", 42), ("ttl", 23), ("netbios-ns", 44), ("smtp", 69), ("pop3", 70), ("www", 72), ("tz-posix", 100),
    ("tz-name", 101), ("vi-vendor", 125), ("pxelinux-configfile", 209), ("pxelinux-pathprefix", 210),
    ("pxelinux-reboottime", 211), ("netbios-dd", 45), ("x-font", 48), ("x-display", 49), ("vi-vendor-class", 124),
    ("domain-name-servers", 6), ("Interface_MTU", 26), ("T1", 58), ("nis+-server", 65), ("tftp-server-address", 150),
]  # fmt: skip


@pytest.mark.parametrize(("name", "code"), FORMERLY)
def test_other_spellings(name: str, code: int) -> None:
    assert option_named(name).code == code


UNKNOWN = [
    ("ntp-sever", "Did you mean ntp-servers[?] Any option may be given by its number"),
    ("domain_name_server", "Did you mean dns[?]"),
    ("x", "not a DHCP option known by name. Any option may be given by its number"),
    ("", "Any option may be given by its number"),
    ("-1", "Any option may be given by its number"),
]


@pytest.mark.parametrize(("name", "says"), UNKNOWN)
def test_an_unknown_name_gets_a_hint(name: str, says: str) -> None:
    with pytest.raises(Wrong, match=says):
        configured(name, "10.0.0.1")
