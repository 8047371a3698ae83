# ruff: noqa: E501 - tables: a row a line
"""pxelinux.cfg as the domU's bootloader reads it. What PXELINUX 6.04 was seen to do in QEMU is marked so."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import PeerError
from netprov.mac import parse_mac
from netprov.scripts.facts import MachineFacts
from netprov.scripts.plan import Boot, BootPlan, Chain, Local, Refusal, concatenated
from netprov.scripts.pxelinux.choose import choose, plan
from netprov.scripts.pxelinux.config import parse
from netprov.scripts.pxelinux.names import Place, config_names, lookup_names, prefix_of, resolve_path
from netprov.scripts.pxelinux.sysappend import TABLE, sysappend

FACTS = MachineFacts(
    mac=parse_mac("00:16:3E:11:11:11"),
    ip=IPv4Address("192.168.4.114"),
    server=IPv4Address("192.168.4.102"),
    gateway=IPv4Address("192.168.4.1"),
    netmask=IPv4Address("255.255.255.0"),
    uuid="6F2B1C40-1111-4E00-8000-00163E111111",
    dmi={"SYSVENDOR": " Xen  Project "},
)


def booted(text: str, label: str | None = None, **files: str) -> BootPlan:
    config = parse(text, {name.replace("_", "."): body for name, body in files.items()}.get)
    return plan(choose(config, label), FACTS)


ONE = "LABEL a\n KERNEL {}\n"

BOOTS = {
    "a label": ("DEFAULT a\nLABEL a\n KERNEL vmlinuz\n APPEND initrd=i.gz ro\n", Boot("vmlinuz", ("i.gz",), "ro")),
    "tabs and case": ("default\ta\nlabel\ta\n\tkernel\tv\n\tAppend\tinitrd=i\tro\n", Boot("v", ("i",), "ro")),
    "CRLF": ("DEFAULT a\r\nLABEL a\r\n LINUX v\r\n", Boot("v")),
    "no APPEND (pypxeboot crashes)": ("DEFAULT a\nLABEL a\n LINUX v\n", Boot("v")),
    "two = (pypxeboot crashes)": ("DEFAULT a\nLABEL a\nKERNEL v\nAPPEND root=UUID=1-2\n", Boot("v", (), "root=UUID=1-2")),
    "order and duplicates kept": (
        "LABEL a\nKERNEL v\nAPPEND console=tty0 b a console=ttyS0\n",
        Boot("v", (), "console=tty0 b a console=ttyS0"),
    ),
    "spaces kept (6.04)": ('LABEL a\nKERNEL v\nAPPEND a="b  c"   d initrd=i\n', Boot("v", ("i",), 'a="b  c"   d')),
    "several initrds": ("LABEL a\nKERNEL v\nAPPEND initrd=a,b x\n", Boot("v", ("a", "b"), "x")),
    "INITRD": ("LABEL a\nLINUX v\nINITRD a,b,c\nAPPEND x\n", Boot("v", ("a", "b", "c"), "x")),
    "the first initrd=": ("LABEL a\nLINUX v\nAPPEND initrd=a x initrd=b\n", Boot("v", ("a",), "x")),
    "initrd= before INITRD (6.04)": ("LABEL a\nLINUX v\nINITRD a\nAPPEND initrd=b\n", Boot("v", ("b",))),
    "an empty initrd=": ("LABEL a\nLINUX v\nAPPEND initrd= x\n", Boot("v", (), "x")),
    "not initrd=": ("LABEL a\nLINUX v\nAPPEND rd.initrd=b noinitrd\n", Boot("v", (), "rd.initrd=b noinitrd")),
    "KERNEL with arguments": ("LABEL a\nKERNEL v one\nAPPEND two\n", Boot("v", (), "one two")),
    "global APPEND": ("APPEND g\nLABEL a\nKERNEL v\n", Boot("v", (), "g")),
    "own APPEND instead": ("APPEND g\nLABEL a\nKERNEL v\nAPPEND o\n", Boot("v", (), "o")),
    "APPEND -": ("APPEND g\nLABEL a\nKERNEL v\nAPPEND -\n", Boot("v")),
    "a later APPEND is the last label's (6.04)": ("LABEL a\nKERNEL v\nAPPEND o\n\nAPPEND g\n", Boot("v", (), "g")),
    "duplicates: the first": ("DEFAULT a\nLABEL a\nKERNEL one\nLABEL a\nKERNEL two\n", Boot("one")),
    "LABEL is the kernel": ("DEFAULT v\nLABEL v\nAPPEND x\n", Boot("v", (), "x")),
    "DEFAULT adds (6.04)": ("DEFAULT a y\nLABEL a\nKERNEL v\nIPAPPEND 2\nAPPEND x\n",
                            Boot("v", (), "x BOOTIF=01-00-16-3e-11-11-11 y")),
    "DEFAULT is a kernel": ("DEFAULT v initrd=i x\n", Boot("v", ("i",), "x")),
    "global APPEND is not for it (6.04)": ("DEFAULT v x\nAPPEND g\n", Boot("v", (), "x")),
    "SYSAPPEND global": ("SYSAPPEND 2\nLABEL a\nKERNEL v\n", Boot("v", (), "BOOTIF=01-00-16-3e-11-11-11")),
    "SYSAPPEND own": ("SYSAPPEND 2\nLABEL a\nKERNEL v\nSYSAPPEND 0\n", Boot("v")),
    "IPAPPEND hex": ("LABEL a\nKERNEL v\nIPAPPEND 0x1\n",
                     Boot("v", (), "ip=192.168.4.114:192.168.4.102:192.168.4.1:255.255.255.0")),
    "IPAPPEND octal": ("LABEL a\nKERNEL v\nIPAPPEND 020\n", Boot("v", (), "SYSVENDOR=Xen_Project")),
    "UI: MENU DEFAULT": ("UI menu.c32\nDEFAULT a\nLABEL a\nKERNEL v\nLABEL b\nMENU DEFAULT\nKERNEL w\n", Boot("w")),
    "UI: ONTIMEOUT": ("UI vesamenu.c32\nONTIMEOUT b y\nLABEL a\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("w", (), "y")),
    "UI: the first": ("UI vesamenu.c32\nLABEL a\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("v")),
    "UI: not a disabled one": ("UI menu.c32\nLABEL a\nMENU DISABLE\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("w")),
    "UI: not a hidden one": ("UI menu.c32\nLABEL a\nMENU HIDE\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("w")),
    "DEFAULT menu.c32": ("DEFAULT vesamenu.c32\nLABEL a\nKERNEL v\nLABEL b\nMENU DEFAULT\nKERNEL w\n", Boot("w")),
    "DEFAULT menu, as Cobbler": ("DEFAULT menu\nTIMEOUT 200\nONTIMEOUT b\nLABEL a\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("w")),
    "DEFAULT a label that is the menu": ("DEFAULT m\nLABEL m\nKERNEL menu.c32\nLABEL b\nKERNEL w\n", Boot("w")),
    "no DEFAULT": ("LABEL a\nKERNEL v\n", Boot("v")),
    "MENU BEGIN": ("DEFAULT b\nMENU BEGIN x\nLABEL b\nKERNEL w\nMENU END\nLABEL c\nKERNEL y\n", Boot("w")),
    "TEXT HELP": ("LABEL a\nTEXT HELP\nKERNEL no\nLABEL no\nENDTEXT\nKERNEL v\n", Boot("v")),
    "comments": ("# DEFAULT no\nLABEL a # b\n KERNEL v\n#APPEND no\n", Boot("v")),
    "ignored keywords": ("SERIAL 0 9600\nF1 help.txt\nSAY hi\nDISPLAY x\nTIMEOUT 0\nNOESCAPE 1\nLABEL a\nKERNEL v\n", Boot("v")),
    "linux.c32": ("LABEL a\nKERNEL linux.c32 v\nAPPEND initrd=i x\n", Boot("v", ("i",), "x")),
    "mboot.c32": (
        "LABEL a\nKERNEL mboot.c32\nAPPEND xen.gz dom0_mem=512M --- vmlinuz root=/dev/ram a  b --- i.img --- ucode.bin\n",
        Boot("vmlinuz", ("i.img",), "root=/dev/ram a  b"),
    ),
    "mboot.c32 with COM32": ("LABEL a\nCOM32 mboot\nAPPEND /x/xen-4.17.gz---\n", Refusal("")),
    "mboot.c32 without initrd": ("LABEL a\nKERNEL mboot.c32\nAPPEND xen.gz --- v\nIPAPPEND 2\n",
                                 Boot("v", (), "BOOTIF=01-00-16-3e-11-11-11")),
    "LOCALBOOT": ("LABEL a\nLOCALBOOT 0\n", Local("")),
    "bare localboot": ("DEFAULT a\nLABEL a\nlocalboot\n", Local("")),
    "LOCALBOOT 0x80": ("LABEL a\nLOCALBOOT 0x80\n", Local("")),
    "chain.c32": ("LABEL a\nKERNEL chain.c32\nAPPEND hd0 0\n", Local("")),
    "CONFIG": ("LABEL a\nCONFIG other/x.cfg other\n", Chain("other/x.cfg", "other")),
    "a menu elsewhere": ("DEFAULT a\nLABEL a\nKERNEL vesamenu.c32\nAPPEND b.cfg\n", Chain("b.cfg")),
    "UI of another file": ("UI menu.c32 b.cfg\n", Chain("b.cfg")),
    "memdisk": ("LABEL a\nKERNEL memdisk\nINITRD x.img\n", Refusal("")),
    "an ISO": ("LABEL a\nLINUX v\nINITRD x.iso\n", Refusal("")),
    "Windows": ("LABEL a\nKERNEL pxeboot.0\n", Refusal("")),
    "wimboot": ("LABEL a\nLINUX wimboot\nINITRD bcd,boot.sdi,boot.wim\n", Refusal("")),
    "iPXE": ("LABEL a\nKERNEL undionly.kpxe\n", Refusal("")),
    "BOOT": ("LABEL a\nBOOT boot.bin\n", Refusal("")),
    "other c32": ("LABEL a\nCOM32 hdt.c32\n", Refusal("")),
    "no kernel": ("LABEL a\nKERNEL\n", Refusal("")),
    "ESXi": ("LABEL a\nKERNEL mboot.c32\nAPPEND -c boot.cfg\n", Refusal("")),
}  # fmt: skip


@pytest.mark.parametrize("name", BOOTS)
def test_pxelinux_boots(name: str) -> None:
    text, wanted = BOOTS[name]
    got = booted(text)
    if isinstance(wanted, Local | Refusal):
        assert type(got) is type(wanted)
        assert "pxelinux.cfg/default:" in (got.said if isinstance(got, Local) else got.reason)
    else:
        assert got == wanted


def test_pxelinux_include() -> None:
    text = "DEFAULT b\nINCLUDE one.cfg\nMENU INCLUDE two.cfg Sub\nINCLUDE gone.cfg\nLABEL z\nKERNEL z\n"
    files = {"one.cfg": "APPEND g\nLABEL a\nKERNEL v\n", "two.cfg": "LABEL b\nKERNEL w\nAPPEND o\n"}
    config = parse(text, files.get)
    assert [(e.label, e.append, str(e.origin)) for e in config.entries] == [
        ("a", "g", "one.cfg:2"),
        ("b", "o", "two.cfg:1"),
        ("z", "g", "pxelinux.cfg/default:5"),
    ]
    assert config.notes == ("pxelinux.cfg/default:4: the file to include, gone.cfg, is not there",)
    assert plan(choose(config), FACTS) == Boot("w", (), "o")


def test_pxelinux_include_nesting() -> None:
    files = {f"f{n}": f"INCLUDE f{n + 1}\n" for n in range(1, 16)} | {"f16": "LABEL a\nKERNEL v\n"}
    assert parse("INCLUDE f1\n", files.get).entries[0].kernel == "v"
    with pytest.raises(PeerError, match="nested 16 deep"):
        parse("INCLUDE self\n", {"self": "INCLUDE self\n"}.get)


def test_pxelinux_include_fault_is_not_absence() -> None:
    def failing(name: str) -> str | None:
        raise PeerError("the server stopped answering")

    with pytest.raises(PeerError, match="stopped answering"):
        parse("INCLUDE one.cfg\n", failing)


def test_pxelinux_label() -> None:
    text = "LABEL Install\nKERNEL v\nLABEL b\nKERNEL w\n"
    assert booted(text, "b") == Boot("w")
    assert booted(text, "install") == Boot("v")
    with pytest.raises(PeerError, match="no label rescue; its labels are Install, b"):
        booted(text, "rescue")


@pytest.mark.parametrize("text", ["", "# nothing\n", "UI menu.c32\n", "IMPLICIT 0\nDEFAULT v\n", "\0\1\2"])
def test_pxelinux_boots_nothing(text: str) -> None:
    with pytest.raises(PeerError, match=r"pxelinux\.cfg/default"):
        booted(text)


_WORDS = st.sampled_from(
    [
        "LABEL",
        "KERNEL",
        "APPEND",
        "DEFAULT",
        "UI",
        "MENU",
        "INCLUDE",
        "initrd=a",
        "menu.c32",
        "mboot.c32",
        "---",
        "xen.gz",
        "a",
        "b",
        "-",
        "x.cfg",
        "BEGIN",
        "END",
        "\n",
        "0x3",
    ]
)


@given(st.lists(_WORDS, max_size=40).map(" ".join) | st.text())
def test_pxelinux_any_text(text: str) -> None:
    try:
        config = parse(text, lambda name: None)
        assert isinstance(plan(choose(config), FACTS), BootPlan)
        for entry in config.entries:
            plan(entry, FACTS)
    except PeerError:
        pass


def test_lookup_names() -> None:
    assert lookup_names(FACTS.uuid, FACTS.mac, IPv4Address("192.0.2.91")) == [
        "pxelinux.cfg/" + name
        for name in (
            "6f2b1c40-1111-4e00-8000-00163e111111", "01-00-16-3e-11-11-11",
            "C000025B", "C000025", "C00002", "C0000", "C000", "C00", "C0", "C", "default",
        )
    ]  # fmt: skip
    assert lookup_names() == ["pxelinux.cfg/default"]


@pytest.mark.parametrize(
    ("prefix", "name", "place"),
    [
        ("", "k", Place("k")),
        ("/sub/", "k", Place("/sub/k")),
        ("/sub/", "/k", Place("/sub//k")),  # 6.04
        ("/sub/", "::k", Place("k")),
        ("/sub/", "10.0.0.1::k/x", Place("k/x", "10.0.0.1")),
        ("10.0.0.1::sub/", "k", Place("sub/k", "10.0.0.1")),
        ("/sub/", "http://h/k", Place(url="http://h/k")),
        ("/sub/", "tftp://h/k/x", Place("k/x", "h")),
        ("http://h/sub/", "k/x", Place(url="http://h/sub/k/x")),
        ("http://h/sub/", "/k", Place(url="http://h/k")),
        ("http://h/sub/", "::k", Place("k")),
        ("tftp://h/sub/", "k", Place("sub/k", "h")),
    ],
)
def test_resolve_path(prefix: str, name: str, place: Place) -> None:
    assert resolve_path(prefix, name) == place


@pytest.mark.parametrize("name", ["", "file:///etc/passwd", "a\nb", "tftp://h", "gopher://h/x"])
def test_resolve_path_refuses(name: str) -> None:
    with pytest.raises(PeerError):
        resolve_path("/sub/", name)


def test_options_209_and_210() -> None:
    assert prefix_of("/sub/pxelinux.0") == "/sub/"
    assert prefix_of("pxelinux.0") == ""
    assert prefix_of(r"boot\x86\pxelinux.0") == "boot\\x86\\"
    assert prefix_of("http://h/a/lpxelinux.0") == "http://h/a/"
    assert prefix_of("/sub/pxelinux.0", "http://h/b/") == "http://h/b/"
    assert config_names("/sub/", ["pxelinux.cfg/default"], "my.cfg") == [Place("/sub/my.cfg")]
    assert config_names("/sub/", ["a", "b"]) == [Place("/sub/a"), Place("/sub/b")]


def test_sysappend_table() -> None:
    assert [bit for bit, _ in TABLE] == [1 << n for n in range(19)]
    everything = MachineFacts(FACTS.mac, uuid="A", cpu="6PVXL", dmi={name: "x" for _, name in TABLE[4:]})
    assert [word.partition("=")[0] for word in sysappend(0x7FFFF, everything).split()] == [n for _, n in TABLE[1:]]
    assert sysappend(1, MachineFacts(ip=IPv4Address("10.0.2.15"))) == "ip=10.0.2.15:0.0.0.0:0.0.0.0:0.0.0.0"  # 6.04
    assert sysappend(0x7FFFF, MachineFacts()) == ""


def test_initrds_concatenated() -> None:
    assert concatenated([b"a" * 5000, b"b" * 4096, b"c"]) == b"a" * 5000 + bytes(8192 - 5000) + b"b" * 4096 + b"c"
    assert concatenated([b"a"]) == b"a"
    assert concatenated([]) == b""
