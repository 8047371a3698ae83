"""The answer to xl, and the files that go with it: made under names of their own, and gone again where the boot fails.

Source: libxl of Xen 4.17 as observed (parse_bootloader_result), pygrub's formats.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from netprov.errors import ConfigError, Problem
from netprov.xen.bootloader.contract import Format
from netprov.xen.bootloader.messages import Message

LONGEST_ITEM = 8191  # octets; libxl drops a longer item of the answer with no more than a warning
_ATTEMPTS = 1000  # names tried; only what an earlier process of the same number left stands in the way


def _wrong(text: str) -> ConfigError:
    return ConfigError(Problem(None, "", text))


@dataclass(frozen=True, slots=True)
class Answer:
    """`kernel` and `ramdisk` are files that libxl will unlink. Without a ramdisk: ""."""

    kernel: str
    ramdisk: str = ""
    args: str = ""


def encode_answer(answer: Answer, form: Format) -> bytes:
    """The answer as `form` wants it. Raises ConfigError for what it cannot express, or libxl would silently drop."""
    items = [("kernel", answer.kernel)]
    if answer.ramdisk:
        items.append(("ramdisk", answer.ramdisk))
    if answer.args:
        items.append(("args", answer.args))
    for name, value in items:
        if len(f"{name} {value}".encode()) > LONGEST_ITEM:
            most = LONGEST_ITEM - len(name) - 1
            raise _wrong(Message.TOO_LONG.said(item=name, octets=len(value.encode()), most=most))
        if "\0" in value or "\n" in value:
            raise _wrong(Message.LINE_BREAK.said(item=name))
    if form is Format.SIMPLE0:
        return b"".join(f"{name} {value}".encode() + b"\0" for name, value in items)
    if form is Format.SIMPLE:
        return b"".join(f"{name} {value}\n".encode() for name, value in items) + b"\n"
    return ("linux " + "".join(f"({name} {_sxp(name, value)})" for name, value in items)).encode()


def _sxp(name: str, value: str) -> str:
    """xend's S-expressions: the arguments in quotes, as pygrub writes them."""
    if name != "args" and re.fullmatch(r"[^\s()'\"]+", value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Handover:
    """The files for libxl: made under names that nobody else has, and gone again unless they were handed over."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)
        self._made: list[Path] = []

    def file(self, kind: str) -> Path:
        """A new, empty file ("kernel", "ramdisk"), readable to root alone. Raises ConfigError."""
        for number in range(_ATTEMPTS):
            path = self._directory / f"netprov-{kind}.{os.getpid()}.{number}"
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
            except FileExistsError:
                continue
            except OSError as error:
                raise _wrong(Message.NO_FILE_MADE.said(path=path, why=error.strerror)) from None
            self._made.append(path)
            return path
        raise _wrong(Message.FOLDER_FULL.said(path=self._directory))

    def keep(self, *paths: Path) -> None:
        """These are libxl's from here."""
        self._made = [path for path in self._made if path not in paths]

    def discard(self) -> None:
        while self._made:
            self._made.pop().unlink(missing_ok=True)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """A descriptor of a file that was made here, to read and to write."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _wrong(Message.NO_FILE_MADE.said(path=path, why=error.strerror)) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def handover(directory: str) -> Iterator[Handover]:
    """The files made within are removed at the end, unless they are kept."""
    made = Handover(directory)
    try:
        yield made
    finally:
        made.discard()


def write_answer(output: str, octets: bytes) -> None:
    """To the file that libxl made for it, to a fifo as older ones did, or for - to standard output.

    Raises ConfigError where that is not possible.
    """
    try:
        if output in ("", "-"):
            _write_all(1, octets)
            return
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write_all(descriptor, octets)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _wrong(Message.NOT_WRITTEN.said(path=output, why=error.strerror)) from None


def _write_all(descriptor: int, octets: bytes) -> None:
    while octets:
        octets = octets[os.write(descriptor, octets) :]
