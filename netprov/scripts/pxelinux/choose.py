"""Which entry of a pxelinux.cfg boots, and what it boots, when nobody is at the keyboard."""

from __future__ import annotations

import re
from dataclasses import replace

from netprov.errors import Origin, PeerError
from netprov.scripts.facts import MachineFacts
from netprov.scripts.messages import ScriptMessage
from netprov.scripts.plan import Boot, BootPlan, Chain, Local, Refusal, base_name, refused
from netprov.scripts.pxelinux.config import Config, Entry, Kind
from netprov.scripts.pxelinux.sysappend import sysappend

_MENUS = ("menu.c32", "vesamenu.c32", "gfxmenu.c32")
_LISTED = 20  # labels named in an error


def choose(config: Config, label: str | None = None) -> Entry:
    """The entry of `label`; without one, what PXELINUX boots by itself.

    That is DEFAULT; where UI (or DEFAULT) shows a menu, or there is no DEFAULT: the label with MENU DEFAULT, else
    ONTIMEOUT, else the first. Raises PeerError where there is no such label or nothing to boot.
    """
    if label is not None:
        return _labelled(config, label)
    command = config.ui or config.default
    if not command:
        return _from_menu(config)
    entry = _command(config, command)
    return _from_menu(config) if _is_menu(entry) and not _words(entry)[1:] else entry


def plan(entry: Entry, facts: MachineFacts) -> BootPlan:
    """What `entry` boots on the machine of `facts`."""
    where = f"{entry.origin}: label {entry.label}" if entry.label else str(entry.origin)
    words = _words(entry)
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
    return _kernel(entry, words, facts, where)


def _kernel(entry: Entry, words: list[str], facts: MachineFacts, where: str) -> BootPlan:
    base = base_name(words[0])
    if entry.kind is Kind.COM32 and not base.endswith(".c32"):
        base += ".c32"
    if entry.kind is not Kind.LINUX:
        if base in _MENUS:
            if words[1:]:
                return Chain(words[1])  # the menu of another file
            return Refusal(ScriptMessage.SHOWS_MENU.said(where=where))
        if base == "chain.c32":
            return _chain(words[1:], where)
        if base == "mboot.c32":
            return _multiboot(entry, words[1:], facts, where)
        if base == "linux.c32":
            words = words[1:]
            if not words:
                return Refusal(ScriptMessage.LINUX_C32.said(where=where))
    args, initrds = _initrds(_arguments(entry, words[0]))
    initrds = initrds or _files(entry.initrd)
    refusal = refused(words[0], initrds, where)
    if refusal is None and entry.kind is Kind.COM32:
        refusal = refused(base, (), where)
    return refusal or Boot(words[0], initrds, _joined(args, sysappend(entry.sysappend, facts), entry.extra))


def _chain(arguments: list[str], where: str) -> BootPlan:
    """chain.c32 starts a disk's boot sector, which for a domU is pygrub's work; with a file, another system."""
    files = [word for word in arguments if re.match(r"(file|ntldr|bootmgr|cmldr|freedos|msdos|drmk|isolinux)=", word)]
    if files:
        return Refusal(ScriptMessage.CHAIN_C32.said(where=where, file=files[0]))
    return Local(f"{where}: chain.c32 {' '.join(arguments)}".rstrip())


def _multiboot(entry: Entry, words: list[str], facts: MachineFacts, where: str) -> BootPlan:
    """mboot.c32 loads Xen, and its first module is dom0's kernel: the domU's kernel here, as Xen runs already."""
    text = _arguments(entry, _words(entry)[0])
    modules = [part.split(None, 1) for part in re.split(r"(?:^|\s)---(?=\s|$)", text)]
    if not words or not modules[0] or "xen" not in base_name(modules[0][0]):
        return Refusal(ScriptMessage.MBOOT_OTHER.said(where=where, what=words[0] if words else "nothing"))
    if len(modules) < 2 or not modules[1]:
        return Refusal(ScriptMessage.MBOOT_ALONE.said(where=where))
    kernel, *args = modules[1]
    initrds = (modules[2][0],) if len(modules) > 2 and modules[2] else ()
    refusal = refused(kernel, initrds, where)
    added = sysappend(entry.sysappend, facts)
    return refusal or Boot(kernel, initrds, _joined(*(arg.strip() for arg in args), added, entry.extra))


def _words(entry: Entry) -> list[str]:
    """The kernel and all its arguments, split."""
    return f"{entry.kernel} {entry.append}".split()


def _arguments(entry: Entry, first: str) -> str:
    """The command line after the word `first`, spaces kept as they were written."""
    return f"{entry.kernel} {entry.append}".partition(first)[2].strip()


def _initrds(args: str) -> tuple[str, tuple[str, ...]]:
    """The command line without initrd=, and the files that its first initrd= names: the one PXELINUX 6.04 loads."""
    found = re.findall(r"(?:^|(?<=\s))initrd=(\S*)", args)
    rest = re.sub(r"(?:^|(?<=\s))initrd=\S*(\s+|$)", "", args).strip()
    return rest, _files(found[0]) if found else ()


def _files(names: str) -> tuple[str, ...]:
    return tuple(name for name in names.replace(" ", "").split(",") if name)


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _is_menu(entry: Entry) -> bool:
    words = _words(entry)
    return entry.kind in (Kind.KERNEL, Kind.COM32) and bool(words) and _menu_name(words[0]) in _MENUS


def _menu_name(word: str) -> str:
    base = base_name(word)
    return base if base.endswith(".c32") else f"{base}.c32"


def _labelled(config: Config, label: str) -> Entry:
    entry = config.entry(label)
    if entry is not None:
        return entry
    labels = [entry.label for entry in config.entries if entry.label]
    more = f" and {len(labels) - _LISTED} more" if len(labels) > _LISTED else ""
    known = f"its labels are {', '.join(labels[:_LISTED])}{more}" if labels else "it has no labels"
    raise PeerError(ScriptMessage.NO_LABEL.said(script=config.name, label=label, known=known))


def _command(config: Config, command: str) -> Entry:
    """A command is a label, or else a kernel; what follows it goes to the end of the command line."""
    first, _, rest = command.partition(" ")
    entry = config.entry(first)
    if entry is not None:
        return replace(entry, extra=rest.strip())
    origin = Origin(config.name)
    if not config.implicit:
        raise PeerError(ScriptMessage.NOT_IMPLICIT.said(origin=origin, word=first))
    if not base_name(first).endswith(".c32") and _menu_name(first) in _MENUS:
        # PXELINUX tries menu.c32 where there is no menu; Cobbler writes DEFAULT menu
        return Entry("", Kind.COM32, f"{first}.c32 {rest}".strip(), origin)
    return Entry("", Kind.KERNEL, command, origin, sysappend=config.sysappend)  # global APPEND is not for these


def _from_menu(config: Config) -> Entry:
    able = [
        entry
        for entry in config.entries
        if not entry.disabled and entry.kind is not Kind.MENU and not (_is_menu(entry) and not _words(entry)[1:])
    ]
    preferred = [entry for entry in able if entry.preferred]
    if preferred:
        return preferred[-1]  # of several, menu.c32 takes the last
    for command in (config.ontimeout, config.default):
        first = command.split()[0] if command else ""
        entry = config.entry(first) if first else None
        if command and (entry in able or (entry is None and command == config.ontimeout)):
            return _command(config, command)
    visible = [entry for entry in able if not entry.hidden]
    if not visible and not able:
        raise PeerError(ScriptMessage.NOTHING_BOOTS.said(script=config.name))
    return (visible or able)[0]
