"""What xl chokes on, or swallows without a word, in a domU's configuration; with the line to write instead."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from difflib import get_close_matches

from netprov.errors import ConfigError, Problem
from netprov.mac import Mac
from netprov.xen.xlconfig import grammar, xm
from netprov.xen.xlconfig.bootloader import Bootloader, bootloader
from netprov.xen.xlconfig.convert import EMPTY_DISK
from netprov.xen.xlconfig.disk import Disk, parse_disk
from netprov.xen.xlconfig.document import Document, Number, Value, setting
from netprov.xen.xlconfig.keys import SINCE, VIF_SINCE, XL_KEYS, XM_ONLY
from netprov.xen.xlconfig.vif import FLAGS, Vif, is_pair, is_xl_mac, parse_vif

_NO = frozenset({"0", "no", "false", "off"})


Version = tuple[int, int]


def lint(text: str, name: str, known: Container[Mac] | None = None, xen: Version | None = None) -> list[Problem]:
    """Every problem, in the file's order. `known`: the MAC addresses that the server boots; None: not to be checked.

    `xen`: the version whose xl is to read it; None: not known, and what not every one reads is told.
    """
    try:
        document = grammar.read(text, name)
    except ConfigError as error:
        return [_with_remedy(problem, text, name) for problem in error.problems]
    found = _Lint(document, known, xen).problems()
    return sorted(found, key=lambda problem: problem.origin.line if problem.origin else 0)


def _with_remedy(problem: Problem, text: str, name: str) -> Problem:
    """Where the line is Python that can be worked out, the line that xl takes."""
    try:
        document = xm.read(text, name)
    except ConfigError:
        return problem
    line = problem.origin.line if problem.origin else 0
    lines = document.text[: len(document.text)].split("\n")
    for statement in document.statements:
        last = document.text[: statement.end].count("\n") + 1
        if statement.origin.line <= line <= last and statement.assigns and line <= len(lines):
            key, value = statement.assigns[-1]
            if key == "bootargs":
                return Problem(problem.origin, "", f"{problem.text}; xl ignores bootargs anyway. Write: {_args(value)}")
            return Problem(problem.origin, "", f"{problem.text}. Write: {setting(key, value)}")
    return problem


def _args(value: Value) -> str:
    try:
        found = bootloader({"bootloader": "x", "bootargs": value})
        arguments = found.arguments if found is not None else ()
        macs = [f"mac={found.mac}"] if found is not None and found.mac is not None else []
    except ValueError:
        return "bootloader_args = [ … ]"
    return setting("bootloader_args", tuple(macs) if len(arguments) == 1 and macs else arguments)


class _Lint:
    def __init__(self, document: Document, known: Container[Mac] | None, xen: Version | None) -> None:
        self._xen = xen
        self._document = document
        self._settings = dict(document.settings)
        self._known = known
        self._hvm = self._settings.get("type") == "hvm" or self._settings.get("builder") == "hvm"

    def problems(self) -> Iterator[Problem]:
        yield from self._names()
        vifs = list(self._parsed("vif"))
        for _, text in vifs:
            yield from self._vif(text)
        yield from self._disks()
        try:
            found = bootloader(self._settings)
        except ValueError as error:
            yield self._problem("bootloader", f"the arguments cannot be split: {error}")
            return
        if found is not None:
            yield from self._bootloader(found, [vif for vif, _ in vifs if vif is not None])
        elif "bootargs" in self._settings:
            yield self._problem("bootargs", "xl ignores bootargs, and there is no bootloader")
        if found is None and not self._hvm and "kernel" not in self._settings and "firmware" not in self._settings:
            yield self._problem(
                "type", 'a PV or PVH guest needs a kernel or a bootloader; write: bootloader = "netprov-pxeboot"'
            )

    def _problem(self, name: str, text: str) -> Problem:
        return Problem(self._document.origin(name), "", text)

    def _names(self) -> Iterator[Problem]:
        if not self._settings.get("name"):
            yield self._problem("name", 'the guest has no name; write: name = "…"')
        seen: dict[str, int] = {}
        for statement in self._document.statements:
            for key, _ in statement.assigns:
                if key in seen and not statement.added:
                    text = f"{key} is set in line {seen[key]} already; xl uses the last"
                    yield Problem(statement.origin, "", text)
                seen.setdefault(key, statement.origin.line)
        for key in self._settings:
            yield from self._since(key, key, SINCE)
            if key in XM_ONLY:
                yield self._problem(key, f"xl ignores {key}, which was xm's: {XM_ONLY[key]}")
            elif key not in XL_KEYS and key != "bootargs":
                near = get_close_matches(key, XL_KEYS, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                yield self._problem(key, f"xl knows no setting {key} and ignores it{hint}")

    def _since(self, name: str, key: str, since: Mapping[str, Version]) -> Iterator[Problem]:
        """`key` of the setting `name`, where not every xl reads it."""
        first = since.get(key)
        if first is None or (self._xen is not None and self._xen >= first):
            return
        version = f"{first[0]}.{first[1]}"
        if self._xen is None:
            text = f"xl reads {key} since Xen {version}; an older one ignores it (--xen VERSION says which is meant)"
        else:
            text = f"xl reads {key} since Xen {version}, and that of Xen {self._xen[0]}.{self._xen[1]} ignores it"
        yield self._problem(name, text)

    def _parsed(self, name: str) -> Iterator[tuple[Vif | None, str]]:
        value = self._settings.get(name)
        for entry in value if isinstance(value, tuple) else ():
            try:
                yield (parse_vif(entry) if isinstance(entry, str) else None), str(entry)
            except ValueError:
                yield None, str(entry)

    def _vif(self, text: str) -> Iterator[Problem]:
        try:
            vif = parse_vif(text)
        except ValueError as error:
            yield self._problem("vif", str(error))
            return
        for part in text.split(","):
            yield from self._vif_part(part, text, vif)
        if vif.mac is None:
            yield self._problem(
                "vif", f"{text!r} has no mac=: xl makes up another address at every start, and no server knows it"
            )
        elif int(vif.mac[:2], 16) & 1:
            yield self._problem("vif", f"{vif.mac} is a multicast address: the first octet must be even")
        elif self._known is not None and vif.mac not in self._known:
            yield self._problem("vif", f"no declared system has the MAC address {vif.mac}: declare one, or correct it")

    def _vif_part(self, part: str, text: str, vif: Vif) -> Iterator[Problem]:
        key, equals, value = part.strip().partition("=")
        if not key:
            return
        yield from self._since("vif", key, VIF_SINCE)
        if key in FLAGS and equals:
            word = "untrusted" if value in _NO else "trusted"
            yield self._problem("vif", f"{key}={value} in {text!r}: xl accepts only the word alone; write: {word}")
        elif key not in FLAGS and not is_pair(key):
            known = key.lower() in FLAGS or is_pair(key.lower())
            hint = f"xl wants it in lower case: {key.lower()}" if known else "xl knows no such key"
            yield self._problem("vif", f"{key} in {text!r}: {hint}")
        elif part != part.rstrip():
            wrong = f"{text!r} has a blank before a comma, which xl takes for a part of the value"
            yield self._problem("vif", f"{wrong}; write: {vif}")
        elif key == "mac" and vif.mac is not None and not is_xl_mac(value):
            wrong = f"xl reads no address in mac={value}, and makes up another at every start"
            yield self._problem("vif", f"{wrong}; write: mac={vif.mac}")

    def _disks(self) -> Iterator[Problem]:
        value = self._settings.get("disk")
        disks: list[Disk] = []
        for entry in value if isinstance(value, tuple) else ():
            try:
                if not isinstance(entry, str) or isinstance(entry, Number):
                    raise ValueError(f"{entry!r} is not text")
                disks.append(parse_disk(entry))
            except ValueError as error:
                yield self._problem("disk", str(error))
        if isinstance(value, str):
            yield self._problem("disk", f"must be a list; write: {setting('disk', (value,))}")
        runs = "bootloader" in self._settings and not self._hvm
        if runs and not value:
            line = setting("disk", (str(Disk(EMPTY_DISK, vdev="xvda", access="r")),))
            text = f"no disk, and without one xl runs no bootloader; touch {EMPTY_DISK} and write: {line}"
            yield self._problem("disk", text)
        if runs and disks and disks[0].cdrom and not disks[0].target:
            yield self._problem("disk", "the first disk is an empty CD drive, at which xl aborts: put another first")
        for disk in disks:
            if disk.target in ("/dev/null", "/dev/zero"):
                text = f"{disk.target} cannot be a disk: the guest's creation fails; use a file of no octets"
                yield self._problem("disk", text)

    def _bootloader(self, found: Bootloader, vifs: list[Vif]) -> Iterator[Problem]:
        program = self._settings["bootloader"]
        arguments = setting("bootloader_args", found.arguments)
        if self._hvm:
            yield self._problem("bootloader", 'an HVM guest never runs a bootloader; write: boot = "nd"')
            return
        if program != found.program:
            line = setting("bootloader", found.program)
            yield self._problem("bootloader", f"xl takes {program!r} for a file's name; write: {line} and {arguments}")
        if "bootargs" in self._settings:
            yield self._problem("bootargs", f"xl silently ignores bootargs; write: {arguments}")
        if isinstance(self._settings.get("bootloader_args"), str):
            text = f"a text is split at its blanks, whatever its quotes; write: {arguments}"
            yield self._problem("bootloader_args", text)
        if not found.ours:
            return
        mac = next((vif.mac for vif in vifs if vif.mac is not None), None)
        try:
            named, told = found.mac, found.told
        except ValueError as error:
            yield self._problem("bootloader_args", str(error))
            return
        if not told:
            line = setting("bootloader_args", (f"mac={mac or '00:16:3e:…'}", *found.arguments))
            yield self._problem("bootloader", f"xl does not tell a bootloader the MAC address; write: {line}")
        elif named is not None and vifs and named not in {vif.mac for vif in vifs}:
            text = f"the bootloader is told {named}, and vif has {mac or 'no mac='}: both must be the same"
            yield self._problem("bootloader_args", text)
