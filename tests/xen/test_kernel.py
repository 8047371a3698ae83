"""The kernel check: what can run as a PV or PVH guest, and the reason where not."""

from __future__ import annotations

import gzip
import lzma
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels import PACKERS, PV_NOTES, PVH_NOTES, bzimage, elf, packed, zboot

from netprov.bootimages.packages import Archive, default_cache
from netprov.errors import PeerError
from netprov.xen.bootloader import lzo
from netprov.xen.bootloader.elfnotes import Note
from netprov.xen.bootloader.kernel import Guest, KernelImage, examine, verdict
from netprov.xen.bootloader.payload import unpacked


@pytest.mark.parametrize("packer", PACKERS)
def test_bzimage_packings(packer: str) -> None:
    image = examine(bzimage(packed(elf(PV_NOTES, before=bytes(9 << 20)), packer)))
    assert (image.format, image.arch, image.packing, image.version) == ("bzImage", "x86_64", packer, "6.1.0-test")
    assert image.elf is not None
    assert image.elf.notes == PV_NOTES
    assert verdict(image, Guest.PV).fit


@pytest.mark.parametrize("packer", PACKERS)
def test_bzimage_damaged(packer: str) -> None:
    data = packed(elf(PV_NOTES, before=bytes(range(256)) * 4000), packer)
    with pytest.raises(PeerError, match=r"cut short|damaged"):
        examine(bzimage(data[: len(data) // 2]))
    with pytest.raises(PeerError, match=r"cut short: .* octets of"):
        examine(bzimage(data)[:-60])


FITS = [
    # notes, machine, guest, fit, the reason
    (PV_NOTES, 62, Guest.PV, True, "can run as a PV guest"),
    (PV_NOTES, 62, Guest.PVH, False, "CONFIG_XEN_PVH; it can run as type = 'pv'"),
    (PVH_NOTES, 62, Guest.PVH, True, "can run as a PVH guest"),
    (PVH_NOTES, 62, Guest.PV, False, "without CONFIG_XEN_PV; it can run as type = 'pvh'"),
    (PV_NOTES | PVH_NOTES, 62, Guest.PVH, True, "PVH"),
    ({}, 62, Guest.PV, False, "without CONFIG_XEN,"),
    ({}, 62, Guest.PVH, False, "CONFIG_XEN_PVH"),
    (PV_NOTES | {Note.XEN_VERSION: b"xen-2.0\0"}, 62, Guest.PV, False, "xen-2.0"),
    (PV_NOTES | {Note.LOADER: b"special\0"}, 62, Guest.PV, False, "special"),
    (PV_NOTES, 3, Guest.PV, True, "can run"),
    (PV_NOTES | {Note.PAE_MODE: b"no\0"}, 3, Guest.PV, False, "without PAE"),
    (PV_NOTES, 183, Guest.PV, False, "is an image for aarch64; this machine is x86_64"),
]


@pytest.mark.parametrize(("notes", "machine", "guest", "fit", "reason"), FITS)
def test_verdict(notes: dict[Note, bytes], machine: int, guest: Guest, fit: bool, reason: str) -> None:
    for data in (elf(notes, machine, wide=machine != 3), gzip.compress(elf(notes, machine, wide=machine != 3))):
        found = verdict(examine(data), guest)
        assert found.fit is fit
        assert reason in found.reason


def test_verdict_before_the_notes() -> None:
    old = elf({}, 3, wide=False, before=b"\0GUEST_OS=linux,GUEST_VER=2.6,XEN_VER=xen-3.0,VIRT_BASE=0xC0000000\0")
    assert verdict(examine(gzip.compress(old)), Guest.PV).fit
    assert not verdict(examine(bzimage(packed(elf({}), "gzip"), protocol=0x204)), Guest.PV).fit


def test_verdict_on_arm() -> None:
    arm = bytes(0x38) + b"ARM\x64" + bytes(1000)
    for data in (arm, gzip.compress(arm)):
        image = examine(data)
        assert (image.format, image.arch) == ("Image", "aarch64")
        assert verdict(image, Guest.PVH, "aarch64").fit
        assert not verdict(image, Guest.PV, "aarch64").fit
        assert "is an image for aarch64; this machine is x86_64" in verdict(image, Guest.PV).reason
    assert "is an image for x86_64" in verdict(examine(elf(PV_NOTES)), Guest.PVH, "aarch64").reason


@pytest.mark.parametrize("packer", PACKERS)
def test_zboot(packer: str) -> None:
    """A kernel of arm64 or riscv64 that unpacks itself as a program for UEFI, which Xen has none of."""
    for magic, arch in ((b"ARM\x64", "aarch64"), (b"RSC\x05", "riscv64")):
        kernel = b"MZ".ljust(0x38, b"\0") + magic + bytes(5000)
        data = zboot(PACKERS[packer](kernel), packer.encode())
        image = examine(data)
        assert (image.format, image.arch, image.packing) == ("EFI zboot image", arch, packer)
        assert f"is an image for {arch}; this machine is x86_64" in verdict(image, Guest.PVH).reason
        assert unpacked(data) == kernel
    with pytest.raises(PeerError, match="more than 1 MiB"):
        unpacked(zboot(PACKERS[packer](bytes(2 << 20))), 1 << 20)


def test_lzo_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lzo, "_LIBRARY", "libno-such.so.2")
    with pytest.raises(PeerError, match="apt-get install liblzo2-2"):
        examine(bzimage(b"\x89LZO\0\r\n\x1a\n" + bytes(100)))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>404", "is a web page"),
        (b"070701" + bytes(600), "it is an initrd"),
        (gzip.compress(b"070701" + bytes(600), mtime=0), "contains no kernel: it is an initrd"),
        (b"#!ipxe\n", "it is a script"),
        (b"MZ" + bytes(600), "UEFI or Windows"),
        (bytes(510) + b"\x55\xaa", "boot sector"),
        (b"\x7fELF", "cut short"),
        (elf(PV_NOTES)[:3000], "cut short"),
        (lzma.compress(b"hello"), "xz data, but contains no kernel"),
        (b"\x89LZO" + bytes(100), "its lzo data cannot be unpacked"),
        (bzimage(b"\x89LZO" + bytes(100)), "lzo"),
        (zboot(gzip.compress(bytes(9000), mtime=0)), "EFI zboot image, but contains no kernel"),
        (zboot(b"")[:0x300], "is cut short"),
        (zboot(bytes(3000))[:0x500], "is cut short: its payload is to end at 4024 of 1280"),
    ],
)
def test_no_kernel(data: bytes, error: str) -> None:
    with pytest.raises(PeerError, match=error):
        examine(data)


@pytest.mark.parametrize("packer", PACKERS)
def test_bomb(packer: str) -> None:
    bomb = packed(elf(PV_NOTES, before=bytes(9 << 20)), packer)
    assert len(bomb) < 1 << 20
    with pytest.raises(PeerError, match="more than 8 MiB"):
        examine(bzimage(bomb), limit=8 << 20)


def test_unpacked_module() -> None:
    assert unpacked(gzip.compress(b"abc")) == b"abc"
    assert unpacked(b"abc") == b"abc"
    with pytest.raises(PeerError, match="more than 1 MiB"):
        unpacked(gzip.compress(bytes(2 << 20)), 1 << 20)
    with pytest.raises(PeerError, match="cut short"):
        unpacked(gzip.compress(b"abc" * 1000)[:-10])


_SEEDS = [bzimage(packed(elf(PV_NOTES), packer)) for packer in PACKERS] + [elf(PV_NOTES), elf(PV_NOTES, 3, wide=False)]
_SEEDS.append(zboot(gzip.compress(b"MZ".ljust(0x38, b"\0") + b"ARM\x64" + bytes(5000))))
_CHANGE = st.tuples(st.integers(0, 3000), st.integers(0, 255))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(_SEEDS), st.lists(_CHANGE, max_size=8), st.integers(0, 9000))
def test_any_octets(seed: bytes, changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(seed)
    for at, octet in changes:
        data[at % len(data)] = octet
    try:
        image = examine(bytes(data[: length or len(data)]))
        assert isinstance(image, KernelImage)
        verdict(image, Guest.PV)
    except PeerError:
        pass


REAL = [
    # package, architecture, the guests it can be on its own machine
    ("linux-image-cloud-amd64", "amd64", {Guest.PV, Guest.PVH}),
    ("linux-image-amd64", "amd64", {Guest.PV, Guest.PVH}),
    ("linux-image-cloud-arm64", "arm64", {Guest.PVH}),
]


@pytest.mark.e2e
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("package", "debian_arch", "guests"), REAL)
def test_real_kernels(package: str, debian_arch: str, guests: set[Guest]) -> None:
    """Debian's own kernels, from the machine's apt sources; kept in netprov's cache of packages."""
    archive = Archive(default_cache())
    archive.refresh(debian_arch)
    depends = archive.offered([package], debian_arch)[package]["Depends"]
    found = re.match(r"linux-image-(\S+)", depends)
    assert found is not None, depends
    with archive.open(found[0], debian_arch) as unpacked_package:
        image = examine(unpacked_package.file([f"boot/vmlinuz-{found[1]}"]).read_bytes())
    arch, other = {"amd64": ("x86_64", "aarch64"), "arm64": ("aarch64", "x86_64")}[debian_arch]
    assert image.arch == arch
    assert {guest for guest in Guest if verdict(image, guest, arch).fit} == guests
    assert f"this machine is {other}" in verdict(image, Guest.PVH, other).reason
