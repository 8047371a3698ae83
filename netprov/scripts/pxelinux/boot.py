"""What PXELINUX boots with a configuration when nobody is at the keyboard, menus and programs on the way included.

Source: ldlinux.c, execute.c and kernel.c of syslinux 6.04, menumain.c and readconfig.c of menu.c32.
"""

from __future__ import annotations

from dataclasses import replace

from netprov.errors import Origin, PeerError
from netprov.scripts.facts import MachineFacts
from netprov.scripts.messages import ScriptMessage
from netprov.scripts.notes import Notes
from netprov.scripts.plan import BootPlan, Chain, Files, Local, Reading, Refusal, base_name, refused
from netprov.scripts.pxelinux import modules
from netprov.scripts.pxelinux.config import Config, Entry, Kind, parse
from netprov.scripts.pxelinux.kernel import kernel, multiboot, words_of
from netprov.scripts.straight import NotStraight

_MENUS = ("menu.c32", "vesamenu.c32")
_LISTED = 20  # labels named in an error
_MOST_STARTED = 16  # programs that start programs: a menu that is its own default
_OWN_FILE = "~"  # of menu.c32's arguments: the configuration that PXELINUX has read


def read(
    text: str, facts: MachineFacts, include: Files, name: str = "pxelinux.cfg/default", label: str | None = None
) -> Reading:
    """What the configuration boots by itself; with `label`, what that label boots, here or in the menu that this leads
    to. Raises PeerError where there is nothing to boot, or no such label."""
    loader = _Loader(text, facts, include, name, label)
    with loader.notes.told():
        plan = loader.run()
    return Reading(plan, loader.notes.all(), tuple(dict.fromkeys(loader.modules)))


class _Loader:
    def __init__(self, text: str, facts: MachineFacts, include: Files, name: str, label: str | None) -> None:
        self._text = text
        self._facts = facts
        self._include = include
        self._label = label
        self._config = parse([(name, text)], include, name)
        self._started = 0
        self.notes = Notes()
        self.notes.update(self._config.notes)
        self.modules: list[str] = []

    def run(self) -> BootPlan:
        config, label = self._config, self._label
        entry = _found(config, label) if label is not None else None
        if entry is not None:
            self._label = None
            return self._execute(entry)
        if label is not None and not (config.ui or config.default or config.ontimeout):
            raise _no_label(config, label)
        plan = self._command(self._own_command())
        if self._label is None:
            return plan
        if isinstance(plan, Chain):
            return replace(plan, label=self._label)
        raise _no_label(config, self._label)

    def _own_command(self) -> str:
        """UI goes over DEFAULT. Where PROMPT stops it, the time runs out, and ONTIMEOUT is what then counts."""
        config = self._config
        prompts = not config.noescape and (config.prompt or not config.default)
        command = config.ui or (config.ontimeout if prompts else "") or config.default
        if not command:
            raise PeerError(ScriptMessage.NO_DEFAULT.said(script=config.name))
        return command

    def _command(self, command: str) -> BootPlan:
        """A command is a label, or else a kernel; what follows it goes to the end of the command line."""
        config = self._config
        first, rest = _divided(command)
        entry = config.of_word(first)
        if entry is not None:
            return self._execute(replace(entry, extra=rest))
        origin = Origin(config.name)
        if not config.implicit:
            raise PeerError(ScriptMessage.NOT_IMPLICIT.said(origin=origin, word=first))
        if f"{base_name(first)}.c32" in _MENUS:  # it tries endings: Cobbler writes DEFAULT menu
            first += ".c32"
        # global APPEND is not for these
        return self._execute(Entry("", Kind.KERNEL, f"{first} {rest}".strip(), origin, sysappend=config.sysappend))

    def _execute(self, entry: Entry) -> BootPlan:
        where = f"{entry.origin}: label {entry.label}" if entry.label else str(entry.origin)
        words = words_of(entry)
        self._started += 1
        if self._started > _MOST_STARTED:
            return Refusal(ScriptMessage.SHOWS_MENU.said(where=where))
        match entry.kind:
            case Kind.LOCALBOOT:
                return Local(f"{where}: LOCALBOOT {entry.kernel}".rstrip())
            case Kind.MENU:
                return Refusal(ScriptMessage.ANOTHER_MENU.said(where=where))
            case Kind.BOOT | Kind.BSS | Kind.PXE | Kind.FDIMAGE | Kind.COMBOOT:
                what = f"{entry.kind.upper()} {entry.kernel}"
                return Refusal(ScriptMessage.NEEDS_BIOS.said(where=where, what=what))
            case _ if not words:
                return Refusal(ScriptMessage.NO_KERNEL_NAMED.said(where=where))
            case Kind.CONFIG:
                return Chain(words[0], words[1] if len(words) > 1 else "")
            case Kind.LINUX:
                return kernel(entry, words[0], self._facts, where)
        return self._program(entry, words, where)

    def _program(self, entry: Entry, words: list[str], where: str) -> BootPlan:
        base = base_name(words[0])
        if entry.kind is Kind.COM32 and not base.endswith(".c32"):
            base += ".c32"
        if base.endswith(".c32"):
            self.modules.append(words[0] if words[0].lower().endswith(".c32") else f"{words[0]}.c32")
        if base in _MENUS:
            return self._menu(words[1:])
        match base:
            case "linux.c32":
                if not words[1:]:
                    return Refusal(ScriptMessage.LINUX_C32.said(where=where))
                return kernel(entry, words[1], self._facts, where)
            case "mboot.c32":
                return multiboot(entry, words[1:], self._facts, where)
            case "chain.c32":
                return modules.chain(words[1:], where)
            case "config.c32" if words[1:]:
                return Chain(words[1], words[2] if len(words) > 2 else "")
            case "gfxboot.c32":
                return self._graphical()
            case _ if base in modules.CHOOSERS:
                return self._chosen(modules.CHOOSERS[base], entry, words[1:])
        refusal = refused(base, (), where) if entry.kind is Kind.COM32 else None
        return refusal or kernel(entry, words[0], self._facts, where)

    def _chosen(self, chooser: modules.Chooser, entry: Entry, words: list[str]) -> BootPlan:
        command = chooser(words, self._facts)
        if command is None:
            program = words_of(entry)[0]
            raise NotStraight(entry.origin, f"{program} asks for what only a running machine knows")
        config = self._config
        return self._command(" ".join(command) or config.ui or config.default)

    def _graphical(self) -> BootPlan:
        """gfxboot reads the same file: DEFAULT's label, else the first."""
        config = self._config
        entry = config.of_word(_divided(config.default)[0]) or next(iter(config.entries), None)
        if entry is None:
            raise PeerError(ScriptMessage.NOTHING_BOOTS.said(script=config.name))
        self._note_menu(config, entry)
        return self._execute(entry)

    # menu.c32

    def _menu(self, files: list[str]) -> BootPlan:
        """What menu.c32 starts when the time runs out. It reads all the files as one, or PXELINUX's own."""
        config = parse(self._texts(files or [_OWN_FILE]), self._include, files[0] if files else self._config.name)
        self.notes.update(config.notes)
        if self._label is not None:
            found, label = _found(config, self._label), self._label
            if found is None:
                raise _no_label(config, label)
            self._label = None
            return self._execute(found)
        named = config.of_label(_divided(config.default)[0]) if config.has_ui else None
        if named is not None and named.menu < 0:
            named = None  # one of MENU HIDE
        menu = config.menus[named.menu if named is not None else config.start]
        if not menu.entries:
            raise PeerError(ScriptMessage.NOTHING_BOOTS.said(script=config.name))
        if menu.ontimeout and not config.shiftkey:
            first, rest = _divided(menu.ontimeout)
            entry = config.of_label(first)
            if entry is None:
                return self._execute(Entry("", Kind.KERNEL, menu.ontimeout, Origin(config.name)))
            self._note_menu(config, entry)
            return self._execute(replace(entry, extra=rest))
        # its bar stands at the first entry that can be chosen
        able = (entry for entry in (named, *menu.entries[menu.default :]) if entry is not None and not entry.disabled)
        entry = next(able, None)
        if entry is None:
            raise PeerError(ScriptMessage.NOTHING_BOOTS.said(script=config.name))
        self._note_menu(config, entry)
        return self._execute(entry)

    def _texts(self, files: list[str]) -> list[tuple[str, str]]:
        found = []
        for file in files:
            text = self._text if file == _OWN_FILE else self._include(file)
            if text is None:
                self.notes.add(f"{self._config.name}: the menu's file {file} is not there")
            else:
                found.append((self._config.name if file == _OWN_FILE else file, text))
        return found

    def _note_menu(self, config: Config, entry: Entry) -> None:
        what = f"label {entry.label}" if entry.label else entry.title or entry.kernel
        self.notes.add(f"a menu of {len(config.entries)} entries; with nobody at the keyboard {what} boots")


def _divided(command: str) -> tuple[str, str]:
    """A command's first word, and the rest."""
    first, *rest = command.split(None, 1) or [""]
    return first, "".join(rest).rstrip()


def _found(config: Config, label: str) -> Entry | None:
    """The entry that a person means: by its whole label, in any case, or its first word."""
    able = [entry for entry in config.entries if entry.label and not entry.disabled]
    exact = (entry for entry in able if entry.label == label)
    loose = (entry for entry in able if entry.label.lower() == label.lower())
    return next(exact, None) or next(loose, None) or config.of_word(label)


def _no_label(config: Config, label: str) -> PeerError:
    labels = [entry.label for entry in config.entries if entry.label]
    more = f" and {len(labels) - _LISTED} more" if len(labels) > _LISTED else ""
    known = f"its labels are {', '.join(labels[:_LISTED])}{more}" if labels else "it has no labels"
    return PeerError(ScriptMessage.NO_LABEL.said(script=config.name, label=label, known=known))
