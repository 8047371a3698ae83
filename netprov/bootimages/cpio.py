"""A cpio archive in the kernel's "newc" format: what an initramfs is."""

from __future__ import annotations

import gzip
import stat
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive. `mode` has the file type in it; `device` is (major, minor) of a device node."""

    name: str
    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)


def folder(name: str) -> Entry:
    return Entry(name, stat.S_IFDIR | 0o755)


def file(name: str, content: bytes, mode: int = 0o644) -> Entry:
    return Entry(name, stat.S_IFREG | mode, content)


def symlink(name: str, target: str) -> Entry:
    return Entry(name, stat.S_IFLNK | 0o777, target.encode())


def node(name: str, major: int, minor: int) -> Entry:
    return Entry(name, stat.S_IFCHR | 0o600, device=(major, minor))


def newc(entries: Iterable[Entry]) -> bytes:
    """The archive, the same bytes for the same entries: all of root's, of time 0, numbered in order.

    Source: Documentation/driver-api/early-userspace/buffer-format.rst of the kernel.
    """
    parts = [_record(number, entry) for number, entry in enumerate(entries, start=1)]
    archive = b"".join(parts) + _record(0, Entry("TRAILER!!!", 0))
    return archive + bytes(-len(archive) % 512)


def compressed(archive: bytes) -> bytes:
    """gzip, which every kernel unpacks, without a time in its header."""
    return gzip.compress(archive, compresslevel=9, mtime=0)


def _record(number: int, entry: Entry) -> bytes:
    name = entry.name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    numbers = (number, entry.mode, 0, 0, links, 0, len(entry.content), 0, 0, *entry.device, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % value for value in numbers) + name
    return _padded(head) + _padded(entry.content)


def _padded(part: bytes) -> bytes:
    return part + bytes(-len(part) % 4)
