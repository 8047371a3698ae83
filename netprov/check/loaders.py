"""Whether the boot loaders that machines will ask for are in place, as they were put there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote

from netprov.boot.arch import ARCHS, NEXT_LINKS, Arch
from netprov.boot.decide import default_loader
from netprov.boot.request import Loader, Via
from netprov.bootimages.loaders import FOLDER, LOCK
from netprov.bootimages.placed import FileState, Placed, read_lock, state_of
from netprov.check.subject import EVERY, Finding, Severity
from netprov.errors import ConfigError
from netprov.inventory.model import DhcpMode, Inventory, Target, UnknownPolicy

_KINDS: Mapping[str, tuple[str, ...]] = {
    "x86_64": ("bios", "uefi-x64", "http-x64"),
    "i386": ("bios", "uefi-ia32", "uefi-x64"),
    "arm64": ("uefi-arm64", "http-arm64"),
    "riscv64": ("uefi-riscv64",),
}
"""The firmware that starts a kernel of each architecture, by its name in the table of client architectures."""

_SPELLED = {"aarch64": "arm64", "x86": "i386"}


def missing_loaders(inventory: Inventory) -> Iterator[Finding]:
    """One finding for each kind of firmware that would not get its loader, and for each loader that was modified."""
    root = inventory.settings.tftp.root
    command = f"netprov loaders --root {quote(str(root))}"
    try:
        lock = read_lock(root / FOLDER / LOCK)
    except ConfigError as error:
        yield Finding("loader-lock", Severity.ERROR, str(error), command=command)
        return
    via = Via.PROXY if inventory.settings.dhcp.mode is DhcpMode.PROXY else Via.DHCP
    told: set[str] = set()
    for cpu, targets in _by_cpu(inventory).items():
        rows = [row for row in ARCHS.values() if row.name in _KINDS.get(cpu, ())]
        lacking = {row.name: _lacking(row, targets, root, via) for row in rows}
        # one kind of firmware without a loader may be one that nobody here has
        nowhere = set.intersection(*(set(found) for found in lacking.values())) if lacking else set()
        for name, found in lacking.items():
            if found and name not in told:
                told.add(name)
                severity = Severity.ERROR if nowhere & set(found) else Severity.WARNING
                yield _missing(name, found, severity, command)
    for name in sorted(_modified(root, lock)):
        text = f"{root / FOLDER / name} is not the file that netprov loaders put there"
        yield Finding("loader-modified", Severity.WARNING, text, "put it back", EVERY, command)


def _by_cpu(inventory: Inventory) -> dict[str, list[Target]]:
    """Who boots a kernel from us: the systems, and the profiles that machines which nothing matches may get."""
    targets = list(inventory.systems())
    named = {subnet.profile for subnet in inventory.subnets}
    menu = inventory.settings.server.unknown is UnknownPolicy.MENU
    targets += [p for p in inventory.profiles() if p.name in named or (menu and p.enable_menu)]
    found: dict[str, list[Target]] = {}
    for target in targets:
        if target.kernel and target.next_server is None:
            found.setdefault(_SPELLED.get(target.arch, target.arch), []).append(target)
    return found


def _lacking(row: Arch, targets: Sequence[Target], root: Path, via: Via) -> dict[str, tuple[str, ...]]:
    """The targets that firmware of `row` cannot boot, as messages name them, and the files that are not there."""
    there: dict[str, bool] = {}
    found = {}
    for target in targets:
        names = chain(row, target, via)
        for name in names:
            if name not in there:
                there[name] = (root / FOLDER / name).is_file() or (root / name).is_file()
        missing = tuple(name for name in names if not there[name])
        if missing:
            found[f"{target.kind} {target.name}"] = missing
    return found


def _missing(firmware: str, found: Mapping[str, tuple[str, ...]], severity: Severity, command: str) -> Finding:
    files = ", ".join(dict.fromkeys(name for names in found.values() for name in names))
    text = f"{firmware} machines cannot boot {next(iter(found))}: no {files}"
    machines = tuple(words[1] for name in found if (words := name.split())[0] == "system")
    return Finding("loader-missing", severity, text, "", machines or (next(iter(found)).split()[1],), command)


def chain(row: Arch, target: Target, via: Via) -> tuple[str, ...]:
    """The loaders that firmware of `row` gets from us, each of which starts the next."""
    if target.filename:
        return (target.filename,) if "://" not in target.filename else ()
    wanted = [Loader(name) for name in target.boot_loaders]
    loader = next((loader for loader in wanted if loader in row.loaders), default_loader(row, via))
    file = row.loaders[loader]
    return (file, *NEXT_LINKS.get(file, ()))


def _modified(root: Path, lock: Mapping[str, Placed]) -> Iterator[str]:
    folder = root / FOLDER
    return (name for name, placed in lock.items() if state_of(folder / name, placed, None) is FileState.MODIFIED)
