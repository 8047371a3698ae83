"""Whether the boot loaders that machines will ask for are in place, as they were put there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from shlex import quote

from netprov.boot.arch import Arch, distinct_archs
from netprov.boot.chain import Party, dhcp_via, loader_chain, menu_entries, parties
from netprov.boot.loaders import base_of, keeps_asking
from netprov.bootimages.loaders import FOLDER, LOCK
from netprov.bootimages.manifest import LoaderFile, load
from netprov.bootimages.placed import FileState, Placed, read_lock, state_of
from netprov.check.subject import EVERY, Finding, Severity
from netprov.errors import ConfigError
from netprov.inventory.model import Inventory, UnknownPolicy

Lacks = tuple[Party, tuple[str, ...]]
"""Somebody who boots from here, and the files that are not there."""


def missing_loaders(inventory: Inventory, manifest: Callable[[], Sequence[LoaderFile]] = load) -> Iterator[Finding]:
    """One finding for each kind of firmware that would not get its loader, and for each loader that was modified.

    The `manifest` tells what packages have; it is read only where something is missing.
    """
    root = inventory.settings.tftp.root
    command = f"netprov loaders --root {quote(str(root))}"
    try:
        lock = read_lock(root / FOLDER / LOCK)
    except ConfigError as error:
        yield Finding("loader-lock", Severity.ERROR, str(error), command=command)
        return
    found = _Looked(inventory, manifest).found()
    for row in distinct_archs():
        for severity in Severity:
            if lacks := found.get((row.name, severity)):
                yield _missing(row, severity, lacks, command)
    for name in sorted(_modified(root, lock)):
        text = f"{root / FOLDER / name} is not the file that netprov loaders put there"
        yield Finding("loader-modified", Severity.WARNING, text, "put it back", EVERY, command)


def wanted(row: Arch, party: Party, inventory: Inventory) -> tuple[str, ...]:
    """The files that firmware of `row` is sent from here for `party`; what a loader goes on without is left out."""
    if party.next_server is not None and not row.http:
        return ()
    links = loader_chain(row, party.target, party.policy, dhcp_via(inventory))
    return tuple(link.name for link in links if not link.optional and "://" not in link.name)


def places(root: Path, name: str) -> tuple[Path, ...]:
    """Where a loader called `name` may lie, in the order in which it is looked for (tftp.root)."""
    plain = name.replace("\\", "/").strip("/")
    return tuple(dict.fromkeys((root / FOLDER / plain, root / plain, root / FOLDER / plain.rpartition("/")[2])))


class _Looked:
    """What is there, each file and each kind of party looked at once."""

    def __init__(self, inventory: Inventory, manifest: Callable[[], Sequence[LoaderFile]]) -> None:
        self._inventory = inventory
        self._there: dict[str, bool] = {}
        self._known: dict[object, Mapping[str, tuple[Severity, tuple[str, ...]]]] = {}
        self._manifest = manifest

    def found(self) -> Mapping[tuple[str, Severity], Sequence[Lacks]]:
        """Who lacks what, by the firmware's name and by how bad it is."""
        found: dict[tuple[str, Severity], list[Lacks]] = {}
        for party in parties(self._inventory):
            for firmware, (severity, names) in self._lacking(party).items():
                found.setdefault((firmware, severity), []).append((party, names))
        return found

    def _lacking(self, party: Party) -> Mapping[str, tuple[Severity, tuple[str, ...]]]:
        """By firmware."""
        target = party.target
        told = (bool(target.kernel), target.arch, target.boot_loaders, target.filename) if target is not None else ()
        key = (party.policy, party.next_server, told)
        if key not in self._known:
            self._known[key] = self._look(party)
        return self._known[key]

    def _look(self, party: Party) -> Mapping[str, tuple[Severity, tuple[str, ...]]]:
        chains = {row: names for row in distinct_archs() if (names := wanted(row, party, self._inventory))}
        missing = {row: tuple(name for name in names if not self._is_there(name)) for row, names in chains.items()}
        nowhere = all(missing.values())
        return {
            row.name: (Severity.ERROR if nowhere else self._severity(row, party, names), names)
            for row, names in missing.items()
            if names
        }

    @cached_property
    def _packaged(self) -> frozenset[str]:
        """What the packages of every release have."""
        return frozenset(file.name for file in self._manifest() if not file.optional)

    def _is_there(self, name: str) -> bool:
        if name not in self._there:
            root = self._inventory.settings.tftp.root
            self._there[name] = any(path.is_file() for path in places(root, name))
        return self._there[name]

    def _severity(self, row: Arch, party: Party, names: Sequence[str]) -> Severity:
        """Of one kind of firmware without its loader: it may be one that nobody here has. Of no account where the menu
        has nothing for it, or where packages have no such loader in every release."""
        if party.policy is UnknownPolicy.MENU and not menu_entries(self._inventory, row):
            return Severity.NOTE
        to_be_had = any(base_of(name) in self._packaged or not keeps_asking(name) for name in names)
        return Severity.WARNING if to_be_had else Severity.NOTE


def _missing(row: Arch, severity: Severity, lacks: Sequence[Lacks], command: str) -> Finding:
    files = ", ".join(dict.fromkeys(name for _, names in lacks for name in names))
    first, _ = lacks[0]
    if first.target is not None:
        text = f"{row.name} machines cannot boot {first.target.kind} {first.target.name}: no {files}"
    else:
        text = f"{row.name} machines that are not declared cannot boot: no {files} (unknown: {first.policy})"
    targets = [party.target for party, _ in lacks if party.target is not None]
    systems = tuple(target.name for target in targets if target.kind == "system")
    machines = systems or tuple(target.name for target in targets[:1]) or EVERY
    return Finding("loader-missing", severity, text, "", machines, command)


def _modified(root: Path, lock: Mapping[str, Placed]) -> Iterator[str]:
    folder = root / FOLDER
    return (name for name, placed in lock.items() if state_of(folder / name, placed, None) is FileState.MODIFIED)
