"""An ELF file's machine and Xen notes, read front to back and no further than needed."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from netprov.errors import PeerError
from netprov.xen.bootloader.messages import Message

_PT_NOTE = 4
_MOST_SEGMENTS = 128
_LONGEST_NOTES = 1 << 20
_MACHINES = {3: "i386", 62: "x86_64", 40: "arm", 183: "aarch64", 243: "riscv64", 21: "ppc64le", 22: "s390x"}


class Note(IntEnum):
    """Types of the notes whose name is "Xen" (xen/include/public/elfnote.h)."""

    INFO = 0
    ENTRY = 1
    HYPERCALL_PAGE = 2
    VIRT_BASE = 3
    PADDR_OFFSET = 4
    XEN_VERSION = 5
    GUEST_OS = 6
    GUEST_VERSION = 7
    LOADER = 8
    PAE_MODE = 9
    FEATURES = 10
    BSD_SYMTAB = 11
    HV_START_LOW = 12
    L1_MFN_VALID = 13
    SUSPEND_CANCEL = 14
    INIT_P2M = 15
    MOD_START_PFN = 16
    SUPPORTED_FEATURES = 17
    PHYS32_ENTRY = 18
    PHYS32_RELOC = 19


@dataclass(frozen=True, slots=True)
class Elf:
    arch: str
    notes: Mapping[int, bytes]  # those of Xen, by type

    def text(self, note: Note) -> str:
        return self.notes.get(note, b"").rstrip(b"\0").decode("ascii", "replace")


class _Forward:
    """Reads a stream of pieces at growing offsets."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._window = b""
        self._start = 0

    def take(self, start: int, size: int) -> bytes:
        """Raises PeerError where the stream ends before, or has gone on too far."""
        if start < self._start:
            raise PeerError(Message.ELF_ORDER.said())
        while self._start + len(self._window) < start + size:
            piece = next(self._pieces, None)
            if piece is None:
                raise PeerError(Message.CUT_SHORT.said(what="the ELF file ends in the middle"))
            behind = self._start + len(self._window)
            keep = max(0, behind - start)
            self._window = self._window[len(self._window) - keep :] + piece if keep else piece
            self._start = behind - keep
        return self._window[start - self._start : start - self._start + size]


def read_elf(pieces: Iterator[bytes]) -> Elf:
    """Raises PeerError for what is no ELF file, or one that is cut short."""
    stream = _Forward(pieces)
    head = stream.take(0, 16)
    if head[:4] != b"\x7fELF" or head[4] not in (1, 2):
        raise PeerError(Message.NO_ELF.said())
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    if wide:
        head = stream.take(0, 64)
        machine = struct.unpack_from(f"{order}H", head, 18)[0]
        (table,) = struct.unpack_from(f"{order}Q", head, 32)
        size, count = struct.unpack_from(f"{order}HH", head, 54)
    else:
        head = stream.take(0, 52)
        machine = struct.unpack_from(f"{order}H", head, 18)[0]
        (table,) = struct.unpack_from(f"{order}I", head, 28)
        size, count = struct.unpack_from(f"{order}HH", head, 42)
    arch = _MACHINES.get(machine, f"machine {machine}")
    if not count:
        return Elf(arch, {})
    if count > _MOST_SEGMENTS or size < (56 if wide else 32):
        raise PeerError(Message.NO_SEGMENTS.said())
    rows = stream.take(table, size * count)
    notes: dict[int, bytes] = {}
    for start, length in sorted(_note_segments(rows, size, order, wide)):
        if 0 < length <= _LONGEST_NOTES:
            notes |= _xen_notes(stream.take(start, length), order)
    return Elf(arch, notes)


def _note_segments(rows: bytes, size: int, order: str, wide: bool) -> Iterator[tuple[int, int]]:
    for at in range(0, len(rows) - size + 1, size):
        (kind,) = struct.unpack_from(f"{order}I", rows, at)
        if kind == _PT_NOTE and wide:
            start, length = struct.unpack_from(f"{order}Q16xQ", rows, at + 8)
            yield start, length
        elif kind == _PT_NOTE:
            start, length = struct.unpack_from(f"{order}I8xI", rows, at + 4)
            yield start, length


def _xen_notes(segment: bytes, order: str) -> dict[int, bytes]:
    notes, at = {}, 0
    while at + 12 <= len(segment):
        name_size, size, kind = struct.unpack_from(f"{order}III", segment, at)
        name = segment[at + 12 : at + 12 + name_size]
        begin = at + 12 + (name_size + 3 & ~3)
        if name == b"Xen\0" and begin + size <= len(segment):
            notes[kind] = segment[begin : begin + size]
        at = begin + (size + 3 & ~3)
    return notes
