"""Files and folders → the YAML texts in them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from netprov.errors import ConfigError, Origin, Problem

MAX_OCTETS = 16 << 20
"""A file's size. 10,000 systems in one file are 2 MB; Kubernetes refuses more than 3 MiB in one request, GitLab a
configuration of more than 2 MiB."""

SUFFIXES = (".yaml", ".yml")


def read_file(path: Path) -> bytes:
    """The octets of a regular file of bearable size. Raises ConfigError; never blocks on a FIFO or device."""
    try:
        with open(path, "rb", opener=_opener) as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(MAX_OCTETS + 1) if size <= MAX_OCTETS else b""
            if max(size, len(data)) > MAX_OCTETS:
                text = f"larger than {MAX_OCTETS >> 20} MiB; if this is an inventory, split it into several"
                raise ConfigError(Problem(Origin(str(path)), "", text))
            return data
    except OSError as error:
        raise ConfigError(Problem(Origin(str(path)), "", _said(error))) from None


def _opener(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "not a regular file")


def _said(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return (error.strerror or str(error)).lower()


def walk(folder: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Each folder in `folder`, itself first, with the YAML files in it, both in the order of their names.

    Left out: what is hidden (`.git`, editors' `.#x.yaml`, the `..data` of a Kubernetes volume: its files are links
    beside it), and what does not end in .yaml or .yml (`x.yaml~`, `x.yaml.bak`). Linked folders are followed, but none
    twice. Raises ConfigError for a folder that cannot be read.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            status = os.stat(here)
            names = sorted(os.listdir(here))
        except OSError as error:
            raise ConfigError(Problem(Origin(str(here)), "", _said(error))) from None
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        visible = [here / name for name in names if not name.startswith(".")]
        folders = [path for path in visible if os.path.isdir(path)]
        waiting.extend(reversed(folders))
        yield here, [path for path in visible if path.suffix in SUFFIXES and not os.path.isdir(path)]
