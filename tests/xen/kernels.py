"""Small kernels that the tests put together: an ELF file with Xen's notes, packed into a bzImage."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import struct
import subprocess
from collections.abc import Callable

from netprov.xen.bootloader.elfnotes import Note

PV_NOTES = {
    Note.GUEST_OS: b"linux\0",
    Note.XEN_VERSION: b"xen-3.0\0",
    Note.ENTRY: struct.pack("<Q", 0xFFFFFFFF81000000),
    Note.HYPERCALL_PAGE: struct.pack("<Q", 0xFFFFFFFF81001000),
    Note.PAE_MODE: b"yes\0",
    Note.LOADER: b"generic\0",
}
PVH_NOTES = {Note.GUEST_OS: b"linux\0", Note.PHYS32_ENTRY: struct.pack("<Q", 0x1000000)}


def note(kind: int, value: bytes, name: bytes = b"Xen\0") -> bytes:
    body = struct.pack("<III", len(name), len(value), kind) + name + bytes(-len(name) % 4)
    return body + value + bytes(-len(value) % 4)


def elf(notes: dict[Note, bytes], machine: int = 62, wide: bool = True, before: bytes = bytes(5000)) -> bytes:
    """`before` stands between the table of segments and the notes."""
    table, row = (64, 56) if wide else (52, 32)
    body = note(3, b"\1" * 20, b"GNU\0") + b"".join(note(kind, value) for kind, value in notes.items())
    at = table + 2 * row + len(before)
    if wide:
        head = b"\x7fELF\2\1\1" + bytes(9)
        head += struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
        rows = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, at, at, 4096)
        rows += struct.pack("<IIQQQQQQ", 4, 4, at, 0, 0, len(body), len(body), 4)
    else:
        head = b"\x7fELF\1\1\1" + bytes(9)
        head += struct.pack("<HHIIIIIHHHHHH", 2, machine, 1, 0, 52, 0, 0, 52, 32, 2, 0, 0, 0)
        rows = struct.pack("<IIIIIIII", 1, 0, 0, 0, at, at, 5, 4096)
        rows += struct.pack("<IIIIIIII", 4, at, 0, 0, len(body), len(body), 4, 4)
    return head + rows + before + body + bytes(100)


def _zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.compress(data, 3)


def _lz4(data: bytes) -> bytes:
    import lz4.block

    blocks = (lz4.block.compress(data[i : i + (8 << 20)], store_size=False) for i in range(0, len(data), 8 << 20))
    return b"\x02\x21\x4c\x18" + b"".join(struct.pack("<I", len(block)) + block for block in blocks)


def _lzo(data: bytes) -> bytes:
    return subprocess.run(["lzop", "-9", "-c"], input=data, capture_output=True, check=True).stdout


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lambda data: lzma.compress(data, lzma.FORMAT_XZ, check=lzma.CHECK_CRC32),
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "bzip2": bz2.compress,
    "zstd": _zstd,
    "lz4": _lz4,
} | ({"lzo": _lzo} if shutil.which("lzop") else {})


def bzimage(payload: bytes, protocol: int = 0x20F, version: bytes = b"6.1.0-test (builder@host)") -> bytes:
    """`payload` is the packed ELF file."""
    setup = bytearray(3 * 512)
    setup[0x1F1] = 2
    setup[0x1FE:0x200] = b"\x55\xaa"
    setup[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", setup, 0x206, protocol)
    struct.pack_into("<H", setup, 0x20E, 0x300)
    setup[0x500 : 0x500 + len(version) + 1] = version + b"\0"
    body = bytes(64) + payload + bytes(100)
    body += bytes(-len(body) % 16)
    struct.pack_into("<I", setup, 0x1F4, len(body) // 16)
    struct.pack_into("<II", setup, 0x248, 64, len(payload))
    return bytes(setup) + body


def zboot(payload: bytes, name: bytes = b"gzip") -> bytes:
    """An EFI zboot image: `payload` is the packed kernel."""
    head = b"MZ\0\0zimg" + struct.pack("<II", 0x400, len(payload)) + bytes(8) + name
    head = head.ljust(0x38, b"\0") + b"\xcd\x23\x82\x81"
    return head.ljust(0x400, b"\0") + payload + bytes(100)


def packed(elf_file: bytes, packer: str) -> bytes:
    """As the kernel's build does: all but gzip have the unpacked size behind them."""
    data = PACKERS[packer](elf_file)
    return data if packer == "gzip" else data + struct.pack("<I", len(elf_file))
