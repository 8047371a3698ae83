"""Whether a kernel can run as a PV or PVH guest, before Xen is handed it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum

from netprov.errors import PeerError
from netprov.xen.bootloader.elfnotes import Elf, Note, read_elf
from netprov.xen.bootloader.messages import Message
from netprov.xen.bootloader.payload import LARGEST, Packing, is_zboot, packing_of, pieces, zboot_payload

_SECTOR = 512
_HEADER_END = 0x250  # of the fields that are read
_IMAGES = {b"ARM\x64": "aarch64", b"RSC\x05": "riscv64"}  # at 0x38 of an Image
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
        raise PeerError(Message.EMPTY.said())
    if data[510:512] == b"\x55\xaa" and data[0x202:0x206] == b"HdrS" and len(data) >= _HEADER_END:
        return _bzimage(data, limit)
    if data.startswith(b"\x7fELF"):
        return _elf_image("ELF", data, "", limit)
    if _image_arch(data):
        return KernelImage("Image", _image_arch(data))
    if data[0x24:0x28] == b"\x18\x28\x6f\x01":
        return KernelImage("zImage", "arm")
    if is_zboot(data):
        return _zboot(data, limit)
    packing = packing_of(data)
    if packing is not None:
        start = _start(data, packing, limit)
        if start.startswith(b"\x7fELF"):
            return _elf_image("ELF", data, packing.name, limit)
        if _image_arch(start):
            return KernelImage("Image", _image_arch(start), packing.name)
        raise PeerError(Message.NO_KERNEL_INSIDE.said(packing=packing.name, what=_initrd(start)))
    raise PeerError(Message.NO_KERNEL.said(what=_looks_like(data)))


def _start(data: bytes, packing: Packing | None, limit: int) -> bytes:
    """The first sector of what is packed."""
    start = b""
    for piece in pieces(data, packing, limit):
        start += piece
        if len(start) >= _SECTOR:
            break
    return start


def _image_arch(data: bytes) -> str:
    return _IMAGES.get(data[0x38:0x3C], "")


def _zboot(data: bytes, limit: int) -> KernelImage:
    inner = zboot_payload(data)
    packing = packing_of(inner)
    arch = _image_arch(_start(inner, packing, limit))
    if not arch:
        raise PeerError(Message.ZBOOT_WITHOUT.said())
    return KernelImage("EFI zboot image", arch, packing.name if packing is not None else "")


def _bzimage(data: bytes, limit: int) -> KernelImage:
    """Source: Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"."""
    protocol, name_at = struct.unpack_from("<H6xH", data, 0x206)
    setup = ((data[0x1F1] or 4) + 1) * _SECTOR
    (paragraphs,) = struct.unpack_from("<I", data, 0x1F4)
    version = data[name_at + 0x200 : name_at + 0x280].partition(b"\0")[0].decode("ascii", "replace") if name_at else ""
    release = version.split(" ")[0] if version.isprintable() else ""
    if len(data) < setup + paragraphs * 16:
        raise PeerError(Message.CUT_SHORT.said(what=f"{len(data)} octets of {setup + paragraphs * 16}"))
    if protocol < 0x208:  # the payload's place is not told
        return KernelImage("bzImage", "x86", version=release)
    offset, length = struct.unpack_from("<II", data, 0x248)
    payload = data[setup + offset : setup + offset + length]
    if len(payload) < length or length < 8:
        raise PeerError(Message.CUT_SHORT.said(what=f"{len(payload)} octets of a payload of {length}"))
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
        return Verdict(False, Message.TOO_OLD.said())
    return _pv(image, image.elf) if guest is Guest.PV else _pvh(image.elf)


def _foreign(image: KernelImage, arch: str) -> Verdict:
    return Verdict(False, Message.OTHER_ARCH.said(arch=image.arch, here=arch))


def _on_arm(image: KernelImage, guest: Guest) -> Verdict:
    if image.arch not in ("aarch64", "arm"):
        return _foreign(image, "aarch64")
    if guest is Guest.PV:
        return Verdict(False, Message.PV_ON_ARM.said())
    return Verdict(True, f"is an {image.format} for {image.arch}")


def _pv(image: KernelImage, elf: Elf) -> Verdict:
    if image.old_guest:
        return Verdict(True, "is a Xen kernel of before the ELF notes")
    if not elf.notes:
        return Verdict(False, Message.NO_XEN_NOTES.said())
    if Note.ENTRY not in elf.notes:
        hint = "; it can run as type = 'pvh'" if Note.PHYS32_ENTRY in elf.notes else ""
        return Verdict(False, Message.NO_PV_ENTRY.said(hint=hint))
    xen = elf.text(Note.XEN_VERSION)
    if xen and xen != "xen-3.0":
        return Verdict(False, Message.OTHER_XEN.said(wanted=xen))
    loader = elf.text(Note.LOADER)
    if loader and loader != "generic":
        return Verdict(False, Message.OTHER_LOADER.said(loader=repr(loader)))
    if elf.arch == "i386" and elf.text(Note.PAE_MODE).partition(",")[0] in ("", "no"):
        return Verdict(False, Message.NO_PAE.said())
    return Verdict(True, f"can run as a PV guest ({elf.text(Note.GUEST_OS) or 'an unnamed system'})")


def _pvh(elf: Elf) -> Verdict:
    if Note.PHYS32_ENTRY in elf.notes:
        return Verdict(True, f"can run as a PVH guest ({elf.text(Note.GUEST_OS) or 'an unnamed system'})")
    if Note.ENTRY in elf.notes:
        return Verdict(False, Message.NO_PVH_ENTRY.said())
    return Verdict(False, Message.NEITHER_ENTRY.said())
