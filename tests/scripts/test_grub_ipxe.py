# ruff: noqa: E501 - tables: a row a line
"""grub.cfg and iPXE scripts as the domU's bootloader reads them: straight-line ones boot, others name their line."""

from __future__ import annotations

import contextlib
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import PeerError
from netprov.mac import parse_mac
from netprov.scripts import ipxe as ipxescript
from netprov.scripts.facts import MachineFacts
from netprov.scripts.grub import config as grubcfg
from netprov.scripts.plan import Boot, BootPlan, Chain, Local, Refusal

FACTS = MachineFacts(
    mac=parse_mac("00:16:3e:11:11:11"), ip=IPv4Address("10.0.0.5"), server=IPv4Address("10.0.0.1"), uuid="u-1"
)

GRUB = {
    "commands": ("linux /v ro a=1\ninitrd /i /j\nboot\nlinux /no\n", Boot("/v", ("/i", "/j"), "ro a=1")),
    "no boot": ("linux /v\ninitrd /i\n", Boot("/v", ("/i",))),
    "linuxefi": ("linuxefi /v\ninitrdefi /i", Boot("/v", ("/i",))),
    "a menu": ("menuentry 'A' {\n linux /a\n}\nmenuentry 'B' {\n linux /b\n}\n", Boot("/a")),
    "default number": ("set default=1\nmenuentry 'A' {\n linux /a\n}\nmenuentry 'B' {\n linux /b\n}\n", Boot("/b")),
    "default title": ('set default="B b"\nmenuentry A {\n linux /a\n}\nmenuentry "B b" --class x {\n linux /b\n}\n', Boot("/b")),
    "default id": ("set default=b\nmenuentry A {\nlinux /a\n}\nmenuentry B $menuentry_id_option b {\nlinux /b\n}\n", Boot("/b")),
    "braces on the next line's start": ("menuentry A --id a { linux /a ; initrd /i ; }\n", Boot("/a", ("/i",))),
    "submenu": ("set default=\"s>b\"\nmenuentry A {\nlinux /a\n}\nsubmenu S --id s {\nmenuentry B --id b {\nlinux /b\n}\n}\n", Boot("/b")),
    "quotes": ("linux /v 'a b' \"c=$net_default_mac\" d\\ e\n", Boot("/v", (), '"a b" c=00:16:3e:11:11:11 "d e"')),
    "variables": ("set k=/x/v\nset args='a b'\nlinux $k ${args} \"${args}\"", Boot("/x/v", (), 'a b "a b"')),
    "http": ("linux (http,10.0.0.9:8080)/v\ninitrd (tftp,10.0.0.9)/i\n", Boot("http://10.0.0.9:8080/v", ("tftp://10.0.0.9/i",))),
    "root": ("set root=(http,h)\nlinux /v\ninitrd (tftp)/i\n", Boot("http://h/v", ("/i",))),
    "if linux; then": ("if linux /v a ; then\n if initrd /i ; then\n  boot\n fi\nfi\necho no\nexit 1\n", Boot("/v", ("/i",), "a")),
    "if platform": ('if [ "$grub_platform" = pc ]; then\n exit\nelif [ "${grub_cpu}" == x86_64 ]; then\n linux /v\nelse\n exit\nfi\n', Boot("/v")),
    "ignored": ("insmod http\nset timeout=5\nload_video\necho 'it''s' $undefined\nsearch --set=x\nlinux /v\n", Boot("/v")),
    "xen": ("multiboot2 /xen.gz placeholder\nmodule2 /v root=x a\nmodule2 --nounzip /i\n", Boot("/v", ("/i",), "root=x a")),
    "comment": ("# linux /no\nlinux /v#x # y\n", Boot("/v#x")),
    "joined lines": ("linux /v a \\\n b\n", Boot("/v", (), "a b")),
    "configfile": ("configfile /grub/system/$net_default_mac\n", Chain("/grub/system/00:16:3e:11:11:11")),
    "local": ("exit 1\n", Local("grub.cfg:1: exit 1")),
    "chainloader +1": ("chainloader (hd0)+1\nboot\n", None),
    "an efi program": ("chainloader /ipxe.efi\n", Refusal("")),
    "Windows": ("linux16 /wimboot\ninitrd16 /x.wim\n", Refusal("")),
}  # fmt: skip


@pytest.mark.parametrize("name", GRUB)
def test_grub_boots(name: str) -> None:
    text, wanted = GRUB[name]
    got = grubcfg.plan(text, FACTS)
    if wanted is None or isinstance(wanted, Refusal):
        assert isinstance(got, Refusal)
    else:
        assert got == wanted


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("\nfor x in a b; do echo $x; done\n", "grub.cfg:2: for is not straight-line"),
        ("function f {\n true\n}\n", "grub.cfg:1: function is not straight-line"),
        ("echo\nif [ -f /x ]; then\n linux /v\nfi\n", "grub.cfg:2: asks whether /x is there"),
        ("linux /v $secret\n", r"grub.cfg:1: the value of \$secret"),
        ("linux (hd0,1)/v\n", "grub.cfg:1: .*pygrub"),
        ("frobnicate\n", "grub.cfg:1: frobnicate is a command"),
        ("echo 'open\n", "grub.cfg:1: the quote ' is not closed"),
        ("menuentry A {\n linux /v\n", "grub.cfg: } is missing"),
        ("if true\n linux /v\n", "grub.cfg:2: then is missing"),
        ("}\n", "grub.cfg:1"),
        ("echo a | b\n", "grub.cfg:1: | is not understood"),
        ("set default=7\nmenuentry A {\nlinux /a\n}\n", "no entry '7'; its entries are 'A'"),
        ("", "grub.cfg: names no kernel"),
        ("initrd /i\nboot\n", "grub.cfg:2: names no kernel"),
        ("{ " * 100, "grub.cfg"),
        ("if true; then " * 100, "nested"),
    ],
)
def test_grub_refuses(text: str, error: str) -> None:
    with pytest.raises(PeerError, match=error.replace("|", r"\|")):
        grubcfg.plan(text, FACTS)


def test_grub_entry() -> None:
    text = "menuentry A {\nlinux /a\n}\nmenuentry B {\nlinux /b\n}\n"
    assert grubcfg.plan(text, FACTS, entry="B") == Boot("/b")
    with pytest.raises(PeerError, match="no entry 'C'"):
        grubcfg.plan(text, FACTS, entry="C")


IPXE = {
    "plain": ("kernel http://h/v ro a=1\ninitrd http://h/i\nboot\n", Boot("http://h/v", ("http://h/i",), "ro a=1")),
    "relative": ("kernel v initrd=initrd.magic x\ninitrd i\ninitrd --name j j.gz\nboot || exit\n", Boot("v", ("i", "j.gz"), "x")),
    "settings": ("set base http://${next-server}/x\nkernel ${base}/v mac=${net0/mac:hexhyp} u=${uuid}\nboot\n",
                 Boot("http://10.0.0.1/x/v", (), "mac=00-16-3e-11-11-11 u=u-1")),
    "nested settings": ("set a b\nset b-x ok\nkernel ${${a}-x}\nboot\n", Boot("ok")),
    "no boot": ("kernel v\n", Boot("v")),
    "options": ("kernel --timeout 5000 --name k v a\nboot k\n", Boot("v", (), "a")),
    "imgargs": ("kernel v\nimgargs v b c\nboot\n", Boot("v", (), "b c")),
    "or is not reached": ("kernel v || goto failed\nboot || goto failed\n:failed\nexit 1\n", Boot("v")),
    "iseq": ("iseq ${platform} pcbios && sanboot --drive 0x80 ||\nkernel v\nboot\n", Boot("v")),
    "isset": ("isset ${net0/ip} || dhcp\nisset ${nothing} && exit 0 ||\nkernel v\nboot\n", Boot("v")),
    "goto": ("goto there\nkernel no\n:there\nkernel v\nboot\n", Boot("v")),
    "menu": ("menu T\nitem --gap x\nitem a A\nitem b B\nchoose --default b --timeout 3 t && goto ${t}\n:a\nkernel a\nboot\n:b\nkernel b\nboot\n", Boot("b")),
    "menu without default": ("menu T\nitem --gap x\nitem a A\nchoose t && goto ${t}\n:a\nkernel a\nboot\n", Boot("a")),
    "joined lines": ("kernel v \\\n a\nboot\n", Boot("v", (), "a")),
    "chain": ("dhcp\nchain --replace --autofree http://h/ipxe/${mac:hexhyp}\n", Chain("http://h/ipxe/00-16-3e-11-11-11")),
    "chain with query": ("chain http://h/a?x=${ip}&y=1\n", Chain("http://h/a?x=10.0.0.5&y=1")),
    "exit": ("exit 1\n", Local("script.ipxe:2: exit 1")),
    "sanboot": ("sanboot --no-describe --drive 0x80\n", Local("script.ipxe:2: sanboot --no-describe --drive 0x80")),
    "falls off": ("echo hi\n", Local("script.ipxe: ends without a boot")),
    "fails": ("iseq a b\nkernel v\n", Local("script.ipxe:2: the script ends here, as 'iseq a b' fails")),
    "wimboot": ("kernel wimboot\ninitrd boot.wim\nboot\n", Refusal("")),
    "chain an efi program": ("chain ipxe.efi\n", Refusal("")),
}  # fmt: skip


@pytest.mark.parametrize("name", IPXE)
def test_ipxe_boots(name: str) -> None:
    text, wanted = IPXE[name]
    got = ipxescript.plan("#!ipxe\n" + text, FACTS)
    if isinstance(wanted, Refusal):
        assert isinstance(got, Refusal)
    else:
        assert got == wanted


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "script.ipxe:1: is no iPXE script"),
        ("kernel v\n", "script.ipxe:1: is no iPXE script"),
        ("#!ipxe\n:a\ngoto a\n", "loops without end"),
        ("#!ipxe\ngoto b\n", "script.ipxe:2: there is no label :b"),
        ("#!ipxe\nkernel ${asset}\n", r"script.ipxe:2: the value of \$\{asset\}"),
        ("#!ipxe\nfrob x\n", "script.ipxe:2: frob is a command"),
        ("#!ipxe\nboot\n", "script.ipxe:2: boot without a kernel"),
        ("#!ipxe\nset a ${a}${a}\n", "script.ipxe:2: the value"),
    ],
)
def test_ipxe_refuses(text: str, error: str) -> None:
    with pytest.raises(PeerError, match=error):
        ipxescript.plan(text, FACTS)


def test_ipxe_growth() -> None:
    """Settings that double themselves end in an error, not in memory used up."""
    with pytest.raises(PeerError):
        ipxescript.plan("#!ipxe\nset a aaaaaaaaaa\n" + "set a ${a}${a}\n" * 60 + "kernel ${a}\nboot\n", FACTS)

    with pytest.raises(PeerError):
        grubcfg.plan("set a=aaaaaaaaaa\n" + "set a=$a$a\n" * 60 + "linux $a\n", FACTS)


@given(st.text(alphabet="#!ipxe kernlchaotgbset${}:|&\n\\-0/", max_size=300))
def test_ipxe_any_text(text: str) -> None:
    with contextlib.suppress(PeerError):
        assert isinstance(ipxescript.plan("#!ipxe\n" + text, FACTS), BootPlan)


@given(st.text(alphabet="linuxtrdmeyboatfhsv ${}'\"\\;\n#()[]=-,/|", max_size=300))
def test_grub_any_text(text: str) -> None:
    with contextlib.suppress(PeerError):
        assert isinstance(grubcfg.plan(text, FACTS), BootPlan)
