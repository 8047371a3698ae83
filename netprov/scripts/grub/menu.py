"""GRUB's menus, configurations within configurations, and which entry boots by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from netprov.errors import Origin, PeerError
from netprov.scripts.facts import MachineFacts
from netprov.scripts.grub import commands
from netprov.scripts.grub.environment import Device
from netprov.scripts.grub.machine import Done, Entry, Loaded, Machine
from netprov.scripts.grub.syntax import Statement
from netprov.scripts.messages import ScriptMessage
from netprov.scripts.plan import BootPlan, Chain, Files, Refusal

_LISTED = 20  # entries named in an error
_NUMBER = re.compile(r"\s*\d+(?=\s|>|$)")
_UNDER = re.compile(r"(?<!>)>(?!>)")  # between a submenu and its entry; >> is a > of a title


class Grub:
    """One run of a script. `label`: the entry that a person named."""

    def __init__(
        self, facts: MachineFacts, files: Files | None, home: Device, folder: str, label: str | None,
        found: frozenset[Origin],
    ) -> None:  # fmt: skip
        self.machine = Machine(facts, files, home, folder, self._command, found)
        self._label = label

    def plan(self, text: str, name: str) -> BootPlan:
        """Raises PeerError, NotStraight."""
        machine = self.machine
        try:
            machine.source(text, name)
            if machine.menu:
                self._show()
            elif self._label is not None:
                raise self._no_entry(name, self._label, ())
            return machine.boot(Origin(name))
        except Done as done:
            return done.plan

    def _command(self, machine: Machine, words: list[str], origin: Origin, block: tuple[Statement, ...] | None) -> bool:
        """configfile and normal make menus of their own; all else is a command like others."""
        if words[0] in ("configfile", "extract_entries_configfile") and len(words) > 1:
            return self._configfile(words[1], origin)
        if words[0] == "normal":
            name = words[1] if len(words) > 1 else f"{machine.value('prefix')}/grub.cfg"
            if not self._configfile(name, origin):
                raise Done(Refusal(ScriptMessage.GRUB_PROMPT.said(where=f"{origin}: normal {name}")))
            return True
        return commands.run(machine, words, origin, block)

    def _configfile(self, name: str, origin: Origin) -> bool:
        """Where the file is not there, GRUB goes on with the next line; else that file's menu is shown."""
        machine = self.machine
        if not machine.knows_files():
            raise Done(Chain(machine.place(name, origin), label=self._label))
        text = machine.text(name, origin)
        if text is None:
            machine.notes.add(f"{origin}: {name} is not there, and GRUB goes on")
            return False
        with machine.context():
            machine.source(text, machine.place(name, origin))
            if machine.menu:
                self._show()
        return True

    def _show(self) -> None:
        """Runs the menu's entry, and those to fall back to. Raises PeerError where none of them boots."""
        menu = tuple(self.machine.menu)
        named = self._label is not None  # by a person, who wants no other
        entry = self._labelled(menu) if named else self._default(menu)
        for one in chain([entry], () if named else self._fallback(menu)):
            self._execute(one)
        raise PeerError(ScriptMessage.NO_KERNEL_NAMED.said(where=f"{entry.origin}: entry {entry.title!r}"))

    def _default(self, menu: tuple[Entry, ...]) -> Entry:
        """By number, --id or title; of a submenu "1>2". What names none is the first."""
        wanted = self.machine.value("default")
        place = _place(menu, wanted)
        if place is None:
            if wanted:
                self.machine.notes.add(f"default={wanted} names none of the {len(menu)} entries: the first boots")
            return menu[0]
        return menu[place]

    def _fallback(self, menu: tuple[Entry, ...]) -> Iterator[Entry]:
        for word in self.machine.value("fallback").split():
            place = _place(menu, word)
            if place is not None:
                self.machine.notes.add(f"the default entry boots nothing: fallback={word}")
                yield menu[place]

    def _execute(self, entry: Entry) -> None:
        machine = self.machine
        if entry.users is not None and machine.value("superusers"):
            raise Done(Refusal(ScriptMessage.GRUB_LOGIN.said(where=f"{entry.origin}: entry {entry.title!r}")))
        wanted = _UNDER.split(machine.value("default"), maxsplit=1)
        before = self._loaded_anew()
        with machine.arguments([*entry.arguments]):
            if entry.submenu:
                with machine.context():
                    if len(wanted) > 1:
                        machine.set("default", wanted[1], entry.origin)
                    else:
                        machine.environment.values.pop("default", None)
                    machine.run(entry.body)
                    if machine.menu:
                        self._show()
            else:
                machine.run(entry.body)
        if machine.has_loaded:
            raise Done(machine.boot(entry.origin))
        machine.loaded = before

    def _loaded_anew(self) -> Loaded:
        before, self.machine.loaded = self.machine.loaded, Loaded()
        return before

    # an entry that a person named

    def _labelled(self, menu: tuple[Entry, ...]) -> Entry:
        """It becomes the default, of the submenus on the way to it too."""
        label = self._label or ""
        path = self._path(menu, label)
        if path is None:
            raise self._no_entry("grub.cfg", label, menu)
        self._label = None
        self.machine.set("default", ">".join(map(str, path)), menu[path[0]].origin)
        return menu[path[0]]

    def _path(self, menu: tuple[Entry, ...], label: str) -> list[int] | None:
        """The numbers on the way to the entry of that title, id or number: "1>0", or one that only a submenu has."""
        place = _place(menu, label)
        below = _UNDER.split(label, maxsplit=1)[1:]
        if place is not None and not below:
            return [place]
        places = range(len(menu)) if place is None else [place]
        for number in places:
            path = self._below(menu[number], below[0] if place is not None and below else label)
            if path is not None:
                return [number, *path]
        return None

    def _below(self, entry: Entry, label: str) -> list[int] | None:
        if not entry.submenu:
            return None
        with self.machine.context(), self.machine.arguments([*entry.arguments]):
            self.machine.run(entry.body)
            return self._path(tuple(self.machine.menu), label)

    def _no_entry(self, name: str, label: str, menu: tuple[Entry, ...]) -> PeerError:
        titles = ", ".join(repr(entry.id or entry.title) for entry in menu[:_LISTED])
        known = f"its entries are {titles}" if menu else "it has no entries"
        where = menu[0].origin.file if menu else name
        return PeerError(ScriptMessage.NO_GRUB_ENTRY.said(script=where, entry=repr(label), known=known))


def _place(menu: tuple[Entry, ...], wanted: str) -> int | None:
    """The number of the entry that `wanted` begins with."""
    found = _NUMBER.match(wanted)
    if found is not None:
        number = int(found[0][:9])
        return number if number < len(menu) else None
    name = _UNDER.split(wanted, maxsplit=1)[0].replace(">>", ">")
    return next((place for place, entry in enumerate(menu) if name and name in (entry.id, entry.title)), None)
