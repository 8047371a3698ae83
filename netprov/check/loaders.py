"""Whether the boot loaders that machines will ask for are in place, as they were put there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from netprov.boot.arch import ARCHS, NEXT_LINKS, Arch
from netprov.boot.request import Loader
from netprov.check.subject import Finding, Severity
from netprov.errors import ConfigError
from netprov.inventory.model import Inventory, Target, UnknownPolicy
from netprov.media.loaders import FOLDER, LOCK
from netprov.media.placed import FileState, Placed, read_lock, state_of

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
    try:
        lock = read_lock(root / FOLDER / LOCK)
    except ConfigError as error:
        yield Finding("loaders", Severity.ERROR, str(error))
        return
    told: set[str] = set()
    for cpu, targets in _by_cpu(inventory).items():
        rows = [row for row in ARCHS.values() if row.name in _KINDS.get(cpu, ())]
        lacking = [(row, names) for row in rows if (names := _lacking(row, targets, root))]
        # one kind of firmware without a loader may be one that nobody here has
        severity = Severity.ERROR if len(lacking) == len(rows) else Severity.WARNING
        for row, names in lacking:
            if row.name not in told:
                told.add(row.name)
                text = f"{row.name} machines cannot boot {targets[0].kind} {targets[0].name}: no {', '.join(names)}"
                yield Finding("loaders", severity, text, f"netprov loaders --root {root}")
    for name in sorted(_modified(root, lock)):
        text = f"{root / FOLDER / name} is not the file that netprov loaders put there"
        yield Finding("loaders", Severity.WARNING, text, f"netprov loaders --root {root} puts it back")


def _by_cpu(inventory: Inventory) -> dict[str, list[Target]]:
    """Who boots a kernel from us: the systems, and the profiles that machines which nothing matches may get."""
    targets = list(inventory.systems.values())
    named = {subnet.profile for subnet in inventory.subnets}
    menu = inventory.settings.server.unknown is UnknownPolicy.MENU
    targets += [p for p in inventory.profiles.values() if p.name in named or (menu and p.enable_menu)]
    found: dict[str, list[Target]] = {}
    for target in targets:
        if target.kernel and target.next_server is None:
            found.setdefault(_SPELLED.get(target.arch, target.arch), []).append(target)
    return found


def _lacking(row: Arch, targets: Sequence[Target], root: Path) -> list[str]:
    wanted = dict.fromkeys(name for target in targets for name in _files(row, target))
    return [name for name in wanted if not ((root / FOLDER / name).is_file() or (root / name).is_file())]


def _files(row: Arch, target: Target) -> tuple[str, ...]:
    if target.filename:
        return (target.filename,) if "://" not in target.filename else ()
    wanted = [Loader(name) for name in target.boot_loaders]
    loader = next((loader for loader in wanted if loader in row.loaders), next(iter(row.loaders)))
    file = row.loaders[loader]
    return (file, *NEXT_LINKS.get(file, ()))


def _modified(root: Path, lock: Mapping[str, Placed]) -> Iterator[str]:
    folder = root / FOLDER
    return (name for name, placed in lock.items() if state_of(folder / name, placed, None) is FileState.MODIFIED)
