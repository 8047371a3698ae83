"""What the readers of scripts noted is told: with -v, and in an error that it may be the cause of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address

import pytest

from netprov.errors import PeerError
from netprov.mac import parse_mac
from netprov.scripts.facts import MachineFacts
from netprov.scripts.plan import Local, Sum
from netprov.scripts.pxelinux.names import Place
from netprov.xen.bootloader import obtain as module
from netprov.xen.bootloader.console import Console
from netprov.xen.bootloader.find import BootServer, Files
from netprov.xen.bootloader.guest import Guest
from netprov.xen.bootloader.obtain import Wanted, look, obtain

MAC = parse_mac("00:16:3e:11:11:11")
WANTED = Wanted(Guest(MAC), MachineFacts(MAC, server=IPv4Address("10.0.0.1")), BootServer("pxelinux.0"), 1 << 20)


class Server:
    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self.reports: list[tuple[str, ...]] = []

    def small(self, place: Place) -> bytes | None:
        text = self._files.get(str(place))
        return None if text is None else text.encode()

    def into(self, place: Place, descriptor: int, told: Callable[[int], object], promised: Sum | None) -> int:
        raise PeerError(f"{place}: is not there")

    def report(self, *said: str) -> None:
        self.reports.append(said)


def serve(monkeypatch: pytest.MonkeyPatch, text: str) -> Server:
    server = Server({"pxelinux.cfg/default": text})
    monkeypatch.setattr(module, "_fetcher", lambda wanted, preview=False: server)
    return server


TEXT = "INCLUDE gone.cfg\nDEFAULT v\nKERNAL x\n"
NOTED = "pxelinux.cfg/default:1: the file to include, gone.cfg, is not there"


@pytest.mark.parametrize("verbose", [True, False])
def test_notes_with_v(verbose: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    serve(monkeypatch, TEXT)
    found = look(WANTED, Console(verbose=verbose))
    assert isinstance(found, Files)
    said = capsys.readouterr().err
    assert (f"netprov-pxeboot: {NOTED}\n" in said) is verbose
    assert ("default:3: kernal is not a keyword" in said) is verbose


def test_notes_of_a_local_boot(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    serve(monkeypatch, "UI menu.c32\nLABEL a\nLOCALBOOT 0\n")
    assert isinstance(look(WANTED, Console(verbose=True)), Local)
    assert "with nobody at the keyboard label a boots" in capsys.readouterr().err


def test_notes_in_the_scripts_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, "\ufeffDEFAULT v\n")
    with pytest.raises(
        PeerError, match=r"neither UI nor DEFAULT.* \(noted on the way: .*:1: begins with a byte order mark"
    ):
        look(WANTED, Console())


def test_notes_in_a_later_error(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, TEXT)
    with pytest.raises(PeerError) as caught:
        obtain(WANTED, Console(quiet=True), -1, -1)
    assert str(caught.value).startswith(f"v: is not there (noted on the way: {NOTED}; ")


def test_no_more_notes_than_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, "".join(f"{'x' * 3000}{n}\n" for n in range(50)))
    with pytest.raises(PeerError, match="; and 46 more") as caught:
        look(WANTED, Console())
    assert len(str(caught.value)) < 2000
