from __future__ import annotations

import pytest

from netprov.boot.arch import ALIASES, ARCHS, arch_by_name
from netprov.boot.reason import BY_LABEL, Reason
from netprov.boot.state import LoaderLoop


def test_reasons_have_labels_of_their_own():
    assert len(BY_LABEL) == len(Reason)
    assert all(reason.meaning for reason in Reason)


def test_arch_7_and_9_are_alike():
    assert ARCHS[7].loaders == ARCHS[9].loaders


@pytest.mark.parametrize("code", [0, 6, 7, 9, 10, 11, 25, 27, 29, *range(15, 21), 24, 26, 28, 30])
def test_the_iana_numbers_that_the_field_meets_are_known(code):
    assert ARCHS[code].code == code


@pytest.mark.parametrize("code", [15, 16, 17, 18, 19, 20, 23, 24, 26, 28, 30])
def test_http_boot_numbers(code):
    assert ARCHS[code].http


def test_arch_names_and_aliases():
    assert {arch_by_name(row.name).code for row in ARCHS.values()} == set(ARCHS)
    assert all(arch_by_name(alias) for alias in ALIASES)
    assert arch_by_name("7").name == "uefi-x64"
    with pytest.raises(KeyError):
        arch_by_name("vax")


MAC = "52:54:00:00:00:01"
OTHER = "52:54:00:00:00:02"


def test_loader_loop_counts_exchanges_within_a_minute():
    loop = LoaderLoop()
    for now, xid in [(0.0, 1), (1.0, 1), (10.0, 2)]:
        loop.note(MAC, "ipxe.efi", xid, now)
    assert loop.given(MAC, 11.0) == {"ipxe.efi": 2}
    assert loop.given(MAC, 11.0, xid=2) == {"ipxe.efi": 1}
    assert loop.given(MAC, 11.0, again=True) == {"ipxe.efi": 1}
    assert loop.given(MAC, 65.0) == {"ipxe.efi": 1}
    assert loop.given(MAC, 80.0, again=True) == {"ipxe.efi": 0}
    assert loop.given(OTHER, 11.0) == loop.given(None, 11.0) == {}


def test_loader_loop_is_bounded():
    loop = LoaderLoop()
    for number in range(20_000):
        loop.note(f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}", "pxelinux.0", number, 0.0)
    assert len(loop._given) <= 4096
