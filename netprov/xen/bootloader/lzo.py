"""lzop's format, with which kernels of CONFIG_KERNEL_LZO are packed, by the system's liblzo2.

Source: the kernel's scripts/Makefile.lib (`lzop -9`) and lib/decompress_unlzo.c.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator

from netprov.errors import PeerError
from netprov.xen.bootloader.messages import Message

_MAGIC = b"\x89LZO\0\r\n\x1a\n"
_LIBRARY = "liblzo2.so.2"
_NEWER = 0x940  # the version whose header has more fields
_SUMS_UNPACKED = (0x1, 0x100)  # flags: an Adler-32, a CRC-32 of each block as it was before
_SUMS_PACKED = (0x2, 0x200)
_FILTER = 0x800
_BLOCK = 64 << 20  # octets a block unpacks to, at the most; lzop makes blocks of 256 KiB


def unpack(data: bytes) -> Iterator[bytes]:
    """The blocks unpacked. Raises EOFError where they end in the middle, ValueError where they are damaged, PeerError
    where this system has no liblzo2."""
    library = _library()
    try:
        flags, at = _header(data)
        while True:
            (size,) = struct.unpack_from(">I", data, at)
            if not size:
                return
            (packed,) = struct.unpack_from(">I", data, at + 4)
            at += 8 + 4 * sum(bool(flags & flag) for flag in _SUMS_UNPACKED)
            if packed < size:  # a block that would not shrink is stored as it is, without a sum of its own
                at += 4 * sum(bool(flags & flag) for flag in _SUMS_PACKED)
            block = data[at : at + packed]
            if len(block) < packed:
                raise EOFError
            if size > _BLOCK or packed > size:
                raise ValueError(f"a block of {size} octets in {packed}")
            yield block if packed == size else _unpacked(library, block, size)
            at += packed
    except struct.error:
        raise EOFError from None


def _library() -> ctypes.CDLL:
    try:
        return ctypes.CDLL(_LIBRARY)
    except OSError:
        raise PeerError(Message.NO_LZO.said()) from None


def _header(data: bytes) -> tuple[int, int]:
    """The flags, and where the first block is."""
    if not data.startswith(_MAGIC):
        raise ValueError("lzop's header is damaged")
    at = len(_MAGIC)
    (version,) = struct.unpack_from(">H", data, at)
    newer = version >= _NEWER
    at += 4 + 2 * newer + 1 + newer  # this version, the library's, the needed one, method, level
    (flags,) = struct.unpack_from(">I", data, at)
    at += 4 + 4 * bool(flags & _FILTER) + 8 + 4 * newer  # flags, filter, mode, time
    (name,) = struct.unpack_from(">B", data, at)
    return flags, at + 1 + name + 4


def _unpacked(library: ctypes.CDLL, block: bytes, size: int) -> bytes:
    out = ctypes.create_string_buffer(size)
    got = ctypes.c_size_t(size)
    code = library.lzo1x_decompress_safe(block, ctypes.c_size_t(len(block)), out, ctypes.byref(got), None)
    if code or got.value != size:
        raise ValueError(f"liblzo2 says {code}")
    return out.raw
