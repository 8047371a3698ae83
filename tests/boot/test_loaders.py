"""The tables of machines: loaders' files, firmware, and the programs that ask."""

from __future__ import annotations

import pytest

from netprov.boot.arch import ARCHS, FIRST, arch_of_ipxe, distinct_archs, usual_arch
from netprov.boot.loaders import (
    LOADERS,
    asks,
    chain_of,
    is_ipxe,
    keeps_asking,
    loader_of,
    modules,
)
from netprov.boot.programs import PROGRAMS, Runs, dhcp_options
from netprov.boot.request import Loader
from netprov.bootimages.manifest import load
from netprov.inventory.fields import ARCHES
from netprov.mac import parse_mac

MAC = parse_mac("52:54:00:00:00:01")
STARTS = {
    Loader.IPXE: {Runs.IPXE},
    Loader.PXELINUX: {Runs.PXELINUX},
    Loader.GRUB: {Runs.SHIM, Runs.GRUB},
}


@pytest.mark.parametrize(
    ("file", "runs"),
    [("pxelinux.0", Runs.PXELINUX), ("/a/PXELINUX.0", Runs.PXELINUX), ("http://h/files/ipxe.efi?x=1", Runs.IPXE),
     ("EFI\\BOOT\\bootx64.efi", Runs.SHIM), ("grubx64.efi", Runs.GRUB), ("own.efi", None), ("http://h/ipxe/m", None)],
)  # fmt: skip
def test_loaders_are_known_by_name(file, runs):
    row = loader_of(file)
    assert (row.runs if row is not None else None) is runs


def test_each_architectures_loaders_are_rows_for_its_processor():
    for arch in ARCHS.values():
        for loader, file in arch.loaders.items():
            assert LOADERS[file].runs in STARTS[loader], file
            assert LOADERS[file].cpu == arch.cpu, file


def test_processors_are_spelled_as_the_inventory_does():
    assert {arch.cpu for arch in distinct_archs()} | {row.cpu for row in LOADERS.values()} <= set(ARCHES)


def test_the_manifest_and_the_table_agree_who_runs_a_file():
    files = {file.name: file for file in load()}
    for name, row in LOADERS.items():
        if name in files:
            assert {arch.cpu for arch in ARCHS.values() if arch.name in files[name].machines} == {row.cpu}, name
    starts = ("grub", "shim", "ipxe", "undionly", "snponly", "boot")
    assert {name for name in files if name.startswith(starts)} <= set(LOADERS)


def test_what_a_loader_cannot_do_without_is_in_the_manifest():
    files = {file.name for file in load()}
    wanted = {link.name for file in FIRST for link in chain_of(file) if not link.optional}
    assert wanted - files == {"grubriscv64.efi"}  # no distribution packages one


@pytest.mark.parametrize(
    ("shim", "grub"),
    [("shimx64.efi", "grubx64.efi"), ("/a/b/shimaa64.efi", "/a/b/grubaa64.efi"), ("bootia32.efi", "grubia32.efi"),
     ("http://h/f/bootx64.efi", "http://h/f/grubx64.efi"), ("shim.efi", "grubx64.efi")],
)  # fmt: skip
def test_shim_starts_the_grub_beside_itself(shim, grub):
    assert [link.name for link in asks(shim) if not link.optional] == [grub]


def test_a_chain_in_the_order_in_which_it_is_asked_for():
    links = chain_of("d/shimx64.efi")
    assert [link.name for link in links] == [
        "d/shimx64.efi", "d/revocations_sku.efi", "d/revocations_sbat.efi", "d/shim_certificate_0.efi",
        "d/grubx64.efi", "/grub/x86_64-efi/command.lst", "/grub/x86_64-efi/fs.lst", "/grub/x86_64-efi/crypto.lst",
        "/grub/x86_64-efi/terminal.lst",
    ]  # fmt: skip
    assert [link.name for link in links if not link.optional] == ["d/shimx64.efi", "d/grubx64.efi"]
    assert [link.name for link in chain_of("own.efi")] == ["own.efi"]


def test_modules_bring_their_libraries():
    wanted = ("vesamenu.c32", "libcom32.c32", "libutil.c32", "menu.c32")
    assert modules("vesamenu.c32", "menu.c32", "vmlinuz") == wanted
    assert modules("a/menu.c32") == ("a/menu.c32", "a/libutil.c32")


def test_what_goes_on_to_ask_for_something():
    assert all(map(keeps_asking, (*FIRST, "ldlinux.c32", "a/GRUBX64.EFI", "bootx64.efi", "mmx64.efi")))
    assert not any(map(keeps_asking, ("memtest.0", "vmlinuz", "menu.c32", "command.lst")))


@pytest.mark.parametrize(
    ("file", "ipxe"),
    [("undionly.kpxe", True), ("http://h/x/ipxe-snponly-x86-64.efi", True), ("gpxe.0", True), ("boot.ipxe", False),
     ("/ipxe/52-54-00-00-00-01", False), ("pxelinux.0", False)],
)  # fmt: skip
def test_ipxe_by_its_names(file, ipxe):
    assert is_ipxe(file) == ipxe


@pytest.mark.parametrize(
    ("buildarch", "platform", "code"),
    [("i386", "efi", 6), ("x86_64", "efi", 7), ("arm32", "efi", 10), ("arm64", "efi", 11), ("riscv32", "efi", 25),
     ("riscv64", "efi", 27), ("i386", "pcbios", 0), ("x86_64", "pcbios", 0), ("vax", "efi", None),
     ("arm64", "pcbios", None), ("x86_64", "", None)],
)  # fmt: skip
def test_what_ipxe_says_of_itself(buildarch, platform, code):
    row = arch_of_ipxe(buildarch, platform)
    assert (row.code if row is not None else None) == code


@pytest.mark.parametrize(
    ("kernel", "usual", "http"),
    [("x86_64", "bios", "http-x64"), ("i386", "bios", "http-x64"), ("aarch64", "uefi-arm64", "http-arm64"),
     ("riscv64", "uefi-riscv64", "http-x64"), ("s390x", "bios", "http-x64")],
)  # fmt: skip
def test_the_firmware_that_a_machine_usually_has(kernel, usual, http):
    assert (usual_arch(kernel).name, usual_arch(kernel, http=True).name) == (usual, http)


def test_who_asks_nothing_by_dhcp_has_no_list():
    assert {runs for runs, row in PROGRAMS.items() if not row.asks} == {Runs.PXELINUX, Runs.GRUB, Runs.SHIM}


@pytest.mark.parametrize(
    ("runs", "code", "vendor_class"),
    [(Runs.ROM, 0, b"PXEClient:Arch:00000:UNDI:002001"), (Runs.UEFI, 7, b"PXEClient:Arch:00007:UNDI:003000"),
     (Runs.UEFI_HTTP, 16, b"HTTPClient:Arch:00016:UNDI:003000"), (Runs.IPXE, 16, b"PXEClient:Arch:00016:UNDI:003000"),
     (Runs.ROM, 22, b"U-Boot"), (Runs.XEN, 0, b"PXEClient:Arch:00000:UNDI:002001")],
)  # fmt: skip
def test_vendor_classes(runs, code, vendor_class):
    assert dict(dhcp_options(runs, ARCHS[code], MAC))[60] == vendor_class
