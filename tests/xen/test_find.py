# ruff: noqa: E501 - tables: a row a line
"""From a boot server's answer to the files, on servers that are dictionaries."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from netprov.errors import PeerError
from netprov.mac import parse_mac
from netprov.scripts.facts import MachineFacts
from netprov.scripts.plan import Local
from netprov.scripts.pxelinux.names import Place
from netprov.xen.bootloader.find import BootServer, Files, Search

FACTS = MachineFacts(parse_mac("00:16:3e:11:11:11"), IPv4Address("192.168.4.114"), IPv4Address("192.168.4.102"))
MAC_NAME = "pxelinux.cfg/01-00-16-3e-11-11-11"
CONFIG = "DEFAULT a\nLABEL a\nKERNEL v\nINITRD i,j\nAPPEND x\nLABEL local\nLOCALBOOT 0\n"


def run(files: dict[str, str], server: BootServer, label: str | None = None) -> Files | Local:
    def get(place: Place) -> bytes | None:
        body = files.get(str(place))
        return None if body is None else body.encode()

    return Search(get, FACTS, label).run(server)


def names(found: Files | Local) -> tuple[str, list[str], str, str]:
    assert isinstance(found, Files)
    return str(found.kernel), [str(place) for place in found.initrds], found.args, str(found.script)


FOUND = {
    # boot server, files → kernel, initrds, args, script
    "by MAC": (BootServer("pxelinux.0"), {MAC_NAME: CONFIG, "pxelinux.cfg/default": "DEFAULT z\n"}, ("v", ["i", "j"], "x", MAC_NAME)),
    "by address": (BootServer("/t/pxelinux.0"), {"/t/pxelinux.cfg/C0A8": CONFIG}, ("/t/v", ["/t/i", "/t/j"], "x", "/t/pxelinux.cfg/C0A8")),
    "option 210": (BootServer("pxelinux.0", prefix="http://h/p/"), {f"http://h/p/{MAC_NAME}": CONFIG},
                   ("http://h/p/v", ["http://h/p/i", "http://h/p/j"], "x", f"http://h/p/{MAC_NAME}")),
    "option 209": (BootServer("/t/pxelinux.0", config_file="my.cfg"), {"/t/my.cfg": CONFIG, f"/t/{MAC_NAME}": "DEFAULT z\n"},
                   ("/t/v", ["/t/i", "/t/j"], "x", "/t/my.cfg")),
    "no boot file": (BootServer(), {"pxelinux.cfg/default": CONFIG}, ("v", ["i", "j"], "x", "pxelinux.cfg/default")),
    "CONFIG": (BootServer("pxelinux.0"), {MAC_NAME: "DEFAULT a\nLABEL a\nCONFIG o/c.cfg o\n", "o/c.cfg": CONFIG},
               ("o/v", ["o/i", "o/j"], "x", "o/c.cfg")),
    "GRUB": (BootServer("grubx64.efi"), {"grub/grub.cfg": "linux /v x\ninitrd /i\n", MAC_NAME: CONFIG}, ("/v", ["/i"], "x", "grub/grub.cfg")),
    "GRUB by MAC": (BootServer("e/shimx64.efi"), {"grub/grub.cfg-01-00-16-3e-11-11-11": "configfile /c\n", "/c": "linux (http,h)/v\n"},
                    ("http://h/v", [], "", "grub/grub.cfg-01-00-16-3e-11-11-11")),
    "GRUB by HTTP": (BootServer("http://h/b/grubx64.efi"), {"http://h/b/grub.cfg": "configfile ${prefix}/x.cfg\n", "http://h/b/x.cfg": "linux /v\ninitrd $prefix/i\n"},
                     ("http://h/v", ["http://h/b/i"], "", "http://h/b/grub.cfg")),
    "GRUB by HTTP, from the top": (BootServer("http://h/b/grubx64.efi"), {"http://h/grub/grub.cfg": "linux $prefix/v\n"},
                                   ("http://h/grub/v", [], "", "http://h/grub/grub.cfg")),
    "GRUB goes on": (BootServer("grubx64.efi"), {"grub/grub.cfg": "configfile /grub/host/$net_default_mac\nlinux /v\n"}, ("/v", [], "", "grub/grub.cfg")),
    "Cobbler's GRUB": (BootServer("grubx64.efi"), {"grub/system/00:16:3e:11:11:11": "linux $prefix/v\n"}, ("/grub/v", [], "", "grub/system/00:16:3e:11:11:11")),
    "menu.c32's files": (BootServer("/t/pxelinux.0"), {"/t/pxelinux.cfg/default": "UI menu.c32 g.conf m.cfg\n", "/t/g.conf": "", "/t/m.cfg": CONFIG},
                         ("/t/v", ["/t/i", "/t/j"], "x", "/t/pxelinux.cfg/default")),
    "iPXE goes on": (BootServer("http://h/a.ipxe"), {"http://h/a.ipxe": "#!ipxe\nchain gone || chain b\n", "http://h/b": "#!ipxe\nkernel v\nboot\n"},
                     ("http://h/v", [], "", "http://h/a.ipxe")),
    "GRUB where there is no pxelinux.cfg": (BootServer("x.0"), {"grub/system/00:16:3e:11:11:11": "linux /v\n"},
                                            ("/v", [], "", "grub/system/00:16:3e:11:11:11")),
    "an iPXE script": (BootServer("http://h/boot.ipxe"), {"http://h/boot.ipxe": "#!ipxe\nkernel v x\ninitrd /i\nboot\n"},
                       ("http://h/v", ["http://h/i"], "x", "http://h/boot.ipxe")),
    "an iPXE script by TFTP": (BootServer("d/boot.ipxe"), {"d/boot.ipxe": "#!ipxe\nkernel v\ninitrd tftp://o/i\nboot\n"},
                               ("d/v", ["o::i"], "", "d/boot.ipxe")),
    "iPXE chains": (BootServer("http://h/a"), {"http://h/a": "#!ipxe\nchain b/c\n", "http://h/b/c": "#!ipxe\nkernel v\nboot\n"},
                    ("http://h/b/v", [], "", "http://h/a")),
    "an iPXE loader": (BootServer("undionly.kpxe"), {MAC_NAME: CONFIG}, ("v", ["i", "j"], "x", MAC_NAME)),
    "another server": (BootServer("10.0.0.9::t/pxelinux.0"), {f"10.0.0.9::t/{MAC_NAME}": CONFIG},
                       ("10.0.0.9::t/v", ["10.0.0.9::t/i", "10.0.0.9::t/j"], "x", f"10.0.0.9::t/{MAC_NAME}")),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    server, files, wanted = FOUND[name]
    assert names(run(files, server)) == wanted


LABELS = {
    # a label that leads to another file goes there; one that is only in the other file is looked for there
    "CONFIG": ("b", {MAC_NAME: "DEFAULT a\nLABEL a\nKERNEL no\nLABEL b\nCONFIG o.cfg\n", "o.cfg": CONFIG}, "v"),
    "in CONFIG's file": ("z", {MAC_NAME: "DEFAULT a\nLABEL a\nCONFIG o.cfg\n", "o.cfg": CONFIG + "LABEL z\nKERNEL w\n"}, "w"),
    "configfile": ("D", {"grub/grub.cfg": "menuentry D {\nconfigfile /d.cfg\n}\n", "/d.cfg": "menuentry x {\nlinux /d\n}\n"}, "/d"),
    "in configfile's file": ("x", {"grub/grub.cfg": "configfile /d.cfg\n", "/d.cfg": "menuentry y {\nlinux /no\n}\nmenuentry x {\nlinux /d\n}\n"}, "/d"),
}  # fmt: skip


@pytest.mark.parametrize("name", LABELS)
def test_label(name: str) -> None:
    label, files, kernel = LABELS[name]
    assert names(run(files, BootServer("pxelinux.0"), label))[0] == kernel


def test_each_file_is_asked_for_once() -> None:
    """A script whose boot may hang on the machine's disk is run more than once."""
    asked: list[str] = []

    def get(place: Place) -> bytes | None:
        asked.append(str(place))
        text = {
            "grub/grub.cfg": "if search --file /x; then\n source /a\nfi\nif [ -s /a ]; then\n linux /v\nfi\n",
            "/a": "set a=1\n",
        }
        return text[str(place)].encode() if str(place) in text else None

    assert names(Search(get, FACTS).run(BootServer("grubx64.efi")))[0] == "/v"
    assert len(asked) == len(set(asked))


def test_local() -> None:
    found = run({MAC_NAME: CONFIG}, BootServer("pxelinux.0"), "local")
    assert isinstance(found, Local)


@pytest.mark.parametrize(
    ("files", "server", "label", "error"),
    [
        ({}, BootServer("pxelinux.0"), None, "no script for this machine; asked for pxelinux.cfg/01-00-16-3e"),
        ({MAC_NAME: CONFIG}, BootServer("pxelinux.0"), "gone", "no label gone; its labels are a, local"),
        ({MAC_NAME: "DEFAULT memdisk\n"}, BootServer("pxelinux.0"), None, "memdisk"),
        (
            {MAC_NAME: "DEFAULT a\nLABEL a\nCONFIG b\n"},
            BootServer("pxelinux.0"),
            None,
            "leads to b, which is not there",
        ),
        ({MAC_NAME: f"DEFAULT a\nLABEL a\nCONFIG {MAC_NAME}\n"}, BootServer("pxelinux.0"), None, "more than 8 times"),
        ({"http://h/x": "MZ"}, BootServer("http://h/x"), None, "is not an iPXE script"),
    ],
)
def test_not_found(files: dict[str, str], server: BootServer, label: str | None, error: str) -> None:
    with pytest.raises(PeerError, match=error):
        run(files, server, label)


def test_a_silent_server_is_not_an_empty_one() -> None:
    """pypxeboot took any TFTP error for "not found", and booted the wrong, more general file."""

    def get(place: Place) -> bytes | None:
        raise PeerError("the server does not answer")

    with pytest.raises(PeerError, match="does not answer"):
        Search(get, FACTS).run(BootServer("pxelinux.0"))
