"""An xm-era configuration → one that xl takes: variables written out, old settings in their new form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from netprov.errors import ConfigError, Problem
from netprov.xen.xlconfig import grammar, xm
from netprov.xen.xlconfig.bootloader import bootloader
from netprov.xen.xlconfig.disk import Disk, parse_disk
from netprov.xen.xlconfig.document import Document, Number, Value, setting
from netprov.xen.xlconfig.keys import RENAMED, XL_KEYS, XM_ONLY
from netprov.xen.xlconfig.vif import parse_vif

EMPTY_DISK = "/var/lib/netprov/empty.img"
"""A file of no octets, for a domU without a disk: xl runs no bootloader where there is none."""

_OURS = frozenset({"bootargs", "builder", "cpu"})  # what the steps below see to
_HVM_KERNELS = ("hvmloader",)
_FLAG_VALUES = {f"{flag}={value}": "trusted" if (flag == "trusted") is (value == "1") else "untrusted"
                for flag in ("trusted", "untrusted") for value in "01"}  # fmt: skip
_VFB_TYPES = {"vnc": "vnc=1", "sdl": "sdl=1"}


@dataclass(frozen=True, slots=True)
class Converted:
    """`text` is for xl; `notes` say what was done and what remains to do, a sentence each."""

    text: str
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Work:
    """The settings as they become, and for a name that goes, why."""

    document: Document
    settings: dict[str, Value]
    gone: dict[str, str] = field(default_factory=dict)
    new_names: dict[str, str] = field(default_factory=dict)  # where a new setting stands: in the place of an old one
    notes: list[str] = field(default_factory=list)
    comments: dict[int, str] = field(default_factory=dict)  # why a statement, by number, is only a comment now

    def note(self, name: str, text: str) -> None:
        self.notes.append(f"{self.document.origin(name)}: {text}")

    def drop(self, name: str, why: str) -> None:
        if name in self.settings:
            del self.settings[name]
            self.gone[name] = why
            self.note(name, f"{name} is gone: {why}")


def convert(text: str, name: str) -> Converted:
    """What only a running Python understands is left out, and noted. Raises ConfigError for what is neither xl's
    syntax nor Python's."""
    document, variables, beyond = _read(text, name)
    work = _Work(document, dict(document.settings))
    for variable in variables:
        work.drop(variable, "a variable; its value is written out where it was used")
    for step in _STEPS:
        step(work)
    for number, problem in beyond.items():
        _left_out(work, number, problem)
    return Converted(_written(work), tuple(work.notes))


def _read(text: str, name: str) -> tuple[Document, frozenset[str], dict[int, Problem]]:
    """The document; where it is Python, the names that are no settings, and the statements that are beyond."""
    try:
        return grammar.read(text, name), frozenset(), {}
    except ConfigError:
        document, beyond = xm.read_what_can_be(text, name)
    variables = frozenset(document.settings) - XL_KEYS - frozenset(XM_ONLY) - frozenset(RENAMED) - _OURS
    return document, variables, beyond


def _left_out(work: _Work, number: int, problem: Problem) -> None:
    """Why a statement is a comment now: what it assigns, xl chooses itself, knows not, or has to be written by hand."""
    statement = work.document.statements[number]
    work.comments[number] = "only Python understands it"
    names = xm.names_of(work.document.text[statement.start : statement.end])
    settings = [name for name in names if name in XL_KEYS | XM_ONLY.keys() | RENAMED.keys() | _OURS]
    gone = [name for name in settings if name in XM_ONLY]
    if settings and gone == settings:
        work.comments[number] = XM_ONLY[gone[0]]
        work.notes.append(f"{statement.origin}: {gone[0]} is gone: {XM_ONLY[gone[0]]}")
    elif settings:
        work.notes.append(f"{problem.origin}: left out, to be written by hand: {', '.join(settings)}: {problem.text}")
    else:
        work.notes.append(f"{problem.origin}: left out, as only Python understands it: {problem.text}")


def _guest_type(work: _Work) -> None:
    builder = work.settings.get("builder")
    if builder is None:
        return
    kind = "hvm" if builder == "hvm" else "pv"
    work.drop("builder", f"xl writes type = '{kind}'")
    if "type" not in work.settings:
        work.settings["type"] = kind
        work.new_names["type"] = "builder"


def _renamed(work: _Work) -> None:
    for old, new in RENAMED.items():
        if old in work.settings and new not in work.settings:
            work.settings[new] = work.settings[old]
            work.new_names[new] = old
            work.drop(old, f"xl's name for it is {new}")


def _xm_only(work: _Work) -> None:
    for name, why in XM_ONLY.items():
        work.drop(name, why)
    kernel = work.settings.get("kernel")
    if work.settings.get("type") == "hvm" and isinstance(kernel, str) and kernel.rpartition("/")[2] in _HVM_KERNELS:
        work.drop("kernel", "xl finds its firmware itself")
    cpu = work.settings.get("cpu")
    if isinstance(cpu, str) and "cpu" not in XL_KEYS:
        if cpu.isdecimal() and "cpus" not in work.settings:
            work.settings["cpus"] = str(cpu)
            work.new_names["cpus"] = "cpu"
        work.drop("cpu", 'xl writes cpus = "N"')
    if work.settings.get("cpus") == "":
        work.drop("cpus", "empty: xl pins to no processor anyway")


def _bootloader(work: _Work) -> None:
    settings = work.settings
    try:
        found = bootloader(settings)
    except ValueError as error:
        work.note("bootloader", f"the bootloader's arguments cannot be split: {error}")
        return
    if found is None:
        work.drop("bootargs", "xl ignores it, and there is no bootloader to give it to")
        return
    if found.ours:
        found = replace(found, arguments=_with_mac(work, found.arguments))
    if settings["bootloader"] != found.program:
        work.note("bootloader", "its arguments are in bootloader_args now: xl takes the text for a file's name")
    if "bootargs" in settings:
        work.new_names.setdefault("bootloader_args", "bootargs")
        work.drop("bootargs", "xl ignores it; bootloader_args takes its place")
    settings["bootloader"] = found.program
    if found.arguments:
        settings["bootloader_args"] = found.arguments
    if not isinstance(settings.get("kernel"), str) and settings.get("type") == "hvm":
        work.note("bootloader", "an HVM guest never runs it: boot = 'nd' boots it from the network")


def _with_mac(work: _Work, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The vif entry among the arguments as mac=…, as no more of it is wanted; without one, the first vif's."""
    found: list[str] = []
    told = False
    for argument in arguments:
        try:
            mac = parse_vif(argument).mac if "mac=" in argument.lower().replace(" ", "") else None
        except ValueError as error:
            work.note("bootargs", str(error))
            mac = None
        told = told or mac is not None or argument.startswith(("--config", "--mac"))
        found.append(f"mac={mac}" if mac is not None and not argument.startswith("-") else argument)
    if not told and (first := _first_mac(work.settings)) is not None:
        found.insert(0, f"mac={first}")
        work.note("bootloader", "its arguments name the MAC address now: xl passes none by itself")
    return tuple(found)


def _first_mac(settings: dict[str, Value]) -> str | None:
    vifs = settings.get("vif")
    for entry in vifs if isinstance(vifs, tuple) else ():
        try:
            return parse_vif(entry).mac if isinstance(entry, str) else None
        except ValueError:
            return None
    return None


def _entries(work: _Work, name: str, rewrite: Callable[[str], str]) -> None:
    """Each entry of the list `name` in xl's own form; one that is not understood stays, and is noted."""
    value = work.settings.get(name)
    if isinstance(value, str) and not isinstance(value, Number):
        value = (value,)
    if not isinstance(value, tuple):
        return
    done: list[Value] = []
    for entry in value:
        try:
            done.append(rewrite(entry) if isinstance(entry, str) else entry)
        except ValueError as error:
            work.note(name, f"{name} = {entry!r}: {error}")
            done.append(entry)
    work.settings[name] = tuple(done)


def _vifs(work: _Work) -> None:
    paravirtual = work.settings.get("type") != "hvm"

    def rewrite(entry: str) -> str:
        vif = parse_vif(entry)
        vif = replace(vif, other=tuple(_FLAG_VALUES.get(word, word) for word in vif.other))
        if paravirtual and (vif.type or vif.model):
            vif = replace(vif, type="", model="")
        # xm's own names of the scripts that xl runs by itself
        script = "" if vif.script == "vif-bridge" else vif.script
        return str(replace(vif, script=script))

    _entries(work, "vif", rewrite)


def _disks(work: _Work) -> None:
    _entries(work, "disk", lambda entry: str(parse_disk(entry)))
    runs = "bootloader" in work.settings and work.settings.get("type") != "hvm"
    if runs and not work.settings.get("disk"):
        disk = Disk(EMPTY_DISK, vdev="xvda", access="r")
        work.settings["disk"] = (str(disk),)
        work.note("disk", f"a disk of no octets was added, as xl runs no bootloader without a disk: touch {EMPTY_DISK}")


def _framebuffers(work: _Work) -> None:
    def rewrite(entry: str) -> str:
        pairs = [pair.strip() for pair in entry.split(",") if pair.strip()]
        return ",".join(_VFB_TYPES.get(pair.removeprefix("type="), pair) for pair in pairs)

    _entries(work, "vfb", rewrite)


_STEPS = (_guest_type, _renamed, _xm_only, _bootloader, _vifs, _disks, _framebuffers)


def _written(work: _Work) -> str:
    """The document with each setting at the last place that assigned it, and new ones in an old one's place."""
    document, settings = work.document, work.settings
    last = {name: n for n, statement in enumerate(document.statements) for name, _ in statement.assigns}
    successors: dict[str, list[str]] = {}
    for new, old in work.new_names.items():
        if new in settings and new not in document.settings:
            successors.setdefault(old, []).append(new)
    placed: set[str] = set()
    new_texts: dict[int, str] = {}
    for number, statement in enumerate(document.statements):
        lines: list[str] = []
        for name in dict.fromkeys(name for name, _ in statement.assigns):
            if last[name] != number:
                continue
            if name in settings:
                lines.append(setting(name, settings[name]))
                placed.add(name)
            for new in successors.get(name, ()):
                lines.append(setting(new, settings[new]))
                placed.add(new)
        old = document.text[statement.start : statement.end]
        if not _same(old, lines):
            names = [name for name, _ in statement.assigns]
            why = work.comments.get(number) or _why(names, work)
            new_texts[number] = _replaced(old, lines, why)
    rest = [setting(name, value) for name, value in settings.items() if name not in placed]
    return document.changed(new_texts, "".join(line + "\n" for line in rest))


def _same(old: str, lines: list[str]) -> bool:
    """Whether the text says what `lines` say, so that it can stay as it was written."""
    try:
        before, after = grammar.read(old, ""), grammar.read("\n".join(lines), "")
    except ConfigError:
        return False
    return before.settings == after.settings and not any(statement.added for statement in before.statements)


def _replaced(old: str, lines: list[str], why: str) -> str:
    """The new lines; an old text that no line continues stays as a comment, with the reason."""
    if lines:
        return "\n".join(lines)
    comment = "\n".join(f"# {line}" for line in old.split("\n"))
    return f"{comment}  # {why}" if why else comment


def _why(names: list[str], work: _Work) -> str:
    return next((work.gone[name] for name in names if name in work.gone), "")
