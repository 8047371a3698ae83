"""A file that was opened to be served, and which content of it."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """Which content of which file: renamed over another it has a new `ino`, written in place a new `mtime_ns`."""

    dev: int
    ino: int
    mtime_ns: int
    size: int

    @classmethod
    def of(cls, fd: int) -> Identity:
        stat = os.fstat(fd)
        return cls(stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size)


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A regular file, open for reading; who takes it closes `fd`."""

    fd: int
    identity: Identity
