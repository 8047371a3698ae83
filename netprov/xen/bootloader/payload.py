"""What a kernel's payload is packed with, and unpacking it piece by piece, never more than asked for."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from netprov.errors import PeerError
from netprov.xen.bootloader import lzo
from netprov.xen.bootloader.messages import Message

PIECE = 1 << 20  # octets unpacked at a time
LARGEST = 512 << 20  # octets of an unpacked kernel; an allyesconfig vmlinux with debug sections stripped has 200 MiB
_INPUT = 1 << 16
_LZ4_BLOCK = 8 << 20  # octets a block of lz4's legacy format unpacks to, at the most
_ZSTD_WINDOW = 1 << 27  # the kernel packs with zstd -22 --ultra

Unpacker = Callable[[bytes], Iterator[bytes]]


def _gzip(data: bytes) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    view = memoryview(data)
    for start in range(0, len(view), _INPUT):
        rest: bytes | memoryview = view[start : start + _INPUT]
        while rest and not unpacker.eof:
            yield unpacker.decompress(rest, PIECE)
            rest = unpacker.unconsumed_tail
        if unpacker.eof:
            return
    raise EOFError


def _bounded(data: bytes, unpacker: lzma.LZMADecompressor | bz2.BZ2Decompressor) -> Iterator[bytes]:
    yield unpacker.decompress(data, PIECE)
    while not unpacker.eof:
        piece = unpacker.decompress(b"", PIECE)
        if not piece and unpacker.needs_input:
            raise EOFError
        yield piece


def _xz(data: bytes) -> Iterator[bytes]:
    return _bounded(data, lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=1 << 28))


def _lzma(data: bytes) -> Iterator[bytes]:
    return _bounded(data, lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=1 << 28))


def _bzip2(data: bytes) -> Iterator[bytes]:
    return _bounded(data, bz2.BZ2Decompressor())


def _zstd(data: bytes) -> Iterator[bytes]:
    import zstandard  # only where a kernel needs it: the start of the program counts

    with zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).stream_reader(data) as reader:
        try:
            while piece := reader.read(PIECE):
                yield piece
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from None


def _lz4(data: bytes) -> Iterator[bytes]:
    """The legacy frame format, which the kernel's build uses: blocks of 8 MiB behind their packed sizes."""
    import lz4.block  # type: ignore[import-untyped]

    at = 4
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        at += 4
        if data[at - 4 : at] == b"\x02\x21\x4c\x18":
            continue
        if at + size > len(data):
            if at == len(data):  # four octets were left: the unpacked size, which the kernel's build appends
                return
            raise EOFError
        try:
            yield lz4.block.decompress(data[at : at + size], uncompressed_size=_LZ4_BLOCK)
        except lz4.block.LZ4BlockError as error:
            raise ValueError(str(error)) from None
        at += size


@dataclass(frozen=True, slots=True)
class Packing:
    name: str
    magic: bytes
    unpack: Unpacker


PACKINGS: tuple[Packing, ...] = (
    Packing("gzip", b"\x1f\x8b", _gzip),
    Packing("xz", b"\xfd7zXZ\x00", _xz),
    Packing("zstd", b"\x28\xb5\x2f\xfd", _zstd),
    Packing("lz4", b"\x02\x21\x4c\x18", _lz4),
    Packing("bzip2", b"BZh", _bzip2),
    Packing("lzma", b"\x5d\x00\x00", _lzma),
    Packing("lzo", b"\x89LZO", lzo.unpack),
)
"""The formats of the kernel's CONFIG_KERNEL_*, by their first octets (scripts/extract-vmlinux has the same)."""


def packing_of(data: bytes) -> Packing | None:
    """What `data` is packed with; None: with nothing known."""
    return next((packing for packing in PACKINGS if data.startswith(packing.magic)), None)


def pieces(data: bytes, packing: Packing | None, limit: int = LARGEST) -> Iterator[bytes]:
    """`data` unpacked, a piece at a time. Raises PeerError where it is damaged, cut short, or larger than `limit`."""
    if packing is None:
        yield data
        return
    total = 0
    try:
        for piece in packing.unpack(data):
            total += len(piece)
            if total > limit:
                raise PeerError(Message.UNPACKS_TO_MORE.said(most=limit >> 20))
            yield piece
    except EOFError:
        raise PeerError(Message.CUT_SHORT.said(what=f"its {packing.name} data end in the middle")) from None
    except (ValueError, OSError, zlib.error, lzma.LZMAError, MemoryError) as error:
        raise PeerError(Message.NOT_UNPACKED.said(packing=packing.name, why=error)) from None


def unpacked(data: bytes, limit: int = LARGEST) -> bytes:
    """A file that was gzip'ed as a whole, as the modules of mboot.c32 may be, or that unpacks itself as a program for
    UEFI, as it was before; any other as it is."""
    if is_zboot(data):
        inner = zboot_payload(data)
        return b"".join(pieces(inner, packing_of(inner), limit))
    if not data.startswith(b"\x1f\x8b"):
        return data
    return b"".join(pieces(data, PACKINGS[0], limit))


def is_zboot(data: bytes) -> bool:
    """Whether it is an EFI zboot image: a kernel packed into a program for UEFI (CONFIG_EFI_ZBOOT)."""
    return data.startswith(b"MZ") and data[4:8] == b"zimg"


def zboot_payload(data: bytes) -> bytes:
    """The packed kernel in an EFI zboot image. Source: drivers/firmware/efi/libstub/zboot-header.S.

    Raises PeerError where the image ends before it.
    """
    start, size = struct.unpack_from("<II", data.ljust(16, b"\0"), 8)
    if not size or start + size > len(data):
        raise PeerError(Message.CUT_SHORT.said(what=f"its payload is to end at {start + size} of {len(data)} octets"))
    return data[start : start + size]
