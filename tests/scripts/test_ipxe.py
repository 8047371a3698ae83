# ruff: noqa: E501 - tables: a row a line
"""iPXE scripts as the domU's bootloader reads them: as iPXE runs them where nobody is at the keyboard."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import Origin, PeerError
from netprov.mac import parse_mac
from netprov.scripts.facts import MachineFacts
from netprov.scripts.ipxe.script import read
from netprov.scripts.ipxe.settings import Settings
from netprov.scripts.plan import Boot, BootPlan, Chain, Local, Refusal
from netprov.scripts.straight import NotStraight

UUID = "6f2b1c40-1111-4e00-8000-00163e111111"
FACTS = MachineFacts(
    mac=parse_mac("00:16:3e:11:11:11"), ip=IPv4Address("10.0.0.5"), server=IPv4Address("10.0.0.1"), uuid=UUID,
    netmask=IPv4Address("255.255.255.0"), gateway=IPv4Address("10.0.0.254"), dmi={"SYSSERIAL": "S 1", "SYSPRODUCT": ""},
    boot_file="boot.ipxe",
    options={
        12: b"lady", 15: b"example.org", 6: bytes((10, 0, 0, 2, 10, 0, 0, 3)), 54: bytes((10, 0, 0, 9)), 66: b"tftp.example.org",
        43: b"\x06\x01\x08\x47\x02ab", 42: bytes((10, 0, 0, 4)),
    },
)  # fmt: skip


def plan(text: str, label: str | None = None, files: Mapping[str, str] | None = None) -> BootPlan:
    return read("#!ipxe\n" + text, FACTS, label=label, files=None if files is None else files.get).plan


MENU = "menu T\nitem --gap -- ----\nitem a A\nitem b B\n"
ENDS = ":a\nkernel a\nboot\n:b\nkernel b\nboot\n:cancel\nexit\n"

BOOTS = {
    "plain": ("kernel http://h/v ro a=1\ninitrd http://h/i\nboot\n", Boot("http://h/v", ("http://h/i",), "ro a=1")),
    "relative": ("kernel v initrd=initrd.magic x\ninitrd i\ninitrd --name j j.gz\nboot || exit\n", Boot("v", ("i", "j.gz"), "x")),
    "settings": ("set base http://${next-server}/x\nkernel ${base}/v mac=${net0/mac:hexhyp} u=${uuid}\nboot\n",
                 Boot("http://10.0.0.1/x/v", (), f"mac=00-16-3e-11-11-11 u={UUID}")),
    "nested settings": ("set a b\nset b-x ok\nkernel ${${a}-x}\nboot\n", Boot("ok")),
    "options": ("kernel --timeout 5000 -n k v a\nboot k\n", Boot("v", (), "a")),
    "imgargs": ("kernel v a\nimgargs v b c\nboot\n", Boot("v", (), "b c")),
    "boot's own arguments": ("kernel v a\nboot v b c\n", Boot("v", (), "b c")),
    "imgfetch and imgexec": ("imgfetch --name k http://h/v\nimgfetch http://h/i\nimgexec k x\n", Boot("http://h/v", ("http://h/i",), "x")),
    "imgselect": ("kernel v\ninitrd i\nimgselect v\nboot\n", Boot("v", ("i",))),
    "imgfree": ("kernel no\ninitrd i\nimgfree\nkernel v\nboot\n", Boot("v")),
    "imgfree of one": ("initrd i\ninitrd j\nimgfree i\nkernel v\nboot\n", Boot("v", ("j",))),
    "chain of a kernel": ("initrd i\nchain vmlinuz a b\n", Boot("vmlinuz", ("i",), "a b")),
    "a kernel's name may end as it likes": ("kernel vmlinuz-6.1.0\nboot\n", Boot("vmlinuz-6.1.0")),
    # lines
    "joined lines": ("kernel v \\\n a\nboot\n", Boot("v", (), "a")),
    "CRLF": ("kernel v a\r\nboot\r\n", Boot("v", (), "a")),
    "a comment": ("# kernel no\nkernel v a # b || c\nboot # go\n", Boot("v", (), "a")),
    "no comment": ("kernel v a#b\nboot\n", Boot("v", (), "a#b")),
    "a comment goes over ||": ("iseq a b # || goto x\nkernel v\n", Local("script.ipxe:2: the script ends here, as 'iseq a b # || goto x' fails")),
    ";": ("kernel v ; boot\nexit\n", Boot("v")),
    "; after a failure": ("iseq a b ; kernel v\nboot\n", Boot("v")),
    "no ;": ("kernel v a;b\nboot\n", Boot("v", (), "a;b")),
    "indented": ("  kernel v\n\tboot\n", Boot("v")),
    # || and &&
    "or is not reached": ("kernel v || goto failed\nboot || goto failed\n:failed\nexit 1\n", Boot("v")),
    "or": ("iseq a b || kernel v\nboot\n", Boot("v")),
    "and or": ("iseq a b && kernel no || kernel v\nboot\n", Boot("v")),
    "or and": ("iseq a a || kernel no && kernel v\nboot\n", Boot("v")),
    "|| without a word": ("iseq ${platform} pcbios && sanboot --drive 0x80 ||\nkernel v\nboot\n", Boot("v")),
    "blanks within a value": ("set a x y\niseq ${a} x && exit || kernel v ${a}\nboot\n", Boot("v", (), "x y")),
    "isset": ("isset ${net0/ip} || dhcp\nisset ${nothing} && exit 0 ||\nkernel v\nboot\n", Boot("v")),
    "iseq of nothing": ("iseq ${nothing} x && exit || kernel v\nboot\n", Boot("v")),
    "an unknown command fails": ("frob || kernel v\nboot\n", Boot("v")),
    "the other cards": ("isset ${net1/mac} && exit ||\ndhcp net1 && exit ||\nifopen net0 && kernel v\nboot\n", Boot("v")),
    # goto
    "goto": ("goto there\nkernel no\n:there\nkernel v\nboot\n", Boot("v")),
    "goto backwards": ("goto b\n:a\nkernel v\nboot\n:b\ngoto a\n", Boot("v")),
    "goto ends its line": ("goto a && exit\n:a\nkernel v\nboot\n", Boot("v")),
    "a label with a command": ("goto a\nexit\n:a kernel v\nboot\n", Boot("v")),
    "goto of a setting": ("set t a\ngoto ${t}\nexit\n:a\nkernel v\nboot\n", Boot("v")),
    "goto of no label": ("goto gone || kernel v\nboot\n", Boot("v")),
    "inc": ("set i:int32 0\n:n\ninc i\niseq ${i} 3 || goto n\nkernel v${i}\nboot\n", Boot("v3")),
    "inc of nothing": ("inc i 5\nkernel v${i}\nboot\n", Boot("v5")),
    "inc of a text fails": ("set i 1\ninc i || kernel v${i}\nboot\n", Boot("v1")),
    # a menu
    "menu": (MENU + "choose --default b --timeout 3 t && goto ${t}\n" + ENDS, Boot("b")),
    "menu without default": (MENU + "choose t && goto ${t}\n" + ENDS, Boot("a")),
    "menu's default is no item": (MENU + "choose --default gone t && goto ${t}\n" + ENDS, Boot("a")),
    "menu's item is the default": (MENU + "item --default c C\nchoose t && goto ${t}\n" + ENDS + ":c\nkernel c\nboot\n", Boot("c")),
    "a menu without items": ("menu T\nitem --gap x\nchoose t || goto cancel\n" + ENDS, Local("script.ipxe:12: exit")),
    "a new menu": (MENU + "menu U\nitem b B\nchoose t && goto ${t}\n" + ENDS, Boot("b")),
    "a menu's default of a setting": ("isset ${d} || set d b\n" + MENU + "choose --timeout 5 --default ${d} t && goto ${t}\n" + ENDS, Boot("b")),
    # nobody at the keyboard
    "prompt": ("prompt --key 0x6e --timeout 3000 Press N || exit\nkernel v\nboot\n", Local("script.ipxe:2: exit")),
    "prompt && ": ("prompt --timeout 9 x && goto menu ||\nkernel v\nboot\n:menu\nkernel no\nboot\n", Boot("v")),
    "prompt alone": ("prompt x\nkernel v\nboot\n", Local("script.ipxe:2: the script ends here, as 'prompt x' fails")),
    "login": ("login || exit\nkernel v\nboot\n", Local("script.ipxe:2: exit")),
    "read": ("set u root\nread u\nkernel v ${u}\nboot\n", Boot("v", (), "root")),
    "read with a time": ("read --timeout 9 u || goto a\nexit\n:a\nkernel v\nboot\n", Boot("v")),
    "shell": ("shell\n", Refusal("")),
    # ends
    "chain": ("dhcp\nchain --replace --autofree http://h/ipxe/${mac:hexhyp}\n", Chain("http://h/ipxe/00-16-3e-11-11-11")),
    "chain with query": ("chain http://h/a?x=${ip}&y=1\n", Chain("http://h/a?x=10.0.0.5&y=1")),
    "exit": ("exit 1\n", Local("script.ipxe:2: exit 1")),
    "exit after a kernel": ("kernel v\nexit\n", Local("script.ipxe:3: exit")),
    "sanboot": ("sanboot --no-describe --drive 0x80\n", Local("script.ipxe:2: sanboot --no-describe --drive 0x80")),
    "sanboot alone": ("sanboot\n", Local("script.ipxe:2: sanboot")),
    "sanboot of a URL": ("sanboot --no-describe http://h/x.iso || goto a\n:a\nexit\n", Refusal("")),
    "sanboot of iSCSI": ("sanboot iscsi:10.0.0.1::::iqn.x\n", Refusal("")),
    "sanboot of a URL and a drive": ("sanboot --drive 0x80 http://h/x.iso\n", Refusal("")),
    "sanboot of another disk": ("sanboot --drive=0x81\n", Refusal("")),
    "reboot": ("reboot\n", Refusal("")),
    "falls off": ("echo hi\n", Local("script.ipxe: ends without a boot")),
    # iPXE boots nothing without boot: it leaves for the next device
    "no boot": ("kernel v\n", Local("script.ipxe: ends without a boot")),
    "boot without a kernel": ("boot || goto a\nexit\n:a\nexit 1\n", Local("script.ipxe:5: exit 1")),
    "fails": ("iseq a b\nkernel v\n", Local("script.ipxe:2: the script ends here, as 'iseq a b' fails")),
    "wimboot": ("kernel wimboot\ninitrd boot.wim\nboot\n", Refusal("")),
    "chain an efi program": ("chain ipxe.efi\n", Refusal("")),
    "chain a loader": ("chain pxelinux.0\n", Refusal("")),
}  # fmt: skip


@pytest.mark.parametrize("name", BOOTS)
def test_ipxe_boots(name: str) -> None:
    text, wanted = BOOTS[name]
    got = plan(text)
    if isinstance(wanted, Refusal):
        assert isinstance(got, Refusal)
        assert got.reason.startswith("script.ipxe:")
    else:
        assert got == wanted


SETTINGS = {
    "mac": "00:16:3e:11:11:11", "net0/mac:hexhyp": "00-16-3e-11-11-11", "netX/mac:hexraw": "00163e111111", "net1/mac": "",
    "ip": "10.0.0.5", "net0/ip": "10.0.0.5", "ip:hexraw": "0a000005", "netmask": "255.255.255.0", "gateway": "10.0.0.254",
    "next-server": "10.0.0.1", "dhcp-server": "10.0.0.9", "hostname": "lady", "domain": "example.org", "dns": "10.0.0.2",
    "net0.dhcp/domain": "example.org", "filename": "boot.ipxe", "uuid": UUID, "uuid:hexraw": UUID.replace("-", ""),
    "uuid:guid": "401c2b6f-1111-004e-8000-00163e111111", "serial": "S 1", "serial:uristring": "S%201", "smbios/serial": "S 1",
    "product": "", "asset": "", "manufacturer": "", "platform": "xen", "buildarch": "x86_64", "66:string": "tftp.example.org",
    "43.71:string": "ab", "43.6:int8": "8", "43.6:uint8": "0x8", "43.99": "", "99": "", "nothing": "", "nothing:hexhyp": "",
    "mac:ipv6": "", "hostname:base64": "bGFkeQ==", "dns:ipv4": "10.0.0.2", "proxydhcp/filename": "boot.ipxe", "ntp-server": "10.0.0.4",
    "foo/bar": "", "hostname:none": "", "root-path": "",
}  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS)
def test_ipxe_settings(name: str) -> None:
    assert Settings(FACTS).expand(f"<${{{name}}}>", Origin("x")) == f"<{SETTINGS[name]}>"


TYPED = {
    ("a", "x y"): ("a", "x y"), ("a:string", "x"): ("a:hex", "78"), ("a:hex", "1b:5b"): ("a", "1b:5b"), ("a:hexhyp", "1b-5b"): ("a:hexraw", "1b5b"),
    ("a:hexraw", "6162"): ("a:string", "ab"), ("a:int32", "5"): ("a", "5"), ("a:int8", "-1"): ("a", "-1"), ("a:uint8", "0xff"): ("a", "0xff"),
    ("a:int8", "0xff"): ("a", "-1"), ("a:int16", "010"): ("a", "8"), ("a:ipv4", "10.1.2.3"): ("a:hexhyp", "0a-01-02-03"), ("a:uristring", "x%20y"): ("a:string", "x y"),
    ("a:base64", "YWI="): ("a:string", "ab"), ("net0/a", "x"): ("netX/a", "x"), ("net0/b", "x"): ("b", ""), ("ip", "10.1.1.1"): ("ip", "10.1.1.1"),
    ("a:int32", ""): ("a", "0"), ("hostname", "x"): ("hostname", "x"), ("a", ""): ("a", ""),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), TYPED)
def test_ipxe_types(name: str, text: str) -> None:
    asked, wanted = TYPED[name, text]
    settings = Settings(FACTS)
    settings.set(name, text, Origin("x"))
    assert settings.expand(f"${{{asked}}}", Origin("x")) == wanted


@pytest.mark.parametrize(
    ("name", "text"),
    [("a:int32", "x"), ("ip", "x"), ("a:hex", "zz"), ("a:uuid", "1"), ("a:none", "1"), ("a:base64", "?")],
)
def test_ipxe_types_refuse(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        Settings(FACTS).set(name, text, Origin("x"))
    assert plan(f"set {name} {text} || kernel v\nboot\n") == Boot("v")


def test_ipxe_clear_gives_what_dhcp_told() -> None:
    assert plan("set hostname x\nclear hostname\nkernel ${hostname}\nboot\n") == Boot("lady")


FILES = {
    # script, label, files, what boots
    "chain": ("chain b/c\n", None, {"b/c": "#!ipxe\nkernel v\ninitrd /i\nboot\n"}, Boot("b/v", ("/i",))),
    "chain by URL": ("chain http://h/b/c\n", None, {"http://h/b/c": "#!ipxe\nkernel v\ninitrd ../i\nboot\n"}, Boot("http://h/b/v", ("http://h/i",))),
    "chain by TFTP's URL": ("chain tftp://h/b/c\n", None, {"tftp://h/b/c": "#!ipxe\nkernel v\nboot\n"}, Boot("tftp://h/b/v")),
    "chain || chain": ("chain gone || chain there\n", None, {"there": "#!ipxe\nkernel v\nboot\n"}, Boot("v")),
    "chain of nothing": ("chain gone\nkernel v\nboot\n", None, {}, Local("script.ipxe:2: the script ends here, as 'chain gone' fails")),
    "chain goes on": ("chain a ||\nkernel v ${x}\nboot\n", None, {"a": "#!ipxe\nset x 1\nexit\n"}, Boot("v", (), "1")),
    "chain that fails": ("chain a || goto b\nexit\n:b\nkernel v\nboot\n", None, {"a": "#!ipxe\niseq a b\n"}, Boot("v")),
    "exit 1 fails": ("chain a || kernel v\nboot\n", None, {"a": "#!ipxe\nexit 1\n"}, Boot("v")),
    "--replace ends the first": ("chain --replace a\nkernel no\nboot\n", None, {"a": "#!ipxe\necho\n"}, Local("a: ends without a boot")),
    "-ar": ("chain -ar a\nkernel no\nboot\n", None, {"a": "#!ipxe\necho\n"}, Local("a: ends without a boot")),
    "--replace of nothing": ("chain --replace gone || kernel v\nboot\n", None, {}, Boot("v")),
    "labels are each script's own": ("chain a\n:x\nkernel no\nboot\n", None, {"a": "#!ipxe\ngoto x\n:x\nkernel v\nboot\n"}, Boot("v")),
    "images stay": ("initrd i\nchain a\n", None, {"a": "#!ipxe\nkernel v\nboot\n"}, Boot("v", ("i",))),
    "imgfetch of a script": ("imgfetch --name s a\nimgexec s\n", None, {"a": "#!ipxe\nkernel v\nboot\n"}, Boot("v")),
    "no script": ("chain a\n", None, {"a": "MZ"}, Chain("a")),
    "one card after the other": ("set n:int32 -1\n:l\ninc n\nisset ${net${n}/mac} || goto d\nchain c/${net${n}/mac:hexhyp} || goto l\n:d\nexit\n", None,
                                 {}, Local("script.ipxe:8: exit")),
    "a label": (MENU + "choose --default a t && goto ${t}\n" + ENDS, "b", {}, Boot("b")),
    "a label of another script": ("chain a\n", "b", {"a": "#!ipxe\n" + MENU + "choose t && goto ${t}\n" + ENDS}, Boot("b")),
    "a label that leads to another script": (MENU + "choose t && goto ${t}\n:a\nexit\n:b\nchain c\n", "b", {"c": "#!ipxe\nkernel v\nboot\n"}, Boot("v")),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_ipxe_files(name: str) -> None:
    text, label, files, wanted = FILES[name]
    assert plan(text, label, files) == wanted


def test_ipxe_without_files_ends_in_a_chain() -> None:
    assert plan("chain a\n", "b") == Chain("a", label="b")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "script.ipxe:1: is not an iPXE script"),
        ("kernel v\n", "script.ipxe:1: is not an iPXE script"),
        ("#!ipxevil\n", "script.ipxe:1: is not an iPXE script"),
        ("\ufeff#!ipxe\nboot\n", "script.ipxe:1: is not an iPXE script"),
        ("#!ipxe\n:a\ngoto a\n", "loops endlessly"),
        ("#!ipxe\nkernel v ${net0/busid}\n", r"script.ipxe:2: the value of \$\{net0/busid\}"),
        ("#!ipxe\n\niseq ${cpuid/2} 1 || exit\n", r"script.ipxe:3: the value of \$\{cpuid/2\}"),
        ("#!ipxe\nkernel ${version}\n", "known only to a running iPXE"),
        ("#!ipxe\nsanhook iscsi:x\n", "script.ipxe:2: sanhook attaches"),
        ("#!ipxe\nautoboot\n", "script.ipxe:2: autoboot"),
        ("#!ipxe\ncpuid 5 || exit\n", "script.ipxe:2: cpuid asks the processor"),
        ("#!ipxe\nparams\nchain http://h/x##params\n", "script.ipxe:3: .* by POST"),
        (
            "#!ipxe\nkernel v\ninitrd a.cfg /etc/a.cfg mode=755\nboot\n",
            "script.ipxe:4: a.cfg /etc/a.cfg mode=755 makes an archive",
        ),
        ("#!ipxe\nset a ${a}x\nset b ${b\n:l\nset a ${a}${a}\ngoto l\n", "grows beyond"),
    ],
)
def test_ipxe_refuses(text: str, error: str) -> None:
    with pytest.raises(PeerError, match=error):
        read(text, FACTS)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (MENU + "choose t\nexit\n", "has no label c; its menu offers a, b"),
        ("kernel v\nboot\n", "has no label c; it shows no menu"),
    ],
)
def test_ipxe_has_no_such_item(text: str, error: str) -> None:
    with pytest.raises(PeerError, match=error):
        plan(text, "c")


def test_ipxe_scripts_in_a_circle() -> None:
    with pytest.raises(NotStraight, match="a:2: scripts lead to scripts more than 16 deep"):
        plan("chain a\n", files={"a": "#!ipxe\nchain a\n"})
    with pytest.raises(NotStraight, match="more than 32 files"):
        plan(":l\nchain a ||\ngoto l\n", files={})


def test_ipxe_long_mode() -> None:
    assert plan("cpuid --ext 29 && set a x86_64 || set a i386\nkernel ${a}\nboot\n") == Boot("x86_64")


NOTES = {
    "prompt x ||\n": "script.ipxe:2: prompt fails, as nobody is at the keyboard",
    "frob ||\n": "script.ipxe:2: iPXE has no command frob, and it fails",
    "goto gone ||\n": "script.ipxe:2: there is no label :gone",
    "chain gone ||\n": "script.ipxe:2: gone is not there",
    MENU + "choose t\n": "script.ipxe:6: a menu; with nobody at the keyboard it is a",
}


@pytest.mark.parametrize("text", NOTES)
def test_ipxe_notes(text: str) -> None:
    assert NOTES[text] in read("#!ipxe\n" + text, FACTS, files={}.get).notes


def test_ipxe_growth() -> None:
    """Settings that double themselves end in an error, not in memory used up."""
    with pytest.raises(PeerError, match="grows beyond"):
        plan("set a aaaaaaaaaa\n" + "set a ${a}${a}\n" * 60)
    with pytest.raises(PeerError, match="grow beyond"):
        plan("set a " + "x" * 60_000 + "\n" + "".join(f"set a{n} ${{a}}\n" for n in range(30)))
    with pytest.raises(PeerError, match="endlessly"):
        plan("set a:hex 24:7b:61:3a:73:74:72:69:6e:67:7d\nkernel ${a:string}\n")  # which is ${a:string}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("echo\n" * 100_001, "more than 100000 lines"),
        ("a\\\n" * 70_000, "65536 characters in one"),
        ("set a " + "x" * 60_000 + "\n:l\n${a} || goto l\n", "loops endlessly"),
        ("echo " + "${a}" * 300 + "\n", "endlessly"),
    ],
)
def test_ipxe_beyond_all_measure(text: str, error: str) -> None:
    with pytest.raises(PeerError, match=error):
        plan(text)


_WORDS = st.sampled_from(
    [
        "set", "a", "a:int32", "a:hex", "${a}", "${net0/mac}", "${43.6}", "1", "goto", ":a", "\n", "||", "&&", ";", "#", "kernel", "initrd", "boot",
        "chain", "--replace", "-n", "--name", "imgargs", "imgfree", "menu", "item", "choose", "--default", "inc", "isset", "iseq", "prompt", "exit",
        "sanboot", "--drive", "0x80", "read", "clear", "show", "time", "x", "--", "http://[::1", "imgexec", "dhcp", "cpuid", "--ext", "29",
    ]
)  # fmt: skip


@given(
    st.lists(_WORDS, max_size=50).map(" ".join) | st.text(alphabet="#!ipxe kernlchaotgbset${}:|&\n\\-0/", max_size=300)
)
def test_ipxe_any_text(text: str) -> None:
    for label in (None, "a"):
        with contextlib.suppress(PeerError):
            assert isinstance(plan(text, label, {"x": "#!ipxe\n" + text}), BootPlan)
