# ruff: noqa: E501 - tables: a row a line
"""pxelinux.cfg as the domU's bootloader reads it. What PXELINUX 6.04 was seen to do in QEMU is marked so."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import PeerError
from netprov.mac import parse_mac
from netprov.scripts.facts import MachineFacts
from netprov.scripts.plan import Boot, BootPlan, Chain, Local, Refusal, concatenated
from netprov.scripts.pxelinux.boot import read
from netprov.scripts.pxelinux.config import parse
from netprov.scripts.pxelinux.names import Place, config_names, lookup_names, prefix_of, resolve_path
from netprov.scripts.pxelinux.sysappend import TABLE, sysappend
from netprov.scripts.straight import NotStraight

FACTS = MachineFacts(
    mac=parse_mac("00:16:3E:11:11:11"),
    ip=IPv4Address("192.168.4.114"),
    server=IPv4Address("192.168.4.102"),
    gateway=IPv4Address("192.168.4.1"),
    netmask=IPv4Address("255.255.255.0"),
    uuid="6F2B1C40-1111-4E00-8000-00163E111111",
    dmi={"SYSVENDOR": " Xen  Project "},
)


def booted(text: str, label: str | None = None, files: Mapping[str, str] | None = None) -> BootPlan:
    return read(text, FACTS, (files or {}).get, label=label).plan


BOOTS = {
    "a label": ("DEFAULT a\nLABEL a\n KERNEL vmlinuz\n APPEND initrd=i.gz ro\n", Boot("vmlinuz", ("i.gz",), "ro")),
    "tabs and case": ("default\ta\nlabel\ta\n\tkernel\tv\n\tAppend\tinitrd=i\tro\n", Boot("v", ("i",), "ro")),
    "CRLF": ("DEFAULT a\r\nLABEL a\r\n LINUX v\r\n", Boot("v")),
    "tabs in a command": ("DEFAULT a\tb  c\nLABEL a\nKERNEL v\n", Boot("v", (), "b  c")),
    "no APPEND (pypxeboot crashes)": ("DEFAULT a\nLABEL a\n LINUX v\n", Boot("v")),
    "two = (pypxeboot crashes)": ("DEFAULT a\nLABEL a\nKERNEL v\nAPPEND root=UUID=1-2\n", Boot("v", (), "root=UUID=1-2")),
    "order and duplicates kept": (
        "DEFAULT a\nLABEL a\nKERNEL v\nAPPEND console=tty0 b a console=ttyS0\n",
        Boot("v", (), "console=tty0 b a console=ttyS0"),
    ),
    "spaces kept (6.04)": ('DEFAULT a\nLABEL a\nKERNEL v\nAPPEND a="b  c"   d initrd=i\n', Boot("v", ("i",), 'a="b  c"   d')),
    "several initrds": ("DEFAULT a\nLABEL a\nKERNEL v\nAPPEND initrd=a,b x\n", Boot("v", ("a", "b"), "x")),
    "INITRD": ("DEFAULT a\nLABEL a\nLINUX v\nINITRD a,b,c\nAPPEND x\n", Boot("v", ("a", "b", "c"), "x")),
    "the first initrd=": ("DEFAULT a\nLABEL a\nLINUX v\nAPPEND initrd=a x initrd=b\n", Boot("v", ("a",), "x")),
    "initrd= before INITRD (6.04)": ("DEFAULT a\nLABEL a\nLINUX v\nINITRD a\nAPPEND initrd=b\n", Boot("v", ("b",))),
    "an empty initrd=": ("DEFAULT a\nLABEL a\nLINUX v\nAPPEND initrd= x\n", Boot("v", (), "x")),
    "not initrd=": ("DEFAULT a\nLABEL a\nLINUX v\nAPPEND rd.initrd=b noinitrd\n", Boot("v", (), "rd.initrd=b noinitrd")),
    "KERNEL with arguments": ("DEFAULT a\nLABEL a\nKERNEL v one\nAPPEND two\n", Boot("v", (), "one two")),
    "global APPEND": ("DEFAULT a\nAPPEND g\nLABEL a\nKERNEL v\n", Boot("v", (), "g")),
    "own APPEND instead": ("DEFAULT a\nAPPEND g\nLABEL a\nKERNEL v\nAPPEND o\n", Boot("v", (), "o")),
    "APPEND -": ("DEFAULT a\nAPPEND g\nLABEL a\nKERNEL v\nAPPEND -\n", Boot("v")),
    "a later APPEND is the last label's (6.04)": ("DEFAULT a\nLABEL a\nKERNEL v\nAPPEND o\n\nAPPEND g\n", Boot("v", (), "g")),
    "duplicates: the first": ("DEFAULT a\nLABEL a\nKERNEL one\nLABEL a\nKERNEL two\n", Boot("one")),
    "LABEL is the kernel": ("DEFAULT v\nLABEL v\nAPPEND x\n", Boot("v", (), "x")),
    "DEFAULT adds (6.04)": ("DEFAULT a y\nLABEL a\nKERNEL v\nIPAPPEND 2\nAPPEND x\n",
                            Boot("v", (), "x BOOTIF=01-00-16-3e-11-11-11 y")),
    "DEFAULT is a kernel": ("DEFAULT v initrd=i x\n", Boot("v", ("i",), "x")),
    "global APPEND is not for it (6.04)": ("DEFAULT v x\nAPPEND g\n", Boot("v", (), "x")),
    "SYSAPPEND global": ("DEFAULT a\nSYSAPPEND 2\nLABEL a\nKERNEL v\n", Boot("v", (), "BOOTIF=01-00-16-3e-11-11-11")),
    "SYSAPPEND own": ("DEFAULT a\nSYSAPPEND 2\nLABEL a\nKERNEL v\nSYSAPPEND 0\n", Boot("v")),
    "IPAPPEND hex": ("DEFAULT a\nLABEL a\nKERNEL v\nIPAPPEND 0x1\n",
                     Boot("v", (), "ip=192.168.4.114:192.168.4.102:192.168.4.1:255.255.255.0")),
    "IPAPPEND octal": ("DEFAULT a\nLABEL a\nKERNEL v\nIPAPPEND 020\n", Boot("v", (), "SYSVENDOR=Xen_Project")),
    "DEFAULT after the labels": ("LABEL a\nKERNEL v\nLABEL b\nKERNEL w\nDEFAULT b\n", Boot("w")),
    "DEFAULT knows a label by its first word, exactly": ("DEFAULT a c\nLABEL A\nKERNEL no\nLABEL a b\nKERNEL v\n", Boot("v", (), "c")),
    "PROMPT: the time runs out": ("PROMPT 1\nTIMEOUT 50\nDEFAULT a\nONTIMEOUT b x\nLABEL a\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("w", (), "x")),
    "PROMPT without ONTIMEOUT": ("PROMPT 1\nDEFAULT a\nLABEL a\nKERNEL v\n", Boot("v")),
    "PROMPT, but NOESCAPE": ("PROMPT 1\nNOESCAPE 1\nDEFAULT a\nONTIMEOUT b\nLABEL a\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("v")),
    "no PROMPT: ONTIMEOUT is not reached": ("DEFAULT a\nONTIMEOUT b\nLABEL a\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("v")),
    "ONTIMEOUT alone": ("ONTIMEOUT b\nLABEL a\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("w")),
    # menu.c32 takes DEFAULT's label where there is a UI line (has_ui && globaldefault), MENU DEFAULT else
    "UI: DEFAULT over MENU DEFAULT": ("UI menu.c32\nDEFAULT a\nLABEL a\nKERNEL v\nLABEL b\nMENU DEFAULT\nKERNEL w\n", Boot("v")),
    "UI: MENU DEFAULT": ("UI menu.c32\nLABEL a\nKERNEL v\nLABEL b\nMENU DEFAULT\nKERNEL w\n", Boot("w")),
    "UI: the last MENU DEFAULT": ("UI menu.c32\nLABEL a\nMENU DEFAULT\nKERNEL v\nLABEL b\nMENU DEFAULT\nKERNEL w\n", Boot("w")),
    "UI: DEFAULT is no label": ("UI menu.c32\nDEFAULT gone\nLABEL a\nKERNEL v\nLABEL b\nMENU DEFAULT\nKERNEL w\n", Boot("w")),
    "UI: DEFAULT is a hidden label": ("UI menu.c32\nDEFAULT a\nLABEL a\nMENU HIDE\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("w")),
    "UI: ONTIMEOUT": ("UI vesamenu.c32\nONTIMEOUT b y\nLABEL a\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("w", (), "y")),
    "UI: ONTIMEOUT over all": ("UI menu.c32\nTIMEOUT 9\nONTIMEOUT b\nDEFAULT a\nLABEL a\nMENU DEFAULT\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("w")),
    "UI: ONTIMEOUT a hidden label": ("UI menu.c32\nONTIMEOUT b\nLABEL a\nKERNEL v\nLABEL b\nMENU HIDE\nLOCALBOOT 0\n", Local("")),
    "UI: ONTIMEOUT a kernel": ("UI menu.c32\nONTIMEOUT k x\nLABEL a\nKERNEL v\n", Boot("k", (), "x")),
    "UI: SHIFTKEY knows no ONTIMEOUT": ("UI menu.c32\nMENU SHIFTKEY\nONTIMEOUT b\nLABEL a\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("v")),
    "UI: MENU DEFAULT of a menu below": ("UI menu.c32\nLABEL a\nKERNEL v\nMENU BEGIN x\nLABEL b\nMENU DEFAULT\nKERNEL w\nMENU END\n", Boot("v")),
    "UI: DEFAULT in a menu below": ("UI menu.c32\nDEFAULT b\nLABEL a\nKERNEL v\nMENU BEGIN x\nLABEL b\nKERNEL w\nMENU END\n", Boot("w")),
    "UI: ONTIMEOUT of a menu below": ("UI menu.c32\nLABEL a\nKERNEL v\nMENU BEGIN x\nONTIMEOUT b\nLABEL b\nKERNEL w\nMENU END\n", Boot("v")),
    "UI: MENU START": ("UI menu.c32\nLABEL a\nKERNEL v\nMENU BEGIN x\nMENU START\nLABEL b\nKERNEL w\nMENU END\n", Boot("w")),
    "UI: a menu first": ("UI menu.c32\nMENU BEGIN x\nLABEL b\nKERNEL w\nMENU END\nLABEL a\nKERNEL v\n", Refusal("")),
    "UI: a menu as MENU DEFAULT": ("UI menu.c32\nLABEL a\nKERNEL v\nMENU BEGIN x\nMENU DEFAULT\nLABEL b\nKERNEL w\nMENU END\n", Refusal("")),
    "UI: a move as MENU DEFAULT": ("UI menu.c32\nLABEL a\nKERNEL v\nLABEL b\nMENU DEFAULT\nMENU GOTO .top\n", Refusal("")),
    "UI: the first": ("UI vesamenu.c32\nLABEL a\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("v")),
    "UI: not a disabled one": ("UI menu.c32\nLABEL a\nMENU DISABLE\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("w")),
    "UI: not a separator": ("UI menu.c32\nMENU SEPARATOR\nLABEL b\nKERNEL w\n", Boot("w")),
    "UI: separators count": ("UI menu.c32\nLABEL a\nKERNEL v\nMENU SEPARATOR\nLABEL b\nMENU DEFAULT\nKERNEL w\n", Boot("w")),
    "UI: not a hidden one": ("UI menu.c32\nLABEL a\nMENU HIDE\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("w")),
    "UI goes over PROMPT": ("UI menu.c32\nPROMPT 1\nLABEL a\nKERNEL v\n", Boot("v")),
    "gfxboot": ("UI gfxboot.c32 bootlogo message\nDEFAULT b\nLABEL a\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("w")),
    "DEFAULT menu.c32": ("DEFAULT vesamenu.c32\nLABEL a\nKERNEL v\nLABEL b\nMENU DEFAULT\nKERNEL w\n", Boot("w")),
    "DEFAULT menu, as Cobbler": ("DEFAULT menu\nTIMEOUT 200\nONTIMEOUT b\nLABEL a\nKERNEL v\nLABEL b\nKERNEL w\n", Boot("w")),
    # menu.c32's first entry is m: it starts itself for ever, and nobody chooses b
    "DEFAULT a label that is the menu": ("DEFAULT m\nLABEL m\nKERNEL menu.c32\nLABEL b\nKERNEL w\n", Refusal("")),
    "a label that is the menu, with a default": ("DEFAULT m\nLABEL m\nKERNEL menu.c32\nLABEL b\nMENU DEFAULT\nKERNEL w\n", Boot("w")),
    "labels with blanks": ("DEFAULT menu.c32\nLABEL Big Install\nKERNEL v\nLABEL Big Rescue\nMENU DEFAULT\nKERNEL w\n", Boot("w")),
    "ifcpu64.c32": ("DEFAULT a\nLABEL a\nCOM32 ifcpu64.c32\nAPPEND b x -- c\nLABEL b\nKERNEL v64\nAPPEND y\nLABEL c\nKERNEL v32\n", Boot("v64", (), "y x")),
    "ifcpu.c32": ("DEFAULT a\nLABEL a\nKERNEL ifcpu.c32\nAPPEND 64 pae hypervisor -- b -- c\nLABEL b\nKERNEL w\nLABEL c\nKERNEL no\n", Boot("w")),
    "whichsys.c32": ("DEFAULT a\nLABEL a\nCOM32 whichsys\nAPPEND -iso- no -pxe- b -sys- no\nLABEL b\nKERNEL w\n", Boot("w")),
    "ifmemdsk.c32": ("DEFAULT a\nLABEL a\nCOM32 ifmemdsk.c32\nAPPEND no -- b\nLABEL b\nKERNEL w\n", Boot("w")),
    "cmd.c32": ("DEFAULT a\nLABEL a\nCOM32 cmd.c32\nAPPEND b\nLABEL b\nKERNEL w\n", Boot("w")),
    "config.c32": ("DEFAULT a\nLABEL a\nCOM32 config.c32\nAPPEND o/x.cfg o\n", Chain("o/x.cfg", "o")),
    "LINUX takes any name": ("DEFAULT a\nLABEL a\nLINUX vmlinuz-6.1.0\n", Boot("vmlinuz-6.1.0")),
    "KERNEL goes by the name's end": ("DEFAULT a\nLABEL a\nKERNEL vmlinuz-6.1.0\n", Refusal("")),
    "MENU BEGIN": ("DEFAULT b\nMENU BEGIN x\nLABEL b\nKERNEL w\nMENU END\nLABEL c\nKERNEL y\n", Boot("w")),
    "TEXT HELP": ("DEFAULT a\nLABEL a\nTEXT HELP\nKERNEL no\nLABEL no\nENDTEXT\nKERNEL v\n", Boot("v")),
    "comments": ("DEFAULT a\n# DEFAULT no\nLABEL a # b\n KERNEL v\n#APPEND no\n", Boot("v")),
    "ignored keywords": ("DEFAULT a\nSERIAL 0 9600\nF1 help.txt\nSAY hi\nDISPLAY x\nTIMEOUT 0\nNOESCAPE 1\nLABEL a\nKERNEL v\n", Boot("v")),
    "linux.c32": ("DEFAULT a\nLABEL a\nKERNEL linux.c32 v\nAPPEND initrd=i x\n", Boot("v", ("i",), "x")),
    "mboot.c32": (
        "DEFAULT a\nLABEL a\nKERNEL mboot.c32\nAPPEND xen.gz dom0_mem=512M --- vmlinuz root=/dev/ram a  b --- i.img --- ucode.bin\n",
        Boot("vmlinuz", ("i.img",), "root=/dev/ram a  b"),
    ),
    "mboot.c32 with COM32": ("DEFAULT a\nLABEL a\nCOM32 mboot\nAPPEND /x/xen-4.17.gz---\n", Refusal("")),
    "mboot.c32 without initrd": ("DEFAULT a\nLABEL a\nKERNEL mboot.c32\nAPPEND xen.gz --- v\nIPAPPEND 2\n",
                                 Boot("v", (), "BOOTIF=01-00-16-3e-11-11-11")),
    "LOCALBOOT": ("DEFAULT a\nLABEL a\nLOCALBOOT 0\n", Local("")),
    "bare localboot": ("DEFAULT a\nLABEL a\nlocalboot\n", Local("")),
    "LOCALBOOT 0x80": ("DEFAULT a\nLABEL a\nLOCALBOOT 0x80\n", Local("")),
    "chain.c32": ("DEFAULT a\nLABEL a\nKERNEL chain.c32\nAPPEND hd0 0\n", Local("")),
    "CONFIG": ("DEFAULT a\nLABEL a\nCONFIG other/x.cfg other\n", Chain("other/x.cfg", "other")),
    "memdisk": ("DEFAULT a\nLABEL a\nKERNEL memdisk\nINITRD x.img\n", Refusal("")),
    "an ISO": ("DEFAULT a\nLABEL a\nLINUX v\nINITRD x.iso\n", Refusal("")),
    "Windows": ("DEFAULT a\nLABEL a\nKERNEL pxeboot.0\n", Refusal("")),
    "wimboot": ("DEFAULT a\nLABEL a\nLINUX wimboot\nINITRD bcd,boot.sdi,boot.wim\n", Refusal("")),
    "iPXE": ("DEFAULT a\nLABEL a\nKERNEL undionly.kpxe\n", Refusal("")),
    "BOOT": ("DEFAULT a\nLABEL a\nBOOT boot.bin\n", Refusal("")),
    "other c32": ("DEFAULT a\nLABEL a\nCOM32 hdt.c32\n", Refusal("")),
    "no kernel": ("DEFAULT a\nLABEL a\nKERNEL\n", Refusal("")),
    "ESXi": ("DEFAULT a\nLABEL a\nKERNEL mboot.c32\nAPPEND -c boot.cfg\n", Refusal("")),
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
    config = parse([("pxelinux.cfg/default", text)], files.get)
    assert [(e.label, e.append, str(e.origin)) for e in config.entries if e.label] == [
        ("a", "g", "one.cfg:2"),
        ("b", "o", "two.cfg:1"),
        ("z", "g", "pxelinux.cfg/default:5"),
    ]
    assert config.notes == ("pxelinux.cfg/default:4: the file to include, gone.cfg, is not there",)
    assert booted(text, files=files) == Boot("w", (), "o")


def test_pxelinux_include_nesting() -> None:
    files = {f"f{n}": f"INCLUDE f{n + 1}\n" for n in range(1, 16)} | {"f16": "LABEL a\nKERNEL v\n"}
    assert parse([("f0", "INCLUDE f1\n")], files.get).entries[0].kernel == "v"
    with pytest.raises(PeerError, match="nested 16 deep"):
        parse([("x", "INCLUDE self\n")], {"self": "INCLUDE self\n"}.get)


def test_pxelinux_include_fault_is_not_absence() -> None:
    def failing(name: str) -> str | None:
        raise PeerError("the server stopped answering")

    with pytest.raises(PeerError, match="stopped answering"):
        read("INCLUDE one.cfg\n", FACTS, failing)


MENUS = {
    # text, label, other files, what boots
    "a menu's file": ("DEFAULT menu.c32 m.cfg\n", None, {"m.cfg": "LABEL a\nKERNEL v\n"}, Boot("v")),
    "a label's menu": ("DEFAULT a\nLABEL a\nKERNEL vesamenu.c32\nAPPEND m.cfg\n", None, {"m.cfg": "LABEL b\nKERNEL w\n"}, Boot("w")),
    "several files are one": ("UI menu.c32 g.conf m.cfg\n", None, {"g.conf": "ONTIMEOUT b\n", "m.cfg": "LABEL a\nKERNEL v\nLABEL b\nKERNEL w\n"}, Boot("w")),
    "~ is its own": ("UI menu.c32 ~ m.cfg\nLABEL a\nKERNEL v\n", None, {"m.cfg": "LABEL b\nMENU DEFAULT\nKERNEL w\n"}, Boot("w")),
    "~ knows of the UI": ("UI menu.c32 ~ m.cfg\nDEFAULT a\nLABEL a\nKERNEL v\n", None, {"m.cfg": "LABEL b\nMENU DEFAULT\nKERNEL w\n"}, Boot("v")),
    "another file does not": ("UI menu.c32 m.cfg\nDEFAULT a\n", None, {"m.cfg": "DEFAULT b\nLABEL a\nKERNEL v\nLABEL b\nKERNEL w\n"}, Boot("v")),
    "a file that is not there": ("UI menu.c32 gone.cfg m.cfg\n", None, {"m.cfg": "LABEL b\nKERNEL w\n"}, Boot("w")),
    "a title makes a menu of its own": ("UI menu.c32\nMENU INCLUDE m.cfg More\nLABEL a\nMENU DEFAULT\nKERNEL v\n", None,
                                        {"m.cfg": "LABEL b\nMENU DEFAULT\nKERNEL w\n"}, Boot("v")),
    "a label": ("LABEL Install\nKERNEL v\nLABEL b\nKERNEL w\n", "b", {}, Boot("w")),
    "a label in another case": ("LABEL Install\nKERNEL v\n", "install", {}, Boot("v")),
    "a label with blanks": ("DEFAULT menu.c32\nLABEL Big Install\nKERNEL v\nLABEL Big Rescue\nKERNEL w\n", "Big Rescue", {}, Boot("w")),
    "a label that is a menu": ("DEFAULT menu.c32\nLABEL a\nKERNEL v\nLABEL m\nKERNEL menu.c32\nAPPEND g.conf m.cfg\n", "m",
                               {"g.conf": "", "m.cfg": "LABEL b\nKERNEL w\n"}, Boot("w")),
    "a label of the menu that it leads to": ("DEFAULT menu.c32 m.cfg\n", "c", {"m.cfg": "LABEL b\nKERNEL w\nLABEL c\nKERNEL x\n"}, Boot("x")),
    "a label that is another file": ("DEFAULT a\nLABEL a\nKERNEL v\nLABEL c\nCONFIG o.cfg\n", "c", {}, Chain("o.cfg")),
    "a label of another file": ("DEFAULT c\nLABEL c\nCONFIG o.cfg\n", "x", {}, Chain("o.cfg", label="x")),
    "a label by its first word": ("LABEL a # b\nKERNEL v\n", "a", {}, Boot("v")),
}  # fmt: skip


@pytest.mark.parametrize("name", MENUS)
def test_pxelinux_menus_and_labels(name: str) -> None:
    text, label, files, wanted = MENUS[name]
    assert booted(text, label, files) == wanted


@pytest.mark.parametrize(
    ("text", "label", "error"),
    [
        ("LABEL Install\nKERNEL v\nLABEL b\nKERNEL w\n", "rescue", "no label rescue; its labels are Install, b"),
        ("DEFAULT a\nLABEL a\nKERNEL v\n", "rescue", "no label rescue; its labels are a"),
        ("DEFAULT menu.c32 m.cfg\n", "rescue", r"m\.cfg has no label rescue; it has no labels"),
        ("", "rescue", "it has no labels"),
    ],
)
def test_pxelinux_has_no_such_label(text: str, label: str, error: str) -> None:
    with pytest.raises(PeerError, match=error):
        booted(text, label)


NOTES = {
    "INCLUDE gone.cfg\nDEFAULT v\n": "c:1: the file to include, gone.cfg, is not there",
    "INCLUDE\nDEFAULT v\n": "c:1: INCLUDE without a file name",
    "\ufeffDEFAULT no\nDEFAULT v\n": "c:1: begins with a byte order mark, which spoils its first line: save it without",
    "DEFAULT v\nKERNAL w\n": "c:2: kernal is not a keyword of PXELINUX",
    "UI menu.c32 gone.cfg ~\nLABEL a\nKERNEL v\n": "c: the menu's file gone.cfg is not there",
    "UI menu.c32\nLABEL a\nKERNEL v\n": "a menu of 1 entries; with nobody at the keyboard label a boots",
}


@pytest.mark.parametrize("text", NOTES)
def test_pxelinux_notes(text: str) -> None:
    assert NOTES[text] in read(text, FACTS, {}.get, "c").notes


def test_pxelinux_notes_go_with_an_error() -> None:
    with pytest.raises(PeerError) as caught:
        read("KERNAL v\nINCLUDE gone\n", FACTS, {}.get, "c")
    assert caught.value.__notes__ == [
        "c:1: kernal is not a keyword of PXELINUX",
        "c:2: the file to include, gone, is not there",
    ]


def test_pxelinux_asks_what_only_a_running_machine_knows() -> None:
    with pytest.raises(NotStraight, match=r"c:2: ifcpu\.c32 asks"):
        read("DEFAULT a\nLABEL a\nCOM32 ifcpu.c32\nAPPEND multicore -- b -- c\n", FACTS, {}.get, "c")


@pytest.mark.parametrize("text", ["LABEL a\nKERNEL v\n", "PROMPT 1\nLABEL a\nKERNEL v\n"])
def test_pxelinux_stops_at_its_prompt(text: str) -> None:
    """Without UI, DEFAULT and ONTIMEOUT a board waits at "boot:" for ever; no label boots by standing first."""
    with pytest.raises(PeerError, match="neither UI nor DEFAULT"):
        booted(text)


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
        "ONTIMEOUT",
        "COM32",
        "ifcpu64.c32",
        "--",
        "SEPARATOR",
        "GOTO",
        "HIDE",
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
        for label in (None, "a", "b"):
            assert isinstance(
                read(text, FACTS, lambda name: text if name == "x.cfg" else None, label=label).plan, BootPlan
            )
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
