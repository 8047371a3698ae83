# ruff: noqa: E501 - a row of a table is a line
"""The DHCP stages: each option as it would be sent, compared with what the server's own core sends."""

from __future__ import annotations

import time
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.dhcp import BOOTP, DHCP

from netprov.boot.arch import arch_by_name
from netprov.boot.request import Loader
from netprov.boot.who import who
from netprov.dhcp.classify import Arrival
from netprov.dhcp.packet import parse
from netprov.dhcp.server import DhcpServer
from netprov.dhcpoptions.table import name_of
from netprov.explain.options import text_of
from netprov.explain.question import discover
from netprov.inventory.load import load
from netprov.inventory.model import InstallMode
from netprov.state.leases import Lease
from netprov.state.state import open_state
from tests.explain.house import said, told
from tests.world import edit

OURS = IPv4Address("10.0.0.1")
ARRIVAL = Arrival("", OURS, (IPv4Interface("10.0.0.1/24"),))


def core(folder: Path, data: bytes, leases: tuple[Lease, ...] = ()) -> BOOTP:
    """What a server with an empty database sends, taken apart by scapy."""
    server = DhcpServer(load(folder / "netprov.yaml"), {}, leases, time.time(), [OURS])
    outcome = server.receive(data, ARRIVAL, time.time())
    assert outcome.reply is not None
    return BOOTP(outcome.reply.data)


MACHINES = [
    # who, the firmware, what runs, the configuration's change
    ("lady", "bios", "none", ()),
    ("lady", "uefi-x64", "none", ()),
    ("lady", "http-x64", "none", ()),
    ("lady", "bios", "ipxe", ()),
    ("lady", "uefi-x64", "ipxe", ()),
    ("lady", "bios", "xen", ()),
    ("duke", "bios", "none", ()),
    ("52:54:00:00:00:77", "bios", "none", ()),
    ("52:54:00:00:00:77", "uefi-x64", "none", ("lease: 2h", "lease: 2h, options: {224: hex:0102, time-offset: 3600}")),
    ("lady", "uefi-x64", "none", ("mode: full", "mode: proxy")),
    ("lady", "bios", "none", ("mode: full", "mode: proxy")),
    (
        "earl",
        "bios",
        "none",
        ("install: install-once\n    hostname", "filename: own.efi\n    install: always\n    hostname"),
    ),
    (
        "earl",
        "bios",
        "none",
        ("hostname: earl", "dhcp_options: [{class: PXE, 43: hex:01, 224: hex:02}]\n    hostname: earl"),
    ),
]


@pytest.mark.parametrize(("machine", "firmware", "loader", "change"), MACHINES)
def test_offer_is_the_servers_own(house: Path, machine: str, firmware: str, loader: str, change: Any) -> None:
    if change:
        edit(house, *change)
    inventory = load(house / "netprov.yaml")
    starts = {"none": Loader.FIRMWARE, "ipxe": Loader.IPXE, "xen": Loader.XEN}
    data = discover(who(machine, inventory), arch_by_name(firmware), starts[loader])
    sent = core(house, data)
    arguments = () if loader == "xen" else ("--arch", firmware)
    stage = told(house, machine, "--loader", loader, *arguments, status=None)["stages"][0]
    offer = stage["replies"][0]
    assert (offer["type"], offer["yiaddr"], offer["siaddr"]) == ("offer", sent.yiaddr, sent.siaddr)
    assert offer["file"] == sent.file.rstrip(b"\0").decode()
    assert offer["sname"] == sent.sname.rstrip(b"\0").decode()
    reply = parse(bytes(sent))
    assert [row["code"] for row in offer["options"]] == list(reply.options)
    assert [row["value"] for row in offer["options"]] == [text_of(code, data) for code, data in reply.options.items()]
    by_code = {row["code"]: row["value"] for row in offer["options"]}
    for name, code in (("router", 3), ("subnet_mask", 1), ("server_id", 54)):
        values = [option[1] for option in sent[DHCP].options if option[0] == name]
        assert [by_code[code]] == values if values else code not in by_code


def test_every_option_has_where_it_was_declared(house: Path) -> None:
    edit(
        house, "profile: web\n    install: install-once\n    hostname", "profile: web\n    filename: x.0\n    hostname"
    )
    edit(
        house,
        "hostname: earl.example.org",
        "install: always\n    name_servers: 10.0.0.9\n    dhcp_options: {class: PXE, 224: hex:01, 43: hex:01}\n    hostname: earl.example.org",
    )
    offer = told(house, "earl", "--arch", "uefi-x64", status=1)["stages"][0]["replies"][0]
    origins = {row["code"]: (row["origin"] or "").rpartition(":")[2] for row in offer["options"]}
    lines = (house / "netprov.yaml").read_text().splitlines()
    assert "router" in lines[int(origins[3]) - 1]
    assert "router" in lines[int(origins[51]) - 1]
    assert "filename" in lines[int(origins[67]) - 1]
    assert "name_servers" in lines[int(origins[6]) - 1]
    assert "hostname" in lines[int(origins[12]) - 1]
    assert "dhcp_options" in lines[int(origins[224]) - 1]
    assert "dhcp_options" in lines[int(origins[43]) - 1]


def test_text(house: Path) -> None:
    text = said(house, "lady").output
    for line in (
        "OFFER to 255.255.255.255:68", "yiaddr                 10.0.0.14 (declared)", "file                   pxelinux.0",
        "3 router               10.0.0.254  netprov.yaml:5", "43 vendor              discovery-control 08",
        "51 lease-time          7200 s", "67 bootfile-name       pxelinux.0",
    ):  # fmt: skip
        assert line in text
    assert "of the range; another may be free" in said(house, "52:54:00:00:00:77").output


def test_leases_count(house: Path) -> None:
    """Somebody else still has the declared address: the core says so, and explain with it."""
    with open_state(str(house / "state")) as state:
        now = time.time()
        state.leases.commit(
            [Lease(IPv4Address("10.0.0.14"), "52:54:00:00:00:55", expires=now + 900, subnet="10.0.0.0/24")]
        )
        state.leases.commit(
            [Lease(IPv4Address("10.0.0.100"), "52:54:00:00:00:56", expires=now + 900, subnet="10.0.0.0/24")]
        )
    offer = told(house, "lady")["stages"][0]["replies"][0]
    assert offer["yiaddr"] == "10.0.0.101"
    mine = told(house, "52:54:00:00:00:56")["stages"][0]["replies"][0]
    assert mine["yiaddr"] == "10.0.0.100"
    with open_state(str(house / "state")) as state:  # to ask takes no address
        assert len(list(state.leases.all())) == 2


SILENCE = [
    # the change, who, what the stage says
    (("range: 10.0.0.100-10.0.0.200, ", ""), "52:54:00:00:00:77", "has no range:"),
    (("range: 10.0.0.100-10.0.0.200", "range: 10.0.0.254"), "52:54:00:00:00:77", "all 1 addresses"),
    (("mode: full", "mode: reserved"), "52:54:00:00:00:77", ""),
    (("mode: full", "mode: 'off'"), "lady", ""),
]


@pytest.mark.parametrize(("change", "machine", "problem"), SILENCE)
def test_no_answer(house: Path, change: tuple[str, str], machine: str, problem: str) -> None:
    edit(house, *change)
    stage = told(house, machine, status=1 if problem else 0)["stages"][0]
    assert (stage["gets"], stage["replies"]) == ("no answer", [])
    assert problem in stage["problem"]
    assert stage["problem"] or stage["advice"]


def test_relay(house: Path) -> None:
    """A relayed question is another subnet's, and goes back to the relay, its option 82 untouched."""
    edit(house, "lease: 2h}", "lease: 2h}\n    - {subnet: 10.9.0.0/24, range: 10.9.0.10-10.9.0.20}")
    edit(house, '    interfaces: {eth0: {mac: "52:54:00:00:00:02", ip: 10.0.0.15/24}}', "    circuit_id: Gi1/0/7")
    offer = told(house, "52:54:00:00:00:77", "--relay", "10.9.0.1")["stages"][0]["replies"][0]
    assert (offer["to"], offer["yiaddr"], offer["giaddr"]) == ("10.9.0.1:67", "10.9.0.10", "10.9.0.1")
    known = told(house, "duke", "--relay", "10.9.0.1")["stages"][0]
    assert known["why"][0]["reason"] == "match-circuit"
    assert {"code": 82, "name": "relay-agent", "value": "circuit-id 'Gi1/0/7'", "origin": None} in known["replies"][0][
        "options"
    ]
    assert "--relay ADDRESS" in told(house, "duke")["stages"][0]["advice"]


def test_known_by_uuid_or_serial(house: Path) -> None:
    edit(
        house,
        'interfaces: {eth0: {mac: "52:54:00:00:00:03", ip: 10.0.0.16/24}}',
        "uuid: 4c4c4544-0043-3010-8052-b4c04f4a4d31",
    )
    stage = told(house, "earl")["stages"][0]
    assert stage["why"][0]["reason"] == "match-uuid"
    assert "4c4c4544-0043-3010-8052-b4c04f4a4d31" in [row["value"] for row in stage["replies"][0]["options"]]
    assert "its MAC is not known" in said(house, "earl").output
    edit(house, "uuid: 4c4c4544-0043-3010-8052-b4c04f4a4d31", "serial: X1")
    assert "which DHCP does not show: declare its MAC" in told(house, "earl")["stages"][0]["advice"]


def test_proxy_asks_again_on_4011(house: Path) -> None:
    edit(house, "mode: full", "mode: proxy")
    offer, ack = told(house, "lady", "--arch", "uefi-x64")["stages"][0]["replies"]
    assert (offer["type"], offer["yiaddr"], offer["file"]) == ("offer", "0.0.0.0", "ipxe.efi")
    assert (ack["type"], ack["note"], ack["to"]) == ("ack", "asked on port 4011", "10.0.0.14:4011")
    (only,) = told(house, "lady", "--arch", "bios")["stages"][0]["replies"]
    assert only["type"] == "offer"


OPTIONS = [
    (3, b"\x0a\0\0\1\x0a\0\0\2", "router", "10.0.0.1, 10.0.0.2"), (6, b"\1\2\3", "dns", "01:02:03"),
    (12, b"lady\0", "hostname", "lady"), (43, b"\6\1\x08\xff", "vendor", "discovery-control 08"),
    (43, b"", "vendor", ""), (51, b"\0\0\x0e\x10", "lease-time", "3600 s"), (53, b"\2", "message-type", "offer"),
    (53, b"\x63", "message-type", "99"), (61, b"\1RT\0\0\0\1", "client-id", "01:52:54:00:00:00:01"),
    (82, b"\1\3abc\2\2\0\1", "relay-agent", "circuit-id 'abc', remote-id 00:01"),
    (97, b"\0" + bytes(range(16)), "client-uuid", "03020100-0504-0706-0809-0a0b0c0d0e0f"), (97, b"\0\1", "client-uuid", "00:01"),
    (121, b"\x08\x0a\x0a\0\0\1", "classless-routes", "10.0.0.0/8 via 10.0.0.1"),
    (19, b"\1", "ip-forwarding", "true"), (119, b"\1a\1b\0", "domain-search", "a.b"), (208, b"\xf1\0", "pxelinux-magic", "f1:00"),
    (224, b"\1\2", "", "01:02"), (175, b"\xb0\1\1", "ipxe", "no-pxedhcp 01"), (67, b"a\x1b[31m", "bootfile-name", "a\x1b[31m"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "octets", "name", "text"), OPTIONS)
def test_option_texts(code: int, octets: bytes, name: str, text: str) -> None:
    assert (name_of(code), text_of(code, octets)) == (name, text)


VIAS = [
    # arguments, the first stage and its asking, what the script comes over
    (("--via", "http"), "http-x64 firmware, by DHCP", "ipxe, by HTTP"),
    (("--via", "tftp"), "bios firmware, by DHCP", "pxelinux, by TFTP"),
    (("--via", "xen"), "netprov-pxeboot, for a domU, by DHCP", "xen, by HTTP"),
    (("--loader", "xen"), "netprov-pxeboot, for a domU, by DHCP", "xen, by HTTP"),
    (("--loader", "ipxe", "--via", "tftp"), "iPXE, by DHCP", "ipxe, by TFTP"),
    (("--loader", "grub", "--via", "http"), "grub, by HTTP", "grub, by HTTP"),
    (("--loader", "xen", "--via", "tftp"), "netprov-pxeboot, for a domU, by DHCP", "xen, by TFTP"),
]


@pytest.mark.parametrize(("arguments", "first", "script"), VIAS)
def test_via(house: Path, arguments: tuple[str, ...], first: str, script: str) -> None:
    stages = told(house, "lady", *arguments)["stages"]
    assert stages[0]["asks"] == first
    assert [stage["asks"] for stage in stages if stage["stage"] == "script"] == [script]
    assert [stage["stage"] for stage in stages][-1] == "afterwards"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--loader", "grub", "--via", "xen"),
        ("--arch", "bios", "--via", "http"),
        ("--arch", "http-x64", "--via", "tftp"),
    ],
)
def test_via_that_cannot_be(house: Path, arguments: tuple[str, ...]) -> None:
    result = said(house, "lady", *arguments)
    assert result.exit_code == 2
    assert "via" in result.output


def test_domu_is_told_what_the_server_tells(house: Path) -> None:
    script = next(s for s in told(house, "lady", "--loader", "xen")["stages"] if s["stage"] == "script")
    assert '"action": "kernel"' in script["text"]
    assert '"sha256"' in script["text"]
    local = told(house, "duke", "--loader", "xen")["stages"][-1]
    assert '"action": "local"' in local["text"]


def test_no_server_of_ours(house: Path) -> None:
    """Files that another TFTP server has, and servers that are switched off."""
    edit(
        house,
        "profile: web\n    install: install-once\n    hostname",
        "profile: web\n    install: always\n    next_server: 10.0.0.9\n    hostname",
    )
    names = {stage["stage"]: stage["gets"] for stage in told(house, "earl")["stages"]}
    assert names["loader"] == names["script"] == "from 10.0.0.9 (next_server): only that server knows what is there"
    edit(house, "tftp: {root: images}", "tftp: {root: images, enabled: false}")
    assert "tftp.enabled is false" in told(house, "lady", status=1)["stages"][-1]["problem"]


def test_callback_that_is_missing(house: Path) -> None:
    (house / "autoinstall").mkdir()
    (house / "autoinstall" / "own.ks").write_text("text\n")
    edit(house, "autoinstall: default.ks", "autoinstall: own.ks")
    stage = next(s for s in told(house, "lady")["stages"] if s["stage"] == "callback")
    assert "{{ callback_url }}" in stage["advice"]
    assert "after 3 starts" in stage["advice"]


def test_always(house: Path) -> None:
    edit(
        house,
        "profile: web\n    install: install-once\n    hostname",
        "profile: web\n    install: always\n    hostname",
    )
    stages = told(house, "earl")["stages"]
    assert stages[-1]["gets"] == "boots its kernel every time"
    assert "callback" not in [stage["stage"] for stage in stages]
    assert load(house / "netprov.yaml").system("earl").install is InstallMode.ALWAYS


@pytest.mark.parametrize("mac", ["01:00:5e:00:00:01", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"])
def test_no_machines_address(house: Path, mac: str) -> None:
    (stage,) = told(house, mac, status=None)["stages"][:1]
    assert stage["gets"] == "no answer" or stage["replies"]
    assert "Traceback" not in said(house, mac).output
