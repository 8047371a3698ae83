# ruff: noqa: E501 - a row of a table is a line
"""Every notation an operator may use, and what is not one."""

from ipaddress import IPv4Address, IPv4Interface

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.inventory import values as v
from netprov.inventory.model import ClientOptions
from netprov.inventory.nodes import ScalarNode, compose
from netprov.inventory.options import CLIENT_OPTIONS, SUBNET_OPTIONS
from netprov.inventory.types import Free, KernelOptions, Wrong, free_value

GOOD = [
    (v.parse_octets, "4G", 4 << 30),
    (v.parse_octets, "512MiB", 512 << 20),
    (v.parse_octets, "0.5 TB", 512 << 30),
    (v.parse_mebibytes, "512", 512),
    (v.parse_mebibytes, "2g", 2048),
    (v.parse_gigabytes, "5,2", (5 << 30, 2 << 30)),
    (v.parse_duration, "1h", 3600),
    (v.parse_duration, "1h30m", 5400),
    (v.parse_duration, "90", 90),
    (v.parse_duration, "2w1d", 15 * 86400),
    (v.parse_uuid, "4C4C4544-0043-3010-8052-B4C04F4A4D31", "4c4c4544-0043-3010-8052-b4c04f4a4d31"),
    (v.parse_uuid, "4c4c45440043301080 52b4c04f4a4d31".replace(" ", ""), "4c4c4544-0043-3010-8052-b4c04f4a4d31"),
    (v.parse_station, "52-54-00-12-34-56", "52:54:00:12:34:56"),
    (v.parse_station, "5254.0012.3456", "52:54:00:12:34:56"),
    (v.parse_identifier, "01:52:54:00:12:34:56", bytes.fromhex("01525400123456")),
    (v.parse_identifier, "hex:00ff", b"\0\xff"),
    (v.parse_identifier, "0x0102", b"\1\2"),
    (v.parse_identifier, "Ethernet1/0/7", b"Ethernet1/0/7"),
    (v.parse_netmask, "255.255.252.0", 22),
    (v.parse_netmask, "24", 24),
    (v.parse_interface_address, "10.0.0.1/255.0.0.0", IPv4Interface("10.0.0.1/8")),
    (v.parse_interface_address, "10.0.0.1", IPv4Address("10.0.0.1")),
    (v.parse_ports, "40000-40100", (40000, 40100)),
    (v.parse_flag, "Off", False),
    (v.parse_flag, "YES", True),
    (v.parse_hostname, "a_b.example.org.", "a_b.example.org"),
    (v.words, 'a="b c" d', ["a=b c", "d"]),
]

BAD = [
    (v.parse_octets, "4", "unit"),
    (v.parse_octets, "-4G", "size"),
    (v.parse_octets, "1e9G", "size"),
    (v.parse_mebibytes, "1K", "less than"),
    (v.parse_duration, "1y", "duration"),
    (v.parse_duration, "0", "between"),
    (v.parse_duration, "4294967295", "between"),
    (v.parse_duration, "9999999999w", "between"),
    (v.parse_uuid, "4c4c4544", "UUID"),
    (v.parse_uuid, "00000000-0000-0000-0000-000000000000", "every board"),
    (v.parse_station, "01:00:5e:00:00:01", "group"),
    (v.parse_station, "00:00:00:00:00:00", "not a machine"),
    (v.parse_station, "random", "MAC"),
    (v.parse_station, "11944616", "MAC"),
    (v.parse_identifier, "", "1 to 255"),
    (v.parse_identifier, "hex:" + "00" * 256, "1 to 255"),
    (v.parse_identifier, "a\nb", "one line"),
    (v.parse_netmask, "255.0.255.0", "netmask"),
    (v.parse_network, "192.168.77.1/24", "192.168.77.0/24"),
    (v.parse_network, "192.168.77.0/33", "network"),
    (v.parse_address, "192.168.77.256", "address"),
    (v.parse_address, "0300.0.0.1", "address"),
    (v.parse_interface_address, "10.0.0.1/40", "prefix"),
    (v.parse_range, "10.0.0.9-10.0.0.1", "before"),
    (v.parse_range, "10.0.0.9-", None),
    (v.parse_ports, "40000", "range of ports"),
    (v.parse_ports, "1-70000", "between"),
    (v.parse_flag, "maybe", "neither"),
    (v.parse_hostname, "-a", "host name"),
    (v.parse_hostname, "a b", "host name"),
    (v.parse_hostname, "a" * 64, "host name"),
    (v.parse_hostname, "ä", "host name"),
    (v.parse_name, "a/b", "not a name"),
    (v.parse_name, "", "not a name"),
    (v.parse_device, "averyveryverylongname", "interface"),
    (v.parse_device, "..", "interface"),
    (v.parse_line, "a\u2028b", "one line"),
    (v.words, 'a "b', "quotation"),
]


@pytest.mark.parametrize(("parse", "text", "value"), GOOD)
def test_good(parse, text, value) -> None:  # type: ignore[no-untyped-def]
    assert parse(text) == value


@pytest.mark.parametrize(("parse", "text", "says"), [row for row in BAD if row[2]])
def test_bad(parse, text, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=says):
        parse(text)


@pytest.mark.parametrize("parse", sorted({row[0] for row in GOOD + BAD}, key=lambda f: f.__name__))
@given(text=st.text())
def test_only_value_error_leaves(parse, text) -> None:  # type: ignore[no-untyped-def]
    try:
        parse(text)
    except ValueError:
        return


OPTIONS = [
    ("quiet", {"quiet": None}),
    ("console=tty0 console=ttyS0,115200 quiet", {"console": ("tty0", "ttyS0,115200"), "quiet": None}),
    ('"\'inst.stage2=a b\' !selinux"', {"inst.stage2": ("a b",), "!selinux": None}),
    ("[quiet, console=tty0]", {"quiet": None, "console": ("tty0",)}),
    ("{quiet: , a: true, b: false, c: 0, d: off, e: 'false', f: <<inherit>>}",
     {"quiet": None, "a": None, "!b": None, "c": ("0",), "d": ("off",), "e": ("false",)}),
    ("{console: [tty0, 'ttyS0,115200'], '!quiet': , e: ''}", {"console": ("tty0", "ttyS0,115200"), "!quiet": None, "e": ("",)}),
    ("{ip: 010, mac: 52:54:00:12:34:56}", {"ip": ("010",), "mac": ("52:54:00:12:34:56",)}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), OPTIONS)
def test_kernel_options(text: str, value: object) -> None:
    node = compose(text.encode(), "f")
    assert node is not None
    assert KernelOptions().read(node) == value


@pytest.mark.parametrize("text", ["{a: {b: c}}", "{a b: c}", "'a=\"b'", '{a: "b\\nc"}', "[[a]]", "{'!': }"])
def test_kernel_options_refused(text: str) -> None:
    node = compose(text.encode(), "f")
    assert node is not None
    with pytest.raises(Wrong):
        KernelOptions().read(node)


FREE = [
    ("1", 1), ("-1", -1), ("1.5", 1.5), ("1.10", "1.10"), ("010", "010"), ("1e3", "1e3"), ("no", "no"), ("On", "On"), ("true", True), ("False", False),
    ("~", None), ("", None), ("52:54:00", "52:54:00"), ("nan", "nan"), ("inf", "inf"), ("1_000", "1_000"), ("2024-01-01", "2024-01-01"), ("9" * 30, "9" * 30),
    ("٣", "٣"), ("0x10", "0x10"), ("-0", "-0"), ("0", 0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), FREE)
def test_free_values_keep_what_was_written(text: str, value: object) -> None:
    assert repr(free_value(ScalarNode(text, True, "f", 1))) == repr(value)
    assert free_value(ScalarNode(text, False, "f", 1)) == text


def test_meta_as_text() -> None:
    assert Free().read(ScalarNode("tree=http://x/y 'dog=a b' !cat", True, "f", 1)) == {
        "tree": "http://x/y", "dog": "a b", "!cat": None,
    }  # fmt: skip
    with pytest.raises(Wrong, match="key=value"):
        Free().read(ScalarNode("tree", True, "f", 1))


DHCP_OPTIONS = [
    ("{time-offset: -3600}", {2: b"\xff\xff\xf1\xf0"}),
    ("{mtu: 1400}", {26: b"\x05\x78"}),
    (
        "{121: ['10.0.0.0/8 192.168.77.1', '0.0.0.0/0 192.168.77.2']}",
        {121: bytes([8, 10, 192, 168, 77, 1, 0, 192, 168, 77, 2])},
    ),
    ("{ip-forwarding: no}", {19: b"\0"}),
    ("{150: 10.0.0.1, root-path: /nfs}", {150: b"\n\0\0\1", 17: b"/nfs"}),
    ("{42: 'hex:01:02'}", {42: b"\1\2"}),
    (
        "{33: [10.0.0.1, 10.0.0.2], policy-filter: [10.0.0.1 10.0.0.2]}",
        {33: b"\n\0\0\1\n\0\0\2", 21: b"\n\0\0\1\n\0\0\2"},
    ),
]


@pytest.mark.parametrize(("text", "value"), DHCP_OPTIONS)
def test_dhcp_options(text: str, value: object) -> None:
    node = compose(text.encode(), "f")
    assert node is not None
    assert SUBNET_OPTIONS.read(node) == value


CLIENTS = [
    ("{}", (ClientOptions(),)),
    ("{66: tftp.example.org, 67: a.cfg}", (ClientOptions("", ((66, b"tftp.example.org"), (67, b"a.cfg"))),)),
    ("{class: ciscopnp, 43: 'hex:0102'}", (ClientOptions("ciscopnp", ((43, b"\1\2"),)),)),
    ("[]", ()),
    (
        "[{2: 0}, {class: 'Juniper-', bootfile-name: b}]",
        (ClientOptions("", ((2, bytes(4)),)), ClientOptions("Juniper-", ((67, b"b"),))),
    ),
]


@pytest.mark.parametrize(("text", "value"), CLIENTS)
def test_client_options(text: str, value: object) -> None:
    node = compose(text.encode(), "f")
    assert node is not None
    assert CLIENT_OPTIONS.read(node) == value


@pytest.mark.parametrize(
    ("text", "says", "path"),
    [
        ("5", "must be a mapping", ""),
        ("[5]", "must be a mapping", "[0]"),
        ("[{2: 0}, [1]]", "must be a mapping", "[1]"),
        ("{class: }", "vendor class begins", ".class"),
        ("{class: ''}", "vendor class begins", ".class"),
        ("{class: [a]}", "vendor class begins", ".class"),
        ("{class: {a: b}}", "vendor class begins", ".class"),
        ('{class: "a\\nb"}', "line", ".class"),
        ("[{class: a, 53: 1}]", "works out", "[0].53"),
        ("{60: PXEClient}", "works out", ".60"),
        ("{6: 1.1.1.1}", "write dns:", ".6"),
        ("[{}, {224: lady}]", "hex:", "[1].224"),
    ],
)
def test_client_options_refused(text: str, says: str, path: str) -> None:
    node = compose(text.encode(), "f")
    assert node is not None
    with pytest.raises(Wrong, match=says) as caught:
        CLIENT_OPTIONS.read(node)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{53: 1}", "works out"),
        ("{6: 1.1.1.1}", "write dns:"),
        ("{224: 1}", "hex:"),
        ("{256: 1}", "between 0 and 255"),
        ("{33: [10.0.0.1, 10.0.0.2, 10.0.0.3]}", "pairs"),
        ("{121: '10.0.0.1/8 10.0.0.1'}", "host bits"),
        ("{119: example.org}", "write search:"),
        ("{77: lady}", "hex:"),
        ("{time-ofset: 1}", "Did you mean time-offset"),
        ("{2: x}", "whole number"),
        ("{2: [1, 2]}", "one value"),
        ("{42: 1.1.1.1, ntp-servers: 1.1.1.2}", "twice"),
        ("{42: {}}", "list of values"),
        ("[1]", "mapping"),
    ],
)
def test_dhcp_options_refused(text: str, says: str) -> None:
    node = compose(text.encode(), "f")
    assert node is not None
    with pytest.raises(Wrong, match=says):
        SUBNET_OPTIONS.read(node)
