"""Why a disk that is there is nobody's to take: dom0 stands on it, another domU has it, or it is no disk at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_SMALLEST = 1 << 20  # octets of a disk image
_SECTOR = 512
_SYSTEM = ("bin", "boot", "dev", "etc", "lib", "lib64", "proc", "run", "sbin", "sys", "usr")  # no images are there
_LOOPS = "/sys/block/loop*/loop/backing_file"


def in_use(path: Path, system: Path = Path("/")) -> str:
    """A clause that goes on from the disk's name; "" where it may be written over.

    `path` is a file or a block device. `system`: where dom0's own files are.
    """
    try:
        real = path.resolve(strict=True)
        return _device(real) if real.is_block_device() else _file(real, system)
    except OSError as error:
        return f"cannot be looked at: {error.strerror}"


def _device(path: Path) -> str:
    """The kernel gives nobody for himself (O_EXCL) what is mounted, swap, part of a volume group or RAID, or in another
    domU; nor a disk of which a partition is any of these. Source: open(2), blkdev_get of Linux."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC))
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return "is in use: mounted, swap, part of a volume group or RAID, dom0's own, or another domU's"
    return ""


def _file(path: Path, system: Path) -> str:
    if any(path.is_relative_to(system / name) for name in _SYSTEM):
        return "is one of dom0's own files"
    size = path.stat().st_size
    if size < _SMALLEST or size % _SECTOR:
        return f"is no disk image: it has {size} octets"
    for loop in Path("/").glob(_LOOPS.lstrip("/")):
        if loop.read_text().strip() == str(path):
            return f"is in use: /dev/{loop.parts[3]} has it"
    return ""
