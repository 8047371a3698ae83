"""What a kernel or an initrd is, by its first octets: enough to see that it is the wrong file."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

HEAD = 1 << 16
"""Octets to look at; ISO 9660 says what it is at 32 KiB."""

X86 = "x86"
"""A kernel for a PC that does not say for which."""

_SECTOR = 512
_WHOLE = 1 << 40  # octets: more than any kernel has
_PE_MACHINES = {0x14C: "i386", 0x8664: "x86_64", 0xAA64: "aarch64", 0x1C2: "arm", 0x5064: "riscv64", 0x5032: "riscv32"}
_ELF_MACHINES = {3: "i386", 62: "x86_64", 40: "arm", 183: "aarch64", 243: "riscv64"}
_AT_0X38 = {b"ARM\x64": "aarch64", b"RSC\x05": "riscv64"}  # Documentation/arch/arm64/booting.rst, and RISC-V's alike

_PACKED: Mapping[bytes, str] = {
    b"\x1f\x8b": "gzip", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"\x02\x21\x4c\x18": "lz4",
    b"\x04\x22\x4d\x18": "lz4", b"BZh": "bzip2", b"\x5d\0\0": "lzma", b"\x89LZO": "lzop",
}  # fmt: skip
_CPIO = (b"070701", b"070702", b"070707", b"\xc7\x71", b"\x71\xc7")


@dataclass(frozen=True, slots=True)
class Image:
    """`arch`: "" where the file does not say. `fault`: a clause that goes on from the file's name; "" without one."""

    arch: str = ""
    fault: str = ""


def kernel(head: bytes, size: int) -> Image:
    """What the kernel is whose first HEAD octets are `head`, of `size` in all."""
    if not head:
        return Image(fault="is empty")
    arch = _pe_arch(head)
    if head[0x202:0x206] == b"HdrS":  # Documentation/arch/x86/boot.rst
        return Image(arch or _x86(head), _cut_short(head, size))
    if head[0x38:0x3C] in _AT_0X38:
        return Image(_AT_0X38[head[0x38:0x3C]])
    if head[0x24:0x28] == b"\x18\x28\x6f\x01":
        return Image("arm")  # a zImage
    if head.startswith(b"\x7fELF") and len(head) >= 20:
        return Image(_ELF_MACHINES.get(struct.unpack_from("<H", head, 18)[0], ""))
    if head.startswith(b"MZ"):  # an EFI program: wimboot, a zboot kernel, another loader
        return Image(arch)
    packed = _packing(head)
    return Image() if packed else Image(fault=f"is not a kernel: {_looks_like(head)}")


def initrd(head: bytes) -> str:
    """Why this cannot be the beginning of an initrd; "" where it can be one, or anything else that a loader passes on
    (memdisk and wimboot take disk images)."""
    if not head:
        return "is empty"
    if kernel(head, _WHOLE).fault == "" and not _packing(head):
        return "is a kernel"
    said = _looks_like(head)
    return f"is not an initrd: {said}" if said in (_PAGE, _SCRIPT) else ""


def known_initrd(head: bytes) -> bool:
    """Whether it is what Linux unpacks: cpio, packed or not. After padding there may be more of them."""
    return bool(_packing(head)) or head.lstrip(b"\0").startswith(_CPIO)


def _pe_arch(head: bytes) -> str:
    """The processor that a PE image (an EFI program, a kernel with an EFI stub) is for."""
    if not head.startswith(b"MZ") or len(head) < 0x40:
        return ""
    (at,) = struct.unpack_from("<I", head, 0x3C)
    if head[at : at + 4] != b"PE\0\0" or len(head) < at + 6:
        return ""
    return _PE_MACHINES.get(struct.unpack_from("<H", head, at + 4)[0], "")


def _x86(head: bytes) -> str:
    """By xloadflags' XLF_KERNEL_64, which boot protocols from 2.12 (Linux 3.8) have."""
    if len(head) < 0x238:
        return X86
    (protocol,) = struct.unpack_from("<H", head, 0x206)
    if protocol < 0x20C:
        return X86
    return "x86_64" if head[0x236] & 1 else "i386"


def _cut_short(head: bytes, size: int) -> str:
    (paragraphs,) = struct.unpack_from("<I", head, 0x1F4)
    whole = ((head[0x1F1] or 4) + 1) * _SECTOR + paragraphs * 16
    # iPXE's ipxe.lkrn does not fill its last paragraph
    return f"is cut short: {size:,} octets of {whole:,}" if size + 15 < whole else ""


def _packing(head: bytes) -> str:
    return next((name for magic, name in _PACKED.items() if head.startswith(magic)), "")


_PAGE = "it is a web page; was an error page saved in its place?"
_SCRIPT = "it is a script"


def _looks_like(head: bytes) -> str:
    start = head[:512].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return _PAGE
    if start.startswith(b"#!"):
        return _SCRIPT
    if head.startswith(_CPIO):
        return "it is an initrd"
    if head[0x8001:0x8006] == b"CD001":
        return "it is an ISO image"
    if head[510:512] == b"\x55\xaa":
        return "it is a boot sector or a disk image"
    return f"it begins with {head[:8].hex(' ')}"
