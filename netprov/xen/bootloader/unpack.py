"""A kernel unpacked in its own file: nothing of it is held in memory, however large it turns out to be."""

from __future__ import annotations

import mmap
import os

from netprov.xen.bootloader.payload import PIECE, packed_whole, pieces


def mapped(descriptor: int) -> memoryview:
    """The file's octets, of which only the pages that are looked at are in memory. Raises OSError.

    It is unmapped when nobody has the view, or one of it, any more.
    """
    if not os.fstat(descriptor).st_size:  # which cannot be mapped
        return memoryview(b"")
    return memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ))


def unpack_file(descriptor: int, limit: int) -> bool:
    """A file that is packed as a whole becomes what was packed; whether it was.

    What is unpacked goes behind what is packed, and then to the front. Raises PeerError where it is damaged or has more
    than `limit` octets unpacked, OSError where it cannot be written.
    """
    behind = os.fstat(descriptor).st_size
    size = 0
    found = packed_whole(mapped(descriptor))
    if found is None:
        return False
    for piece in pieces(*found, limit):
        write_at(descriptor, piece, behind + size)
        size += len(piece)
    for at in range(0, size, PIECE):
        write_at(descriptor, os.pread(descriptor, min(PIECE, size - at), behind + at), at)
    os.ftruncate(descriptor, size)
    return True


def write_at(descriptor: int, octets: bytes, at: int) -> None:
    """All of it: a disk that is full raises OSError."""
    while octets:
        written = os.pwrite(descriptor, octets, at)
        octets, at = octets[written:], at + written
