"""pxelinux.cfg: the text, and what it includes, as labels and settings.

Keywords count in any case. PXELINUX ignores what it does not know; so does this, but it notes it. Source: syslinux
doc/syslinux.txt and doc/menu.txt, and what PXELINUX 6.04 was seen to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from netprov.errors import Origin, PeerError
from netprov.scripts.messages import ScriptMessage

INCLUDE_DEPTH = 16  # syslinux's MAX_INCLUDE_NEST
MOST_LINES = 100_000  # of all files together: a loop of includes, or no configuration at all
MOST_LABELS = 10_000

Include = Callable[[str], str | None]
"""The text of a file of the same server; None: there is none. What else goes wrong, it raises."""


class Kind(StrEnum):
    """What a label's kernel is, by the keyword that names it. KERNEL goes by the file's name."""

    KERNEL = "kernel"
    LINUX = "linux"
    COM32 = "com32"
    CONFIG = "config"
    LOCALBOOT = "localboot"
    BOOT = "boot"
    BSS = "bss"
    PXE = "pxe"
    FDIMAGE = "fdimage"
    COMBOOT = "comboot"
    MENU = "menu"  # MENU GOTO, MENU EXIT, MENU QUIT: moves between menus


@dataclass(frozen=True, slots=True)
class Entry:
    """One label, or a command that is none. `kernel` is the rest of its line, arguments and all."""

    label: str
    kind: Kind
    kernel: str
    origin: Origin
    append: str = ""
    extra: str = ""  # what DEFAULT or ONTIMEOUT added after the label
    initrd: str = ""
    sysappend: int = 0
    title: str = ""
    preferred: bool = False  # MENU DEFAULT
    disabled: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration. `ui` and `default` are commands: a label or a kernel, with arguments."""

    name: str
    entries: tuple[Entry, ...] = ()
    default: str = ""
    ui: str = ""
    ontimeout: str = ""
    sysappend: int = 0
    implicit: bool = True  # whether a command may be a kernel's name
    notes: tuple[str, ...] = ()  # what was passed over, with file and line

    def entry(self, label: str) -> Entry | None:
        """The entry of that label; where several have it, the first."""
        exact = next((entry for entry in self.entries if entry.label == label), None)
        return exact or next((entry for entry in self.entries if entry.label.lower() == label.lower()), None)


def parse(text: str, include: Include, name: str = "pxelinux.cfg/default") -> Config:
    """Raises PeerError for includes nested too deep and for a configuration beyond all measure."""
    reader = _Reader(include)
    reader.read(text, name)
    reader.record()
    return Config(
        name,
        tuple(reader.entries.values()),
        reader.default,
        reader.ui,
        reader.ontimeout,
        reader.sysappend,
        reader.implicit,
        tuple(reader.notes),
    )


_PASSED = frozenset(
    {
        "timeout", "totaltimeout", "onerror", "prompt", "allowoptions", "noescape", "nocomplete", "nohalt", "noshift",
        "serial", "console", "font", "kbdmap", "say", "display", "path", "sendcookies", "pxeretry", "f0", "f1", "f2",
        "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12",
    }
)  # fmt: skip
"""What concerns a person at the screen, whom a domU's boot has not."""

_KINDS = {kind.value: kind for kind in Kind if kind is not Kind.MENU}
_MOVES = ("goto", "exit", "quit")


@dataclass(slots=True)
class _Open:
    """The label being read."""

    entry: Entry
    append: str | None = None


class _Reader:
    """Everything works the same way as if the files had been concatenated."""

    def __init__(self, include: Include) -> None:
        self.include = include
        self.entries: dict[str, Entry] = {}
        self.default = self.ui = self.ontimeout = self.append = ""
        self.sysappend = 0
        self.implicit = True
        self.notes: list[str] = []
        self._open: _Open | None = None
        self._depth = self._lines = 0

    def read(self, text: str, name: str) -> None:
        in_help = False
        for number, line in enumerate(re.split("\r?\n|\r", text), 1):
            self._lines += 1
            if self._lines > MOST_LINES:
                what = f"with what it includes, more than {MOST_LINES} lines"
                raise PeerError(ScriptMessage.SCRIPT_LIMIT.said(script_line=f"{name}:{number}", limit_passed=what))
            keyword, rest = _split(line)
            if in_help:
                in_help = keyword != "endtext"
            elif keyword == "text":
                in_help = True
            elif keyword and not keyword.startswith("#"):
                self._line(keyword, rest, Origin(name, number))

    def record(self) -> None:
        """The label being read is complete."""
        done, self._open = self._open, None
        if done is None or done.entry.label in self.entries:  # of two with one name the first counts
            return
        append = self.append if done.append is None else done.append
        self.entries[done.entry.label] = replace(done.entry, append="" if append == "-" else append)
        if len(self.entries) > MOST_LABELS:
            passed = f"more than {MOST_LABELS} labels"
            raise PeerError(ScriptMessage.SCRIPT_LIMIT.said(script_line=done.entry.origin, limit_passed=passed))

    def _line(self, keyword: str, rest: str, origin: Origin) -> None:
        if keyword == "label":
            self.record()
            label = rest.split()[0] if rest else ""
            self._open = _Open(Entry(label, Kind.KERNEL, label, origin, sysappend=self.sysappend, title=label))
        elif keyword == "menu":
            self._menu(*_split(rest), origin)
        elif keyword == "include":
            self._included(rest, origin)
        elif not (self._of_label(keyword, rest) or self._of_all(keyword, rest)) and keyword not in _PASSED:
            self.notes.append(f"{origin}: {keyword} is no keyword of PXELINUX")

    def _of_label(self, keyword: str, rest: str) -> bool:
        """Keywords that stand under a label. Before the first, PXELINUX ignores those that say what to boot."""
        known = keyword in _KINDS or keyword in ("initrd", "append", "ipappend", "sysappend")
        if self._open is None:
            return known and keyword not in ("append", "ipappend", "sysappend")
        if keyword in _KINDS:
            self._change(kind=_KINDS[keyword], kernel=rest)
        elif keyword == "initrd":
            self._change(initrd=rest)
        elif keyword == "append":
            self._open.append = rest
        elif keyword in ("ipappend", "sysappend"):
            self._change(sysappend=_number(rest))
        return known

    def _change(self, **fields: object) -> None:
        if self._open is not None:
            self._open.entry = replace(self._open.entry, **fields)  # type: ignore[arg-type]

    def _of_all(self, keyword: str, rest: str) -> bool:
        match keyword:
            case "default":
                self.default = rest
            case "ui":
                self.ui = rest
            case "ontimeout":
                self.ontimeout = rest
            case "append":
                self.append = rest
            case "ipappend" | "sysappend":
                self.sysappend = _number(rest)
            case "implicit":
                self.implicit = _number(rest) != 0
            case _:
                return False
        return True

    def _menu(self, keyword: str, rest: str, origin: Origin) -> None:
        match keyword:
            case "include":
                self._included(rest, origin)
            case "begin" | "end" | "separator":
                self.record()
            case "label":
                self._change(title=rest.replace("^", ""))
            case "default":
                self._change(preferred=True)
            case "disable" | "disabled":
                self._change(disabled=True)
            case "hide":
                self._change(hidden=True)
            case _ if keyword in _MOVES:
                self._change(kind=Kind.MENU, kernel=rest)

    def _included(self, rest: str, origin: Origin) -> None:
        words = rest.split(None, 1)
        if not words:
            self.notes.append(f"{origin}: INCLUDE without a file name")
            return
        if self._depth >= INCLUDE_DEPTH:
            what = f"INCLUDE {words[0]} is nested {INCLUDE_DEPTH} deep; does it include itself?"
            raise PeerError(ScriptMessage.SCRIPT_LIMIT.said(script_line=origin, limit_passed=what))
        text = self.include(words[0])
        if text is None:
            self.notes.append(f"{origin}: the file to include, {words[0]}, is not there")
            return
        submenu = len(words) > 1  # MENU INCLUDE file name: a menu of its own, whose labels end with it
        if submenu:
            self.record()
        self._depth += 1
        self.read(text, words[0])
        self._depth -= 1
        if submenu:
            self.record()


def _split(line: str) -> tuple[str, str]:
    """The keyword in lower case, and what follows it; blanks and tabs are the same."""
    words = line.strip(" \t\v\f").split(None, 1)
    return (words[0].lower(), words[1] if len(words) > 1 else "") if words else ("", "")


def _number(text: str) -> int:
    """As C's strtoul does: decimal, 0x… or octal, as far as it goes; nothing is 0."""
    found = re.match(r"0x([0-9a-f]+)|0([0-7]*)|([1-9][0-9]*)", text.strip(), re.IGNORECASE)
    if found is None:
        return 0
    bases = zip(found.groups(), (16, 8, 10), strict=True)
    digits, base = next((digits, base) for digits, base in bases if digits is not None)
    return int(digits[:12] or "0", base)
