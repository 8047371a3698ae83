"""The disks of a new domU: files, logical volumes, and those that are there already."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from netprov.errors import Problem
from netprov.xen.create.host import Host, Stopped
from netprov.xen.create.step import Say, Step
from netprov.xen.domain import DomainDisk

_PIECE = 1 << 28  # octets allocated at a time: a wish to stop is heeded in between
_VOLUME = re.compile(r"/dev/(?!mapper/|disk/|block/)([\w+.][\w+.-]*)/([\w+.][\w+.-]*)", re.ASCII)
_TAKE = "--take-disks uses it as it is, and the install writes over what is on it"


def disk_steps(disks: tuple[DomainDisk, ...], take: bool, full: bool) -> list[Step]:
    """`take`: disks that are there already are used. `full`: files are allocated in full, not sparse."""
    folders = dict.fromkeys(str(Path(disk.path).parent) for disk in disks if not disk.device)
    return [*(Folder(folder) for folder in folders), *(_step(disk, take, full) for disk in disks)]


def _step(disk: DomainDisk, take: bool, full: bool) -> Step:
    there = os.path.exists(disk.path)
    if (there and (take or disk.empty)) or (disk.device and not _VOLUME.fullmatch(disk.path)):
        return TakenDisk(disk, take)
    if disk.device:
        return Volume(disk)
    return FileDisk(disk, full) if disk.format == "raw" else FormattedDisk(disk)


def amount(octets: int) -> str:
    """4294967296 → 4 GiB."""
    for unit, shift in (("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if octets >= 1 << shift:
            return f"{octets / (1 << shift):.1f}".removesuffix(".0") + f" {unit}"
    return f"{octets} octets"


def _unmade(disk: DomainDisk) -> Iterator[Problem]:
    """What speaks against making it."""
    if os.path.lexists(disk.path):
        yield Problem(None, disk.path, f"already exists: {_TAKE}")
    elif not disk.size and not disk.empty:
        yield Problem(None, disk.path, "does not exist, and nothing says how large to make it: give --size")


class Folder:
    """A folder for disks, with those above it."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._made: list[Path] = []

    def shown(self) -> Iterator[str]:
        if not self._path.exists():
            yield f"make the folder {self._path}"

    def problems(self, host: Host) -> Iterator[Problem]:
        there = next(path for path in (self._path, *self._path.parents) if path.exists())
        if not there.is_dir():
            yield Problem(None, str(there), "is not a folder")
        elif not os.access(there, os.W_OK | os.X_OK):
            yield Problem(None, str(there), "nothing can be made in it: this needs root")

    def do(self, host: Host, say: Say) -> None:
        for path in reversed([path for path in (self._path, *self._path.parents) if not path.exists()]):
            path.mkdir()
            self._made.append(path)

    def undo(self, host: Host) -> None:
        while self._made:
            path = self._made.pop()
            if not any(path.iterdir()):
                path.rmdir()


class FileDisk:
    """A file of zeros: sparse, or allocated in full."""

    def __init__(self, disk: DomainDisk, full: bool) -> None:
        self._disk = disk
        self._full = full
        self._made = False

    def shown(self) -> Iterator[str]:
        how = "" if self._disk.empty else ", allocated in full" if self._full else ", sparse"
        yield f"make the file {self._disk.path}: {amount(self._disk.size)}{how}"

    def problems(self, host: Host) -> Iterator[Problem]:
        yield from _unmade(self._disk)
        folder = next(path for path in Path(self._disk.path).absolute().parents if path.exists())
        there = os.statvfs(folder)
        free = there.f_bavail * there.f_frsize
        if self._full and free < self._disk.size:
            text = f"is to have {amount(self._disk.size)}, and {amount(free)} are free in {folder}"
            yield Problem(None, self._disk.path, text)

    def do(self, host: Host, say: Say) -> None:
        mode = 0o644 if self._disk.empty else 0o600  # a domU's disk is nobody else's to read
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._disk.path, flags, mode)
        self._made = True
        try:
            if self._full:
                for start in range(0, self._disk.size, _PIECE):
                    host.pause()
                    os.posix_fallocate(descriptor, start, min(_PIECE, self._disk.size - start))
            os.ftruncate(descriptor, self._disk.size)
        except OSError as error:  # which names no file
            raise OSError(error.errno, error.strerror, self._disk.path) from None
        finally:
            os.close(descriptor)

    def undo(self, host: Host) -> None:
        if self._made:
            self._made = False
            Path(self._disk.path).unlink(missing_ok=True)


class _Command(ABC):
    """A disk that one command makes and another takes away."""

    def __init__(self, disk: DomainDisk) -> None:
        self._disk = disk
        self._made = False

    @abstractmethod
    def making(self) -> tuple[str, ...]:
        """The command, a word each."""

    def shown(self) -> Iterator[str]:
        yield f"run {' '.join(self.making())}"

    def problems(self, host: Host) -> Iterator[Problem]:
        program = self.making()[0]
        if not host.has(program):
            yield Problem(None, program, "is not here")
        yield from _unmade(self._disk)


class FormattedDisk(_Command):
    """A file of QEMU's formats."""

    def making(self) -> tuple[str, ...]:
        return ("qemu-img", "create", "-q", "-f", self._disk.format, self._disk.path, str(self._disk.size))

    def do(self, host: Host, say: Say) -> None:
        # qemu-img writes over what is there
        os.close(os.open(self._disk.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        self._made = True
        host.run(*self.making())

    def undo(self, host: Host) -> None:
        if self._made:
            Path(self._disk.path).unlink(missing_ok=True)


class Volume(_Command):
    """A logical volume, /dev/GROUP/NAME."""

    def making(self) -> tuple[str, ...]:
        group, name = self._names()
        # --wipesignatures asks where it finds a file system of a volume that once was there; nobody is there to answer
        size = f"{self._disk.size}b"
        return ("lvcreate", "--yes", "--wipesignatures", "y", "--size", size, "--name", name, group)

    def _names(self) -> tuple[str, str]:
        found = _VOLUME.fullmatch(self._disk.path)
        assert found is not None
        return found[1], found[2]

    def do(self, host: Host, say: Say) -> None:
        there = os.path.lexists(self._disk.path)
        try:
            host.run(*self.making())
        except Stopped:
            self._made = not there and os.path.lexists(self._disk.path)
            raise
        self._made = True

    def undo(self, host: Host) -> None:
        if self._made:
            host.run("lvremove", "--yes", "/".join(self._names()), undoing=True)


class TakenDisk:
    """A disk that is there, and stays whatever happens."""

    def __init__(self, disk: DomainDisk, take: bool) -> None:
        self._disk = disk
        self._take = take or disk.empty

    def shown(self) -> Iterator[str]:
        yield f"use {self._disk.path}, which exists"

    def problems(self, host: Host) -> Iterator[Problem]:
        path = Path(self._disk.path)
        if not path.exists():
            yield Problem(None, str(path), "no such device; one of LVM, /dev/GROUP/NAME, would be made")
        elif not self._take:
            yield Problem(None, str(path), f"already exists: {_TAKE}")
        elif not (path.is_block_device() if self._disk.device else path.is_file()):
            yield Problem(None, str(path), "is neither a file nor a block device")

    def do(self, host: Host, say: Say) -> None:
        """Nothing."""

    def undo(self, host: Host) -> None:
        """Nothing."""
