"""Whether a kernel can run as a PV or PVH guest, before Xen is handed it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum

from netprov.errors import PeerError
from netprov.xen.elfnotes import Elf, Note, read_elf
from netprov.xen.payload import LARGEST, packing_of, pieces

_SECTOR = 512
_HEADER_END = 0x250  # of the fields that are read
_OLD_GUEST = b"XEN_VER=xen-3.0"  # the section __xen_guest of kernels before the notes, about 2.6.9 to 2.6.16


class Guest(StrEnum):
    PV = "pv"
    PVH = "pvh"


@dataclass(frozen=True, slots=True)
class KernelImage:
    """What a file was found to be. `format`: "bzImage", "ELF", "arm64 Image" …; `packing`: "gzip" …, or "" for none."""

    format: str
    arch: str
    packing: str = ""
    version: str = ""  # of Linux, as the image says it
    elf: Elf | None = None  # of x86's
    old_guest: bool = False  # says that it is a Xen guest as kernels before the notes did

    def __str__(self) -> str:
        packed = f", {self.packing}" if self.packing else ""
        return f"{self.format} for {self.arch}{packed}{', Linux ' + self.version if self.version else ''}"


@dataclass(frozen=True, slots=True)
class Verdict:
    fit: bool
    reason: str  # a clause that goes on from the kernel's name: "has no …"


def examine(data: bytes, limit: int = LARGEST) -> KernelImage:
    """What kernel `data` is. Raises PeerError for what is none or damaged: a clause that goes on from its name."""
    if not data:
        raise PeerError("is empty")
    if data[510:512] == b"\x55\xaa" and data[0x202:0x206] == b"HdrS" and len(data) >= _HEADER_END:
        return _bzimage(data, limit)
    if data.startswith(b"\x7fELF"):
        return _elf_image("ELF", data, "", limit)
    if data[0x38:0x3C] == b"ARM\x64":
        return KernelImage("Image", "aarch64")
    if data[0x38:0x3C] == b"RSC\x05":
        return KernelImage("Image", "riscv64")
    if data[0x24:0x28] == b"\x18\x28\x6f\x01":
        return KernelImage("zImage", "arm")
    if data[4:8] == b"zimg":
        return KernelImage("EFI zboot image", "an unknown architecture")
    packing = packing_of(data)
    if packing is not None:
        stream = pieces(data, packing, limit)
        start = b""
        for piece in stream:
            start += piece
            if len(start) >= _SECTOR:
                break
        if start.startswith(b"\x7fELF"):
            return _elf_image("ELF", data, packing.name, limit)
        if start[0x38:0x3C] == b"ARM\x64":
            return KernelImage("Image", "aarch64", packing.name)
        raise PeerError(f"is {packing.name} data, but no kernel is in it{_initrd(start)}")
    raise PeerError(f"is no kernel: {_looks_like(data)}")


def _bzimage(data: bytes, limit: int) -> KernelImage:
    """Source: Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"."""
    protocol, name_at = struct.unpack_from("<H6xH", data, 0x206)
    setup = ((data[0x1F1] or 4) + 1) * _SECTOR
    (paragraphs,) = struct.unpack_from("<I", data, 0x1F4)
    version = data[name_at + 0x200 : name_at + 0x280].partition(b"\0")[0].decode("ascii", "replace") if name_at else ""
    release = version.split(" ")[0] if version.isprintable() else ""
    if len(data) < setup + paragraphs * 16:
        raise PeerError(f"is cut short: {len(data)} octets of {setup + paragraphs * 16}")
    if protocol < 0x208:  # the payload's place is not told
        return KernelImage("bzImage", "x86", version=release)
    offset, length = struct.unpack_from("<II", data, 0x248)
    payload = data[setup + offset : setup + offset + length]
    if len(payload) < length or length < 8:
        raise PeerError(f"is cut short: {len(payload)} octets of a payload of {length}")
    packing = packing_of(payload)
    return _elf_image("bzImage", payload, packing.name if packing else "", limit, release)


def _elf_image(format_: str, data: bytes, packing: str, limit: int, version: str = "") -> KernelImage:
    kind = packing_of(data)
    elf = read_elf(pieces(data, kind, limit))
    old = not elf.notes and elf.arch in ("i386", "x86_64") and _has(data, limit)
    return KernelImage(format_, elf.arch, packing, version, elf, old)


def _has(data: bytes, limit: int) -> bool:
    tail = b""
    for piece in pieces(data, packing_of(data), limit):
        window = tail + piece
        if _OLD_GUEST in window:
            return True
        tail = window[-len(_OLD_GUEST) :]
    return False


def _initrd(start: bytes) -> str:
    return ": it is an initrd" if start.startswith((b"070701", b"070702")) else ""


def _looks_like(data: bytes) -> str:
    head = data[:512].lstrip().lower()
    if head.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "it is a web page; is there an error page at this address?"
    if head.startswith((b"070701", b"070702")):
        return "it is an initrd"
    if head.startswith(b"#!"):
        return "it is a script"
    if data[0x8001:0x8006] == b"CD001":
        return "it is an ISO image"
    if data.startswith(b"MZ"):
        return "it is a program for UEFI or Windows"
    if data[510:512] == b"\x55\xaa":
        return "it is a boot sector or a disk image"
    return f"it begins with {data[:8].hex(' ')}"


def verdict(image: KernelImage, guest: Guest, arch: str = "x86_64") -> Verdict:
    """Whether Xen on a machine of `arch` can run `image` as `guest`, and why."""
    if arch == "aarch64":
        return _on_arm(image, guest)
    if image.arch not in ("x86_64", "i386", "x86"):
        return _foreign(image, arch)
    if image.elf is None:
        return Verdict(False, "is too old for Xen to start: its boot protocol is older than 2.08 (Linux 2.6.25)")
    return _pv(image, image.elf) if guest is Guest.PV else _pvh(image.elf)


def _foreign(image: KernelImage, arch: str) -> Verdict:
    return Verdict(False, f"is an image for {image.arch}; this machine is {arch}: take the kernel built for {arch}")


def _on_arm(image: KernelImage, guest: Guest) -> Verdict:
    if image.arch not in ("aarch64", "arm"):
        return _foreign(image, "aarch64")
    if guest is Guest.PV:
        return Verdict(False, "cannot run as a PV guest on Arm, where all guests are of type = 'pvh'")
    return Verdict(True, f"is an {image.format} for {image.arch}")


def _pv(image: KernelImage, elf: Elf) -> Verdict:
    if image.old_guest:
        return Verdict(True, "is a Xen kernel of before the ELF notes")
    if not elf.notes:
        return Verdict(False, "has no Xen notes: it was built without CONFIG_XEN, and boots only as an HVM guest")
    if Note.ENTRY not in elf.notes:
        hint = "; it can run as type = 'pvh'" if Note.PHYS32_ENTRY in elf.notes else ""
        return Verdict(False, f"has no entry for PV guests: it was built without CONFIG_XEN_PV{hint}")
    xen = elf.text(Note.XEN_VERSION)
    if xen and xen != "xen-3.0":
        return Verdict(False, f"wants the interface {xen}; Xen offers xen-3.0")
    loader = elf.text(Note.LOADER)
    if loader and loader != "generic":
        return Verdict(False, f"wants to be loaded as {loader!r}; Xen knows only 'generic'")
    if elf.arch == "i386" and elf.text(Note.PAE_MODE).partition(",")[0] in ("", "no"):
        return Verdict(False, "is a 32-bit kernel without PAE, which Xen does not run: it needs CONFIG_X86_PAE")
    return Verdict(True, f"can run as a PV guest ({elf.text(Note.GUEST_OS) or 'an unnamed system'})")


def _pvh(elf: Elf) -> Verdict:
    if Note.PHYS32_ENTRY in elf.notes:
        return Verdict(True, f"can run as a PVH guest ({elf.text(Note.GUEST_OS) or 'an unnamed system'})")
    if Note.ENTRY in elf.notes:
        return Verdict(
            False,
            "has no entry for PVH guests (no note PHYS32_ENTRY): it was built without CONFIG_XEN_PVH; it can run as "
            "type = 'pv'",
        )
    return Verdict(False, "has no entry for PVH guests: it was built without CONFIG_XEN_PVH (and CONFIG_PVH)")
