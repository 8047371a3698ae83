"""What loaders ask for on the chance, and what they cannot go on without."""

from __future__ import annotations

import pytest

from netprov.boot.chance import CHANCES, Asker, always_asked, asked_by, goes_on_without
from netprov.boot.names import parse_name

NAMES = [
    ("revocations_sbat.efi", Asker.SHIM, True),
    ("/EFI/BOOT/REVOCATIONS.EFI", Asker.SHIM, True),
    ("shim_certificate_0.efi", Asker.SHIM, True),
    ("mmx64.efi", Asker.SHIM, False),
    ("/grub/x86_64-efi/command.lst", Asker.GRUB, True),
    ("grub/locale/de@quot.mo", Asker.GRUB, True),
    ("grub.cfg-01-52-54-00-12-34-56", Asker.GRUB, True),
    ("/pxelinux.cfg/0A000001", Asker.PXELINUX, True),
    ("grub.cfg", None, False),
    ("grubx64.efi", None, False),
    ("ldlinux.c32", None, False),
    ("a/vmlinuz", None, False),
    ("", None, False),
    ("pxelinux.cfg/x/vmlinuz", None, False),
]


@pytest.mark.parametrize(("name", "asker", "goes_on"), NAMES)
def test_who_asks_and_goes_on(name: str, asker: Asker | None, goes_on: bool) -> None:
    assert [one for one in Asker if asked_by(one, name)] == ([asker] if asker else [])
    assert goes_on_without(name) is goes_on


def test_what_is_asked_for_at_each_start_is_of_its_row() -> None:
    assert all(asked_by(row.asker, name) for row in CHANCES for name in row.always)
    assert {asker: len(always_asked(asker)) for asker in Asker} == {Asker.SHIM: 3, Asker.GRUB: 4, Asker.PXELINUX: 0}


def test_a_configuration_of_one_machine_is_a_loaders_name() -> None:
    assert all(parse_name(name) for name, asker, _ in NAMES if asker and ".cfg" in name)
