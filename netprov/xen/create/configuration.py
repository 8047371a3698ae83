"""The configuration's file: written where nothing is in the way, and changed to local boot once all is done."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from netprov.errors import Problem
from netprov.xen.create.host import Host
from netprov.xen.create.step import Say


def indented(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield f"    {line}".rstrip()


class Configuration:
    """Writes `text` to `path`. One that says the same already is kept."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text
        self._made = False

    def shown(self) -> Iterator[str]:
        yield f"write {self._path}:"
        yield from indented(self._text)

    def problems(self, host: Host) -> Iterator[Problem]:
        if self._there():
            if self._path.read_text(encoding="utf-8", errors="replace") != self._text:
                text = "already exists, with other contents: name another with --output, or remove it"
                yield Problem(None, str(self._path), text)
        elif not self._path.parent.is_dir():
            yield Problem(None, str(self._path.parent), "no such folder")
        elif not os.access(self._path.parent, os.W_OK | os.X_OK):
            yield Problem(None, str(self._path.parent), "nothing can be written there: this needs root")

    def _there(self) -> bool:
        return os.path.lexists(self._path)

    def do(self, host: Host, say: Say) -> None:
        if not self._there():
            with self._path.open("x", encoding="utf-8") as file:
                self._made = True
                file.write(self._text)
            say(f"wrote {self._path}")

    def undo(self, host: Host) -> None:
        if self._made:
            self._path.unlink(missing_ok=True)


class Replaced:
    """The configuration says `text` from now on."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text

    def shown(self) -> Iterator[str]:
        yield f"then write {self._path}, which boots its own disk from then on:"
        yield from indented(self._text)

    def problems(self, host: Host) -> Iterator[Problem]:
        yield from ()

    def do(self, host: Host, say: Say) -> None:
        new = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            new.write_text(self._text, encoding="utf-8")
            new.replace(self._path)
        finally:
            new.unlink(missing_ok=True)
        say(f"wrote {self._path}: it boots its own disk from now on")

    def undo(self, host: Host) -> None:
        """Nothing: what it said before is in no use."""


class StartsWithDom0:
    """A link in /etc/xen/auto, which the service xendomains reads (virt.auto_boot)."""

    def __init__(self, path: Path, auto: Path = Path("/etc/xen/auto")) -> None:
        self._path = path
        self._link = auto / path.name
        self._made = False

    def shown(self) -> Iterator[str]:
        yield f"then link {self._link} to it, as it starts with dom0 (virt.auto_boot)"

    def problems(self, host: Host) -> Iterator[Problem]:
        if os.path.lexists(self._link) and self._link.resolve() != self._path.resolve():
            yield Problem(None, str(self._link), "already exists")

    def do(self, host: Host, say: Say) -> None:
        if not os.path.lexists(self._link):
            self._link.parent.mkdir(parents=True, exist_ok=True)
            self._link.symlink_to(self._path.resolve())
            self._made = True

    def undo(self, host: Host) -> None:
        if self._made:
            self._link.unlink(missing_ok=True)
