"""pxelinux.cfg: the text, and what it includes, as labels, menus and settings.

Keywords count in any case. PXELINUX ignores what it does not know; so does this, but it notes it. Source: syslinux
doc/syslinux.txt and doc/menu.txt, readconfig.c of ldlinux and of menu.c32, and what PXELINUX 6.04 was seen to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from netprov.errors import Origin, PeerError
from netprov.scripts.messages import ScriptMessage
from netprov.scripts.notes import Notes
from netprov.scripts.plan import Files

INCLUDE_DEPTH = 16  # syslinux's MAX_INCLUDE_NEST
MOST_LINES = 100_000  # of all files together: a loop of includes, or no configuration at all
MOST_LABELS = 10_000
_HIDDEN = -1  # the menu of MENU HIDE, which nobody sees
_BOM = "\ufeff"


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
    MENU = "menu"  # MENU BEGIN, GOTO, EXIT, QUIT, HELP: moves between menus


@dataclass(frozen=True, slots=True)
class Entry:
    """One label, or a command that is none. `kernel` is the rest of its line, arguments and all.

    `label` is the rest of LABEL's line, as menu.c32 reads it; PXELINUX itself knows the label by its first word.
    """

    label: str
    kind: Kind
    kernel: str
    origin: Origin
    append: str = ""
    extra: str = ""  # what a command added after the label
    initrd: str = ""
    sysappend: int = 0
    title: str = ""
    disabled: bool = False  # MENU DISABLE, MENU SEPARATOR: no label any more
    menu: int = 0  # the number of the menu that it is in

    @property
    def word(self) -> str:
        return self.label.split()[0] if self.label else ""


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu of menu.c32. `default`: the number of the entry at which it begins."""

    entries: tuple[Entry, ...] = ()
    default: int = 0
    ontimeout: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration. `ui`, `default` and `ontimeout` are commands: a label or a kernel, with arguments.

    `menus`: what menu.c32 makes of the same text, the top menu first. `start`: the one it begins with.
    """

    name: str
    entries: tuple[Entry, ...] = ()
    menus: tuple[Menu, ...] = ()
    start: int = 0
    default: str = ""
    ui: str = ""
    has_ui: bool = False
    ontimeout: str = ""
    sysappend: int = 0
    implicit: bool = True  # whether a command may be a kernel's name
    prompt: bool = False
    noescape: bool = False
    shiftkey: bool = False  # MENU SHIFTKEY: no menu unless Shift is held
    notes: tuple[str, ...] = ()  # what was passed over, with file and line

    def of_word(self, word: str) -> Entry | None:
        """The label as PXELINUX's own commands find it: by its first word, exactly; of several, the first."""
        return next((entry for entry in self.entries if word and entry.word == word and not entry.disabled), None)

    def of_label(self, word: str) -> Entry | None:
        """The label as menu.c32 finds it: all of it. One with a blank is never found so."""
        return next((entry for entry in self.entries if word and entry.label == word and not entry.disabled), None)


def parse(files: Iterable[tuple[str, str]], include: Files, name: str = "pxelinux.cfg/default") -> Config:
    """`files`: names and texts, read as one. Raises PeerError for includes nested too deep and for a configuration
    beyond all measure."""
    reader = _Reader(include)
    for file, text in files:
        reader.read(text, file)
    reader.record()
    settings = reader.settings
    return replace(
        settings,
        name=name,
        entries=tuple(reader.entries),
        menus=tuple(Menu(tuple(menu.entries), menu.default, menu.ontimeout) for menu in reader.menus),
        notes=reader.notes.all(),
    )


_PASSED = frozenset(
    {
        "timeout", "totaltimeout", "onerror", "allowoptions", "nocomplete", "nohalt", "noshift", "serial", "console",
        "font", "kbdmap", "say", "display", "path", "sendcookies", "pxeretry", *(f"f{number}" for number in range(13)),
    }
)  # fmt: skip
"""What concerns a person at the screen, whom a domU's boot has not."""

_KINDS = {kind.value: kind for kind in Kind if kind is not Kind.MENU}
_MOVES = ("goto", "exit", "quit", "help")


@dataclass(slots=True)
class _Open:
    """The label being read."""

    entry: Entry
    append: str | None = None
    preferred: bool = False  # MENU DEFAULT
    hidden: bool = False


@dataclass(slots=True)
class _OpenMenu:
    """`parent`: the number of the menu above; `parent_entry`: what stands for this one there."""

    parent: int = 0
    parent_entry: int = -1
    ontimeout: str = ""
    default: int = 0
    entries: list[Entry] = field(default_factory=list)


class _Reader:
    """Everything works the same way as if the files had been concatenated."""

    def __init__(self, include: Files) -> None:
        self.include = include
        self.entries: list[Entry] = []
        self.menus = [_OpenMenu()]
        self.settings = Config("")
        self.notes = Notes()
        self._append = ""
        self._menu = 0
        self._open: _Open | None = None
        self._depth = self._lines = 0

    def read(self, text: str, name: str) -> None:
        if text.startswith(_BOM):
            self.notes.add(f"{name}:1: begins with a byte order mark, which spoils its first line: save it without")
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
        if done is None:
            return
        append = self._append if done.append is None else done.append
        menu = _HIDDEN if done.hidden else self._menu
        entry = replace(done.entry, append="" if append == "-" else append, menu=menu)
        if done.preferred and menu != _HIDDEN and not entry.disabled:
            self.menus[menu].default = len(self.menus[menu].entries)
        self._add(entry)

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        if entry.menu != _HIDDEN:
            self.menus[entry.menu].entries.append(entry)
        if len(self.entries) > MOST_LABELS:
            passed = f"more than {MOST_LABELS} labels"
            raise PeerError(ScriptMessage.SCRIPT_LIMIT.said(script_line=entry.origin, limit_passed=passed))

    def _line(self, keyword: str, rest: str, origin: Origin) -> None:
        if keyword == "label":
            self.record()
            word = rest.split()[0] if rest else ""
            entry = Entry(rest, Kind.KERNEL, word, origin, sysappend=self.settings.sysappend, title=rest)
            self._open = _Open(entry)
        elif keyword == "menu":
            self._menu_line(*_split(rest), origin)
        elif keyword == "include":
            self._included(rest, origin)
        elif not (self._of_label(keyword, rest) or self._of_all(keyword, rest)) and keyword not in _PASSED:
            self.notes.add(f"{origin}: {keyword} is not a keyword of PXELINUX")

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
                self._set(default=rest)
            case "ui":
                self._set(ui=rest, has_ui=True)
            case "ontimeout":
                self._set(ontimeout=rest)
                self.menus[self._menu].ontimeout = rest
            case "append":
                self._append = rest
            case "ipappend" | "sysappend":
                self._set(sysappend=_number(rest))
            case "implicit" | "prompt" | "noescape":
                self._set(**{keyword: _number(rest) != 0})
            case _:
                return False
        return True

    def _set(self, **fields: object) -> None:
        self.settings = replace(self.settings, **fields)  # type: ignore[arg-type]

    def _menu_line(self, keyword: str, rest: str, origin: Origin) -> None:
        match keyword:
            case "include":
                self._included(rest, origin)
            case "begin":
                self.record()
                self._begin(rest, origin)
            case "end":
                self.record()
                self._menu = self.menus[self._menu].parent
            case "separator":
                self.record()
                self._add(Entry("", Kind.MENU, "", origin, disabled=True, menu=self._menu))
            case "start":
                self._set(start=self._menu)
            case "shiftkey":
                self._set(shiftkey=True)
            case _ if self._open is None:
                if keyword == "default" and (menu := self.menus[self._menu]).parent_entry >= 0:
                    self.menus[menu.parent].default = menu.parent_entry
            case "label":
                self._change(title=rest.replace("^", ""))
            case "default":
                self._open.preferred = True
            case "disable" | "disabled":
                self._change(disabled=True)
            case "hide":
                self._open.hidden = True
            case _ if keyword in _MOVES:
                self._change(kind=Kind.MENU, kernel=rest)

    def _begin(self, title: str, origin: Origin) -> None:
        above = self.menus[self._menu]
        below = _OpenMenu(self._menu, len(above.entries), above.ontimeout)
        self._add(Entry("", Kind.MENU, "", origin, title=title, menu=self._menu))
        self.menus.append(below)
        self._menu = len(self.menus) - 1

    def _included(self, rest: str, origin: Origin) -> None:
        words = rest.split(None, 1)
        if not words:
            self.notes.add(f"{origin}: INCLUDE without a file name")
            return
        if self._depth >= INCLUDE_DEPTH:
            what = f"INCLUDE {words[0]} is nested {INCLUDE_DEPTH} deep; does it include itself?"
            raise PeerError(ScriptMessage.SCRIPT_LIMIT.said(script_line=origin, limit_passed=what))
        text = self.include(words[0])
        if text is None:
            self.notes.add(f"{origin}: the file to include, {words[0]}, is not there")
            return
        own_menu = len(words) > 1  # MENU INCLUDE file title: a menu of its own, whose labels end with it
        if own_menu:
            self.record()
            self._begin(words[1], origin)
        self._depth += 1
        self.read(text, words[0])
        self._depth -= 1
        if own_menu:
            self.record()
            self._menu = self.menus[self._menu].parent


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
