"""A label of a pxelinux.cfg whose program is Linux, or Xen with Linux: its kernel, initrds and command line."""

from __future__ import annotations

import re

from netprov.scripts.facts import MachineFacts
from netprov.scripts.messages import ScriptMessage
from netprov.scripts.plan import Boot, BootPlan, Refusal, base_name, refused
from netprov.scripts.pxelinux.config import Entry, Kind
from netprov.scripts.pxelinux.sysappend import sysappend


def kernel(entry: Entry, name: str, facts: MachineFacts, where: str) -> BootPlan:
    """`name`: the kernel, which is among the entry's words."""
    args, initrds = _initrds(_arguments(entry, name))
    initrds = initrds or _files(entry.initrd)
    refusal = refused(name, initrds, where, by_suffix=entry.kind is Kind.KERNEL)
    return refusal or Boot(name, initrds, _joined(args, sysappend(entry.sysappend, facts), entry.extra))


def multiboot(entry: Entry, words: list[str], facts: MachineFacts, where: str) -> BootPlan:
    """mboot.c32 loads Xen, and its first module is dom0's kernel: the domU's kernel here, as Xen runs already."""
    text = _arguments(entry, words_of(entry)[0])
    modules = [part.split(None, 1) for part in re.split(r"(?:^|\s)---(?=\s|$)", text)]
    if not words or not modules[0] or "xen" not in base_name(modules[0][0]):
        return Refusal(ScriptMessage.MBOOT_OTHER.said(where=where, what=words[0] if words else "nothing"))
    if len(modules) < 2 or not modules[1]:
        return Refusal(ScriptMessage.MBOOT_ALONE.said(where=where))
    name, *args = modules[1]
    initrds = (modules[2][0],) if len(modules) > 2 and modules[2] else ()
    refusal = refused(name, initrds, where, by_suffix=False)
    added = sysappend(entry.sysappend, facts)
    return refusal or Boot(name, initrds, _joined(*(arg.strip() for arg in args), added, entry.extra))


def words_of(entry: Entry) -> list[str]:
    """The kernel and all its arguments, split."""
    return f"{entry.kernel} {entry.append} {entry.extra}".split()


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
