"""Whose turn it is, where tests run side by side: some must have the machine to themselves."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turns:
    """Of all workers of one run, by locks on files in `folder`; without a folder there is one worker, and no waiting.

    Who waits to be alone stands in the door, so that no further test goes in before.
    """

    def __init__(self, folder: Path | None) -> None:
        self._door, self._room = (_opened(folder, name) for name in ("door", "room"))

    @contextmanager
    def beside(self) -> Iterator[None]:
        """A test like most: not while another is alone."""
        with _held(self._door, fcntl.LOCK_EX):
            _lock(self._room, fcntl.LOCK_SH)
        try:
            yield
        finally:
            _lock(self._room, fcntl.LOCK_UN)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within a test: no other worker's runs meanwhile. Waits until those that run have ended."""
        with _held(self._door, fcntl.LOCK_EX):
            _lock(self._room, fcntl.LOCK_EX)
            try:
                yield
            finally:
                _lock(self._room, fcntl.LOCK_SH)


def _opened(folder: Path | None, name: str) -> int | None:
    if folder is None:
        return None
    folder.mkdir(exist_ok=True)
    return os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)


def _lock(file: int | None, how: int) -> None:
    if file is not None:
        fcntl.flock(file, how)


@contextmanager
def _held(file: int | None, how: int) -> Iterator[None]:
    _lock(file, how)
    try:
        yield
    finally:
        _lock(file, fcntl.LOCK_UN)
