# ruff: noqa: E501 - tables: a row a line
"""Scripts as a simulated machine follows them."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from netprov.boot.programs import Runs
from netprov.errors import PeerError
from netprov.mac import parse_mac
from netprov.scripts.plan import Boot, Chain, Local, Refusal
from netprov.simulate import script
from netprov.simulate.machine import KINDS, Address, Machine
from netprov.simulate.script import Unfollowed

ADDRESS = Address(IPv4Address("10.0.0.5"), 24, IPv4Address("10.0.0.1"), server=IPv4Address("10.0.0.9"))


def machine(kind: str = "bios") -> Machine:
    return Machine(parse_mac("52:54:00:00:00:01"), KINDS[kind])


FILES = {
    "/grub/system/52:54:00:00:00:01": "linux /v\n",
    "x?arch=arm64&s=&n=10.0.0.9": "#!ipxe\nkernel v\nboot\n",
    "other": "MZ",
}


def plan(runs, text, kind="bios"):
    facts = script.facts_of(machine(kind), ADDRESS)
    return script.read(runs, text, facts, "s", FILES.get)


PLANS = [
    (Runs.PXELINUX, "bios", "DEFAULT a\nLABEL a\n LINUX v\n INITRD i,j\n APPEND x=1 y\n", Boot("v", ("i", "j"), "x=1 y")),
    (Runs.PXELINUX, "bios", "DEFAULT a\nLABEL a\n LOCALBOOT -1\n", Local("s:2: label a: LOCALBOOT -1")),
    (Runs.XEN, "xen", "DEFAULT a\nLABEL a\n LINUX v\n", Boot("v")),
    (Runs.GRUB, "uefi-x64", "linux /v a\ninitrd /i\nboot\n", Boot("/v", ("/i",), "a")),
    (Runs.GRUB, "uefi-x64", "configfile /grub/system/$net_default_mac", Boot("/v")),
    (Runs.GRUB, "uefi-x64", 'if [ "$grub_platform" = efi ]; then\n linux /e\nelse\n linux /o\nfi\n', Boot("/e")),
    (Runs.GRUB, "uefi-arm64", "linux /$grub_cpu\n", Boot("/arm64")),
    (Runs.IPXE, "ipxe", "#!ipxe\nkernel http://h/v initrd=i a\ninitrd --name i http://h/i\nboot\n", Boot("http://h/v", ("http://h/i",), "a")),
    (Runs.IPXE, "ipxe", "#!ipxe\niseq ${platform} pcbios && kernel b ||\niseq ${platform} efi && kernel e ||\nboot\n", Boot("b")),
    (Runs.IPXE, "uefi-x64", "#!ipxe\niseq ${platform} pcbios && kernel b ||\niseq ${platform} efi && kernel e ||\nboot\n", Boot("e")),
    (Runs.IPXE, "uefi-arm64", "#!ipxe\nchain x?arch=${buildarch}&s=${serial:uristring}&n=${next-server}\n", Boot("v")),
    (Runs.IPXE, "ipxe", "#!ipxe\nchain other\n", Chain("other")),
    (Runs.IPXE, "ipxe", "#!ipxe\nexit 1\n", Local("s:2: exit 1")),
    (Runs.IPXE, "ipxe", "#!ipxe\nchain pxelinux.0\n", Refusal("")),
]  # fmt: skip


@pytest.mark.parametrize(("runs", "kind", "text", "wanted"), PLANS)
def test_what_a_script_does(runs, kind, text, wanted):
    got = plan(runs, text, kind).plan
    assert type(got) is type(wanted)
    assert got == wanted or isinstance(wanted, Refusal)


def test_a_menu_is_left_alone():
    text = "UI vesamenu.c32\nLABEL a\n LINUX v\nLABEL b\n MENU DEFAULT\n LINUX w\n"
    read = plan(Runs.PXELINUX, text)
    assert read.plan == Boot("w")
    assert read.modules == ("vesamenu.c32",)
    assert read.notes == ("a menu of 2 entries; with nobody at the keyboard label b boots",)


def test_a_module_that_a_label_starts():
    read = plan(Runs.PXELINUX, "DEFAULT a\nLABEL a\n KERNEL chain.c32\n APPEND hd0\n")
    assert isinstance(read.plan, Local)
    assert read.modules == ("chain.c32",)


@pytest.mark.parametrize(
    ("runs", "text", "error", "words"),
    [
        (Runs.GRUB, "while true; do true; done\n", Unfollowed, "s:1: loops endlessly"),
        (Runs.GRUB, "read x\nlinux /v $x\n", Unfollowed, "s:1: read waits for what a person types"),
        (Runs.IPXE, "#!ipxe\nkernel ${net0/bustype}\n", Unfollowed, "known only to a running iPXE"),
        (Runs.IPXE, "kernel v\n", PeerError, "is not an iPXE script"),
        (Runs.PXELINUX, "", PeerError, "neither UI nor DEFAULT"),
        (Runs.PXELINUX, "<html>\n", PeerError, "neither UI nor DEFAULT"),
    ],
)
def test_scripts_that_lead_nowhere(runs, text, error, words):
    with pytest.raises(PeerError, match=words) as raised:
        plan(runs, text)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("#!ipxe\nchain wimboot\n", "ipxe", "goes on with wimboot, which a simulation does not run"),
        ("#!ipxe\nreboot\n", "ipxe", "goes on with s:2: reboot: names no kernel, which a simulation does not run"),
        ("#!ipxe\nchain wimboot\n", "xen", "HVM guest"),
    ],
)
def test_a_refusal_is_a_domus_only_for_a_domu(text, kind, words):
    refusal = plan(Runs.IPXE, text, kind).plan
    said = script.refusal(refusal, machine(kind))
    assert words in said
    assert ("HVM" in said) == (kind == "xen")


ANSWERS = [
    ("inst.ks=http://h/ks quiet", "http://h/ks"),
    ("ks=http://h/ks", "http://h/ks"),
    ("auto=true priority=critical url=http://h/p", "http://h/p"),
    ("preseed/url=https://h/p", "https://h/p"),
    ("autoyast=tftp://h/a.xml", "tftp://h/a.xml"),
    ("netprov.autoinstall=http://h/a?token=x", "http://h/a?token=x"),
    ("autoinstall ds=nocloud;s=http://h/seed/ ip=dhcp url=http://h/u.iso", "http://h/seed/user-data"),
    ('autoinstall "ds=nocloud-net;s=http://h/seed/" ip=dhcp', "http://h/seed/user-data"),
    ("ds=nocloud;h=x;seedfrom=http://h/s", "http://h/s/user-data"),
    ("url=http://h/u.ISO", ""),
    ("inst.ks=hd:sda1:/ks.cfg", ""),
    ("inst.ks=http://h/first inst.ks=http://h/second", "http://h/first"),
    ("root=/dev/nfs", ""),
    ("", ""),
]


@pytest.mark.parametrize(("args", "url"), ANSWERS)
def test_where_the_answers_are(args, url):
    assert script.answers_url(args) == url


@pytest.mark.parametrize(
    ("answers", "url"),
    [
        (
            "text\n# netprov-callback: http://h/api/v1/callback/t?status=done\n%post\n",
            "http://h/api/v1/callback/t?status=done",
        ),
        ("late_command wget 'http://h:81/api/v1/callback/t?status=done'", "http://h:81/api/v1/callback/t?status=done"),
        (
            "<source>http://h/api/v1/callback/t?a=b&amp;status=done</source>",
            "http://h/api/v1/callback/t?a=b&status=done",
        ),
        ("curl http://h/api/v1/callback/t?status=failed", ""),
        ("text\n", ""),
    ],
)
def test_where_the_end_is_reported(answers, url):
    assert script.callback_url(answers) == url


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (bytes(0x202) + b"HdrS", ""),
        (bytes(0x38) + b"ARM\x64", ""),
        (b"MZ", ""), (b"\x7fELF", ""), (b"\x1f\x8b", ""), (bytes(0x24) + b"\x18\x28\x6f\x01", ""),
        (b"", "is empty"),
        (b"<!DOCTYPE html>", "is not a kernel: it begins with b'<!DOCTYPE html>'"),
        (bytes(9), "is not a kernel"),
    ],
)  # fmt: skip
def test_what_can_be_a_kernel(data, words):
    assert script.no_kernel(data).startswith(words)
    assert bool(script.no_kernel(data)) == bool(words)
