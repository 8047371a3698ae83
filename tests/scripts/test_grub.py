# ruff: noqa: E501 - tables: a row a line
"""grub.cfg as the domU's bootloader reads it. What grub-emu 2.06 was seen to do is marked so."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import PeerError
from netprov.mac import parse_mac
from netprov.scripts.facts import MachineFacts
from netprov.scripts.grub.condition import holds
from netprov.scripts.grub.config import read
from netprov.scripts.grub.environment import Device
from netprov.scripts.grub.syntax import parse_script
from netprov.scripts.plan import Boot, BootPlan, Chain, Local, Refusal
from netprov.scripts.straight import NotStraight

FACTS = MachineFacts(
    mac=parse_mac("00:16:3e:11:11:11"), ip=IPv4Address("10.0.0.5"), server=IPv4Address("10.0.0.1"), uuid="u-1",
    dmi={"SYSSERIAL": "S1"}, boot_file="grub/core.0", options={12: b"lady", 252: b"wpad"},
)  # fmt: skip
AB = "menuentry A {\n linux /a\n}\nmenuentry B --id b {\n linux /b\n}\n"
SUB = "menuentry A {\nlinux /a\n}\nsubmenu S --id s {\nmenuentry B --id b {\nlinux /b\n}\nmenuentry 'C c' {\nlinux /c\n}\n}\nmenuentry D {\nlinux /d\n}\n"


def plan(text: str, label: str | None = None, files: Mapping[str, str] | None = None) -> BootPlan:
    return read(text, FACTS, label=label, files=None if files is None else files.get).plan


BOOTS = {
    "commands": ("linux /v ro a=1\ninitrd /i /j\nboot\nlinux /no\n", Boot("/v", ("/i", "/j"), "ro a=1")),
    "no boot": ("linux /v\ninitrd /i\n", Boot("/v", ("/i",))),
    "linuxefi": ("linuxefi /v\ninitrdefi /i", Boot("/v", ("/i",))),
    "another linux forgets the initrd": ("linux /v\ninitrd /i\nlinux /w\nboot\n", Boot("/w")),
    "any name": ("linux /vmlinuz-6.1.0\ninitrd /initrd.img\n", Boot("/vmlinuz-6.1.0", ("/initrd.img",))),
    "quotes": ("linux /v 'a b' \"c=$net_default_mac\" d\\ e\n", Boot("/v", (), '"a b" c=00:16:3e:11:11:11 "d e"')),
    "quotes within": ("linux /v a='\"b\"' \"it's\"\n", Boot("/v", (), "a=\\\"b\\\" it\\'s")),
    "variables": ("set k=/x/v\nset args='a b'\nlinux $k ${args} \"${args}\"", Boot("/x/v", (), 'a b "a b"')),
    "no variable": ("linux /v $none a$none \"$none\" ${none}b\n", Boot("/v", (), "a  b")),
    "assignment": ("k=/v\nlinux $k\n", Boot("/v")),
    "assignment of nothing": ("k=/v\nk=\nset j=/w\nlinux $k$j\n", Boot("/w")),
    "unset": ("set k=a\nunset k\nlinux /v $k b\n", Boot("/v", (), "b")),
    "comments": ("# linux /no\nlinux /v#x # y\n", Boot("/v#x")),
    "joined lines": ("linux /v a \\\n b\n", Boot("/v", (), "a b")),
    "quotes over lines": ("linux /v 'a\nb'\n", Boot("/v", (), "a\nb")),
    "semicolons": ("set a=1; linux /v $a ; boot; linux /no\n", Boot("/v", (), "1")),
    "a name that is none (grub-emu)": ("frobnicate\nif frobnicate; then\n linux /v\nelse\n linux /no\nfi\n", Boot("/v")),
    # places
    "http": ("linux (http,10.0.0.9:8080)/v\ninitrd (tftp,10.0.0.9)/i\n", Boot("http://10.0.0.9:8080/v", ("tftp://10.0.0.9/i",))),
    "the same server": ("linux (tftp)/v\ninitrd (tftp,10.0.0.1)/i (pxe)/j\n", Boot("/v", ("/i", "/j"))),
    "http of the same server": ("linux (http)/v\n", Boot("http://10.0.0.1/v")),
    "root": ("set root=(http,h)\nlinux /v\ninitrd (tftp)/i\n", Boot("http://h/v", ("/i",))),
    "root is as it was": ("set old=$root\nset root=(http,h)\nset root=$old\nlinux ($root)/v\n", Boot("/v")),
    "another default server": ("set net_default_server=10.0.0.9\nlinux (tftp)/v\ninitrd /i\n", Boot("tftp://10.0.0.9/v", ("/i",))),
    "prefix": ("linux $prefix/v\n", Boot("/grub/v")),
    "what DHCP told": ("linux /v $net_efinet0_hostname $net_default_ip $net_pxe_boot_file\n", Boot("/v", (), "lady 10.0.0.5 grub/core.0")),
    # conditions
    "if linux; then": ("if linux /v a ; then\n if initrd /i ; then\n  boot\n fi\nfi\necho no\nexit 1\n", Boot("/v", ("/i",), "a")),
    "if platform": ('if [ "$grub_platform" = pc ]; then\n exit\nelif [ "${grub_cpu}" == x86_64 ]; then\n linux /v\nelse\n exit\nfi\n', Boot("/v")),
    "else": ("if false; then\n linux /a\nelse\n linux /b\nfi\n", Boot("/b")),
    "!": ("if ! false; then linux /v; fi\n", Boot("/v")),
    "-a and -o": ("if [ a = b -o c = c -a d = d ]; then linux /v; else linux /no; fi\n", Boot("/v")),
    "$?": ("false\nif [ $? -eq 0 ]; then linux /no; else linux /v; fi\n", Boot("/v")),
    "the last of a condition counts": ("if false; true; then linux /v; fi\n", Boot("/v")),
    "an unset word (grub-emu)": ("if [ $none = x ]; then linux /v; fi\n", Boot("/v")),
    # GRUB knows neither || nor &&: the line falls, and what was between it and fi is run as it stands (grub-emu)
    "||": ("if [ a = b ] || [ c = c ]; then\n linux /v\nfi\n", Boot("/v")),
    "|| runs both branches": ("if [ a = a ] || [ c = c ]; then\n linux /a\nelse\n linux /b\nfi\n", Boot("/b")),
    "&& drops its line": ("linux /v\nlinux /a && linux /b\n", Boot("/v")),
    "a block that is none": ("menuentry A {\n if [ a ] || [ b ]; then\n linux /x\n fi\n}\n" + AB, Boot("/a")),
    "a brace too many": ("linux /v\n}\ninitrd /i\n", Boot("/v", ("/i",))),
    "an empty block is none": ("menuentry E {\n}\n" + AB, Boot("/a")),
    # loops and functions
    "for": ("for i in a b; do set l=$l$i; done\nlinux /v $l\n", Boot("/v", (), "ab")),
    "for of a variable's words": ("set w='a b'\nfor i in $w c; do\n l=$l-$i\ndone\nlinux /v $l\n", Boot("/v", (), "-a-b-c")),
    "break and continue": ("for i in a b c d; do\nif [ $i = b ]; then continue; fi\nif [ $i = d ]; then break; fi\nl=$l$i\ndone\nlinux /v $l\n", Boot("/v", (), "ac")),
    "while": ("while [ x$n != xaaa ]; do n=${n}a; done\nlinux /v $n\n", Boot("/v", (), "aaa")),
    "until": ("until [ x$n = xaa ]; do\n n=${n}a\ndone\nlinux /v $n\n", Boot("/v", (), "aa")),
    "break of two loops": ("for i in a b; do for j in c d; do l=$l$i$j; break 2; done; done\nlinux /v $l\n", Boot("/v", (), "ac")),
    "break where nothing loops": ("break\nreturn\nlinux /v\n", Boot("/v")),
    "break does not leave its function": ("function f { break; }\nfor i in a b; do f; l=$l$i; done\nlinux /v $l\n", Boot("/v", (), "ab")),
    "function": ("function f {\n linux $1 \"$2\" $#\n}\nf /v 'a b'\n", Boot("/v", (), '"a b" 2')),
    "function's status": ("function f { return 1; }\nif f; then linux /no; else linux /v; fi\n", Boot("/v")),
    "function's $@ and shift": ("function f { shift; linux $@; }\nf x /v a\n", Boot("/v", (), "a")),
    "function of an unknown name": ("function load_video { insmod all_video; }\nload_video\nlinux /v\n", Boot("/v")),
    "eval": ("eval 'linux /v a'\n", Boot("/v", (), "a")),
    # commands
    "ignored": ("insmod http\nset timeout=5\nload_video\necho 'it''s' $undefined\nsearch --set=x --file /x\nsmbios -t 1\nnet_ls_cards\ndevicetree /x\nlinux /v\n", Boot("/v")),
    "regexp": ("regexp --set=1:a --set b --set 2:c '^(.*),(.*)$' tftp,h\nlinux /v $a $b $c\n", Boot("/v", (), "tftp tftp h")),
    "regexp as Foreman": ("regexp --set=1:m1 --set=2:m2 '^([0-9a-f]{1,2})\\:([0-9a-f]{1,2})\\:' \"$net_default_mac\"\nlinux /v ${m1}-${m2}\n", Boot("/v", (), "00-16")),
    "regexp fails": ("set a=old\nif regexp --set a x y; then linux /no; else linux /v $a; fi\n", Boot("/v", (), "old")),
    "tr": ("tr --set m : - $net_default_mac\ntr -U --set n abc\nlinux /v $m $n\n", Boot("/v", (), "00-16-3e-11-11-11 ABC")),
    "smbios": ("smbios --type 1 --get-string 7 --set s\nsmbios -t 1 --get-uuid 8 --set u\nsmbios -t 1 --get-string 4 --set v\nlinux /v $s $u $v.\n", Boot("/v", (), "S1 u-1 .")),
    "net_get_dhcp_option": ("net_get_dhcp_option w efinet0 252 string\nnet_get_dhcp_option x efinet0 99 string\nlinux /v $w $x.\n", Boot("/v", (), "wpad .")),
    "xen": ("multiboot2 /xen.gz placeholder\nmodule2 /v root=x a\nmodule2 --nounzip /i\n", Boot("/v", ("/i",), "root=x a")),
    # ends
    "local": ("exit 1\n", Local("grub.cfg:1: exit 1")),
    "chainloader +1": ("set root=hd0\nchainloader +1\nboot\n", Local("grub.cfg:2: chainloader +1")),
    # the first disk's boot sector, whatever network the script came by
    "chainloader of a disk": ("chainloader (hd0)+1\nboot\n", Local("grub.cfg:1: chainloader (hd0)+1")),
    "an efi program": ("chainloader /ipxe.efi\nboot\n", Refusal("")),
    "an efi program that is not booted": ("chainloader /ipxe.efi\nlinux /v\nboot\n", Boot("/v")),
    "Windows": ("linux16 /wimboot\ninitrd16 /x.wim\n", Refusal("")),
    "BSD": ("kfreebsd /k\nboot\n", Refusal("")),
    "reboot": ("reboot\n", Refusal("")),
    "a password": ("set superusers=root\npassword root x\nmenuentry A {\n linux /a\n}\n", Refusal("")),
    "no password": ("set superusers=root\nmenuentry A --unrestricted {\n linux /a\n}\n", Boot("/a")),
}  # fmt: skip


@pytest.mark.parametrize("name", BOOTS)
def test_grub_boots(name: str) -> None:
    text, wanted = BOOTS[name]
    got = plan(text)
    if isinstance(wanted, Refusal):
        assert isinstance(got, Refusal)
        assert "grub.cfg:" in got.reason
    else:
        assert got == wanted


DEFAULTS = {
    # what `default` is, in which menu, and what boots: the same that grub-emu 2.06 boots
    ("", AB): "/a",
    ("set default=1\n", AB): "/b",
    ("set default='b'\n", AB): "/b",
    ("set default=A\n", AB): "/a",
    ("set default=7\n", AB): "/a",
    ("set default=saved\n", AB): "/a",
    ("set default='${saved_entry}'\n", AB): "/a",
    ("set default=\n", AB): "/a",
    ("default=1\n", AB): "/b",
    ("set default=2\n", SUB): "/d",
    ("set default=1\n", SUB): "/b",
    ("set default='1>1'\n", SUB): "/c",
    ("set default='1>C c'\n", SUB): "/c",
    ("set default='S>b'\n", SUB): "/b",
    ("set default='s>C c'\n", SUB): "/c",
    ("set default='s>gone'\n", SUB): "/b",
    ("set default='b'\n", SUB): "/a",
    ("set default='x>>y'\n", "menuentry A {\nlinux /a\n}\nmenuentry 'x>y' {\nlinux /b\n}\n"): "/b",
    ("set fallback=1\n", "menuentry A {\ntrue\n}\nmenuentry B {\nlinux /b\n}\n"): "/b",
    ("set fallback='gone B'\n", "menuentry A {\ntrue\n}\nmenuentry B {\nlinux /b\n}\n"): "/b",
}


@pytest.mark.parametrize(("head", "menu"), DEFAULTS)
def test_grub_default(head: str, menu: str) -> None:
    assert plan(head + menu) == Boot(DEFAULTS[head, menu])


LABELS = {
    ("B", AB): "/b", ("b", AB): "/b", ("1", AB): "/b", ("2", SUB): "/d", ("1>1", SUB): "/c", ("S>b", SUB): "/b",
    ("b", SUB): "/b", ("C c", SUB): "/c", ("S", SUB): "/b",
}  # fmt: skip


@pytest.mark.parametrize(("label", "menu"), LABELS)
def test_grub_label(label: str, menu: str) -> None:
    """An entry of a submenu is found without its path too."""
    assert plan(f"set default=0\n{menu}", label) == Boot(LABELS[label, menu])


def test_grub_falls_back_only_where_the_default_boots_nothing() -> None:
    assert read(f"set fallback=1\n{AB}", FACTS).notes == ()
    text = "set fallback=1\nmenuentry A {\ntrue\n}\nmenuentry B {\nlinux /b\n}\n"
    assert read(text, FACTS).notes == ("the default entry boots nothing: fallback=1",)
    with pytest.raises(PeerError, match="entry 'A': names no kernel"):
        plan(text, "A")


def test_grub_entry_has_its_title_and_options() -> None:
    text = "menuentry_id_option=--id\nmenuentry 'T t' --class x $menuentry_id_option b --hotkey=k --users '' more { linux /v \"$1\" $2; }\n"
    assert plan(text, "b") == Boot("/v", (), '"T t" more')


def test_grub_submenus_know_what_is_exported() -> None:
    text = "a=1\nexport b\nset b=2\nsubmenu S {\nmenuentry E {\n linux /v a=$a b=$b \n}\n}\n"
    assert plan(text) == Boot("/v", (), "a= b=2")


FILES = {
    # text, label, files, what boots
    "configfile": ("configfile /c.cfg\nlinux /no\n", None, {"/c.cfg": "linux /v\nboot\n"}, Boot("/v")),
    "configfile that is not there": ("configfile /gone\nlinux /v\n", None, {}, Boot("/v")),
    "configfile's menu": ("set default=1\nconfigfile /c.cfg\n" + AB, None, {"/c.cfg": AB}, Boot("/a")),
    "configfile's exported default": ("export default\nset default=1\nconfigfile /c.cfg\n", None, {"/c.cfg": AB}, Boot("/b")),
    "configfile's variables are its own": ("configfile /c.cfg\nlinux /v x$a\n", None, {"/c.cfg": "set a=1\n"}, Boot("/v", (), "x")),
    "configfile in an entry": ("menuentry 'D' {\n configfile /d.cfg\n}\n" + AB, None, {"/d.cfg": "menuentry x {\nlinux /d\n}\n"}, Boot("/d")),
    "configfile in an entry that is not there": ("menuentry D {\n configfile /gone\n linux /v\n}\n", None, {}, Boot("/v")),
    "source": ("source $prefix/c.cfg\nlinux $k\n", None, {"/grub/c.cfg": "set k=/v\n"}, Boot("/v")),
    "source's entries": ("source /c.cfg\nset default=1\nmenuentry Z {\nlinux /z\n}\n", None, {"/c.cfg": AB}, Boot("/b")),
    "source that is not there": ("if source /gone; then linux /no; else linux /v; fi\n", None, {}, Boot("/v")),
    "by http": ("set root=(http,h)\nconfigfile /c.cfg\n", None, {"http://h/c.cfg": "linux /v\nboot\n"}, Boot("http://h/v")),
    "normal": ("normal /c.cfg\n", None, {"/c.cfg": AB}, Boot("/a")),
    "normal that is not there": ("normal /gone\nlinux /no\n", None, {}, Refusal("")),
    # GRUB cannot list what a network's server has: only -s asks for the file itself
    "-f": ("if [ -f /c ]; then linux /no; else linux /v; fi\n", None, {"/c": "x"}, Boot("/v")),
    "-e": ("if [ -e /c ]; then linux /no; else linux /v; fi\n", None, {"/c": "x"}, Boot("/v")),
    "-s": ("if [ -s /c ]; then linux /v; fi\n", None, {"/c": "x"}, Boot("/v")),
    "-s of an empty file": ("if [ -s /c ]; then linux /no; else linux /v; fi\n", None, {"/c": ""}, Boot("/v")),
    "-s of none": ("if [ -s /c ]; then linux /no; else linux /v; fi\n", None, {}, Boot("/v")),
    "load_env": ("load_env\nset default=$saved_entry\n" + AB, None, {"/grub/grubenv": "# GRUB Environment Block\nsaved_entry=b\n####\n"}, Boot("/b")),
    "load_env of another file": ("load_env -f /e a\nlinux /v $a $b.\n", None, {"/e": "# GRUB Environment Block\na=1\nb=2\n"}, Boot("/v", (), "1 .")),
    "a label of another file": ("configfile /c.cfg\n", "b", {"/c.cfg": AB}, Boot("/b")),
    "a label that leads to another file": ("menuentry D {\nconfigfile /c.cfg\n}\n" + AB, "D", {"/c.cfg": "menuentry x {\nlinux /x\n}\n"}, Boot("/x")),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_grub_files(name: str) -> None:
    text, label, files, wanted = FILES[name]
    got = plan(text, label, files)
    assert got == wanted if not isinstance(wanted, Refusal) else isinstance(got, Refusal)


def test_grub_without_files_ends_in_a_chain() -> None:
    assert plan("configfile /grub/system/$net_default_mac\n") == Chain("/grub/system/00:16:3e:11:11:11")
    assert plan("configfile /c.cfg\n", "b") == Chain("/c.cfg", label="b")


def test_grub_by_http() -> None:
    files = {"/b/x.cfg": "set root=(http,10.0.0.1:81)\nlinux /v\ninitrd (http,10.0.0.2)/i $prefix/j\n"}
    text = "configfile ${prefix}/x.cfg\n"
    got = read(text, FACTS, files=files.get, home=Device("http", "10.0.0.1:81"), folder="/b")
    assert got.plan == Boot("/v", ("http://10.0.0.2/i", "/b/j"))


DISK = {
    # what is on the machine's own disk is not known here: the answer must not matter
    "nobody asks for the answer": ("search --no-floppy --set=root -l 'OS'\nlinux /v\n", Boot("/v")),
    "MAAS": ("search --set=root --file /efi/boot/bootx64.efi\nif [ $? -eq 0 ]; then\n chainloader /efi/boot/bootx64.efi\n boot\nfi\nexit\n",
             Local("grub.cfg:6: exit")),
    "Foreman": ("unset chroot\nsearch --file --no-floppy --set=chroot /EFI/x.efi\nif [ -f ($chroot)/EFI/x.efi ]; then\n chainloader ($chroot)/EFI/x.efi\n boot\nfi\nexit 1\n",
                Local("grub.cfg:7: exit 1")),
    "the same either way": ("if search --file --set=x /y; then\n linux /v\nelse\n linux /v\nfi\n", Boot("/v")),
    "it matters": ("if search --file --set=root /vmlinuz; then\n chainloader +1\n boot\nfi\nlinux /installer\n", "grub.cfg:1: asks what is on the machine's own disk"),
    "a file of a disk": ("\nif [ -e (hd0,gpt1)/vmlinuz ]; then\n exit\nfi\nlinux /installer\n", "grub.cfg:2: asks what is on the machine's own disk"),
    "only one answer boots": ("if search --label x; then\n exit\nfi\n", "grub.cfg:1: asks what is on the machine's own disk"),
}  # fmt: skip


@pytest.mark.parametrize("name", DISK)
def test_grub_and_the_machines_own_disk(name: str) -> None:
    text, wanted = DISK[name]
    if isinstance(wanted, str):
        with pytest.raises(NotStraight, match=wanted):
            plan(text)
    else:
        assert plan(text) == wanted


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("linux (hd0,1)/v\n", "grub.cfg:1: .*pygrub"),
        ("loopback loop /x.iso\nlinux (loop)/v\n", r"grub.cfg:2: \(loop\)/v is on the disk loop"),
        ("read x\n", "grub.cfg:1: read waits for what a person types"),
        ("\nif [ -s /x ]; then\n linux /v\nfi\n", "grub.cfg:2: asks whether /x is there"),
        ("linux /v\ninitrd newc:a:/b\n", "grub.cfg:2: newc:a:/b makes an archive"),
        ("while true; do true; done\n", "grub.cfg:1: loops endlessly"),
        ("function f { f; }\nf\n", "call each other endlessly"),
        ("set a=aaaaaaaa\nfor i in 1 2 3 4 5 6 7 8 9 a b c d e f g; do a=$a$a; done\nlinux /v $a\n", "grows beyond"),
        ("regexp '(a+)+$' aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", "grub.cfg:1: the pattern"),
        ("syslinux_configfile /x\n", "grub.cfg:1: syslinux_configfile reads"),
        ("if true; then " * 100, "nested"),
        ("menuentry A {\ntrue\n}\n", "grub.cfg:1: entry 'A': names no kernel"),
        ("", "grub.cfg: names no kernel"),
        ("initrd /i\nboot\n", "grub.cfg: names no kernel"),
        ("menuentry A {\n linux /v\n", "grub.cfg: names no kernel"),
    ],
)
def test_grub_refuses(text: str, error: str) -> None:
    with pytest.raises(PeerError, match=error):
        plan(text)


@pytest.mark.parametrize(
    ("text", "label", "error"),
    [
        (AB, "C", "has no entry 'C'; its entries are 'A', 'b'"),
        (AB, "2", "has no entry '2'"),
        (SUB, "s>gone", "has no entry 's>gone'"),
        ("linux /v\n", "C", "it has no entries"),
    ],
)
def test_grub_has_no_such_entry(text: str, label: str, error: str) -> None:
    with pytest.raises(PeerError, match=error):
        plan(text, label)


NOTES = {
    "frobnicate\nlinux /v\n": "grub.cfg:1: GRUB has no command frobnicate, and goes on",
    "\ufeffset a=/v\nlinux /v\n": "grub.cfg:1: GRUB has no command \ufeffset, and goes on",
    "configfile /gone\nlinux /v\n": "grub.cfg:1: /gone is not there, and GRUB goes on",
    "source /gone\nlinux /v\n": "grub.cfg:1: /gone is not there, and GRUB goes on",
    "true || false\nlinux /v\n": "grub.cfg:1: || has no place here: GRUB drops the line",
    "linux /v\necho 'open\n": "grub.cfg:2: the quote ' that is not closed has no place here: GRUB drops the line",
    "linux /v\nmenuentry A {\n": "grub.cfg:2: what begins here is not closed: GRUB drops the line",
    "set default=9\n" + AB: "default=9 names none of the 2 entries: the first boots",
    "boot\nlinux /v\n": "grub.cfg:1: boot, and nothing is loaded",
}


@pytest.mark.parametrize("text", NOTES)
def test_grub_notes(text: str) -> None:
    assert NOTES[text] in read(text, FACTS, files={}.get).notes


def test_grub_notes_go_with_an_error() -> None:
    with pytest.raises(PeerError) as caught:
        plan("lunix /v\n")
    assert caught.value.__notes__ == ["grub.cfg:1: GRUB has no command lunix, and goes on"]


CONDITIONS = {
    "": True, "a": True, "! a": False, "! !": True, "-n a": True, "-z a": False, "a = a": True, "a == b": False, "a != b": True,
    "a = b -o c = c": True, "a = a -a c = d": False, "a = b -o c = d -o e = e": True, "a = a -o b = b -a c = d": True,
    "( a = b -o c = c ) -a d = d": True, "! ( a = a )": False, "1 -eq 1": True, "0x10 -eq 16": True, "2 -gt 10": False,
    "2 -lt 10": True, "2 -ge 2": True, "3 -le 2": False, "1 -ne 2": True, "-1 -lt 0": True, "a < b": True, "b <= a": False,
    "b > a": True, "a >= b": False, "v-2 -plt v-11": True, "v-2 -pgt v-11": False, "= x": True, "-f /x": False, "! -s /x": True,
    "x -eq 0": True, "-n": True, ")": True, "( (": True,
}  # fmt: skip


@pytest.mark.parametrize("text", CONDITIONS)
def test_grub_conditions(text: str) -> None:
    assert holds(text.split(), lambda kind, name: False) is CONDITIONS[text]
    assert holds(["", "-o"], lambda kind, name: False) is True  # -o begins anew, with nothing that is false


def test_grub_syntax_is_read_line_by_line() -> None:
    """As grub-emu 2.06 was seen to read it."""
    text = "if a || b; then\n c\nelse\n d\nfi\ne\ne2; }\nf\ng }\nh\n"
    words = [statement.words[0].bare() for statement in parse_script(text, "x").statements]
    assert words == ["c", "d", "e", "f", "h"]


def test_grub_growth() -> None:
    """Values that double themselves end in an error, not in memory used up."""
    with pytest.raises(PeerError, match=r"grows? beyond"):
        plan("set a=aaaaaaaaaa\n" + "set a=$a$a\n" * 60 + "linux $a\n")
    with pytest.raises(PeerError, match="grow beyond"):
        plan("set a=" + "x" * 60_000 + "\n" + "".join(f"set a{n}=$a\n" for n in range(30)))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("\n" * 100_001, "more than 100000 words"),
        ("linux /v " + "a " * 100_001, "more than 100000 words"),
        ("linux /v " + "$a" * 10_001, "names no kernel"),
        ("set a=" + "x" * 60_000 + "\nwhile true; do $a; done\n", "loops endlessly"),
        ("".join(f"set a{n}={'y' * 150}\n" for n in range(6000)), "loops endlessly"),
        ("[ " + "( " * 50_000 + "]\n", "names no kernel"),
        ("source /a\n", "more than 32 files"),
    ],
)
def test_grub_beyond_all_measure(text: str, error: str) -> None:
    with pytest.raises(PeerError, match=error):
        plan(text, files={"/a": "source /a\n" * 9})


_WORDS = st.sampled_from(
    [
        "if", "then", "else", "fi", "for", "in", "do", "done", "while", "function", "f", "{", "}", "[", "]", "=", "-f", "-s", "/c", "!",
        "menuentry", "submenu", "A", "set", "default=1", "a=b", "$a", "$?", '"$1"', "linux", "initrd", "boot", "exit", "configfile", "source",
        "search", "--set=root", "regexp", "--set", "1:a", "(a*)b*", "chainloader", "return", "break", "shift", "eval", ";", "\n", "||", "'", '"',
        "root=(hd0)", "load_env", "normal", "(", ")", "-o", "tr", "smbios",
    ]
)  # fmt: skip


@given(
    st.lists(_WORDS, max_size=50).map(" ".join)
    | st.text(alphabet="linuxtrdmeyboatfhsv ${}'\"\\;\n#()[]=-,/|", max_size=300)
)
def test_grub_any_text(text: str) -> None:
    for label in (None, "A"):
        with contextlib.suppress(PeerError):
            assert isinstance(plan(text, label, {"/c": text}), BootPlan)


@given(
    st.lists(
        st.sampled_from(["a", "=", "!", "-o", "-a", "(", ")", "-eq", "1", "-f", "-n", "", "<", "-plt"]), max_size=12
    )
)
def test_grub_any_condition(words: list[str]) -> None:
    assert isinstance(holds(words, lambda kind, name: True), bool)
