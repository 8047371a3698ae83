"""Boot loaders from the distribution's packages, in place under the TFTP root."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from netprov.bootimages.manifest import LoaderFile
from netprov.bootimages.packages import Archive, Package
from netprov.bootimages.placed import FileState, Placed, digest, read_lock, state_of, write_atomic, write_lock
from netprov.errors import ConfigError, Problem

FOLDER = "loaders"
LOCK = "loaders.lock.json"


@dataclass(frozen=True, slots=True)
class LoaderStatus:
    """One loader of the manifest: how it stands, and what is in place (None: nothing)."""

    loader: LoaderFile
    state: FileState
    placed: Placed | None
    offered: str | None  # the version the packages offer now; None when no list of packages says it


def status(
    root: Path, manifest: Sequence[LoaderFile], archive: Archive, only: Collection[str] = ()
) -> list[LoaderStatus]:
    """How each loader under `root`/loaders stands, fetching nothing. Raises ConfigError: a broken lock file."""
    folder, wanted = root / FOLDER, _for(manifest, only)
    lock, offered = read_lock(folder / LOCK), _offered(wanted, archive)
    rows = []
    for loader in wanted:
        placed, version = lock.get(loader.name), offered.get((loader.package, loader.arch))
        rows.append(LoaderStatus(loader, state_of(folder / loader.name, placed, version), placed, version))
    return rows


def install(
    root: Path,
    manifest: Sequence[LoaderFile],
    archive: Archive,
    only: Collection[str] = (),
    progress: Callable[[str], None] = lambda text: None,
) -> list[Placed]:
    """Put the loaders for the machines in `only` (none: all) under `root`/loaders; what is in order stays untouched.

    Each file appears whole or not at all, then the lock file says what it is. A package that cannot be had does not
    keep the others away: then ConfigError names every one, after the others are in place. An optional one is only
    told to `progress`.
    """
    folder, wanted = root / FOLDER, _for(manifest, only)
    for arch in sorted({loader.arch for loader in wanted} - {"all", archive.native()}):
        archive.refresh(arch)
    lock, offered = read_lock(folder / LOCK), _offered(wanted, archive)
    todo: dict[tuple[str, str], list[LoaderFile]] = defaultdict(list)
    for loader in wanted:
        version = offered.get((loader.package, loader.arch))
        if state_of(folder / loader.name, lock.get(loader.name), version) is not FileState.OK:
            todo[loader.package, loader.arch].append(loader)
    problems: list[Problem] = []
    for (package, arch), loaders in todo.items():
        try:
            with archive.open(package, arch) as source:
                for loader in loaders:
                    problems += _place(folder, loader, source, lock, progress)
        except ConfigError as error:
            problems += _unless_optional(loaders, error, progress)
    write_lock(folder / LOCK, lock)
    if problems:
        raise ConfigError(*problems)
    return [lock[loader.name] for loader in wanted if loader.name in lock]


def _place(
    folder: Path, loader: LoaderFile, source: Package, lock: dict[str, Placed], progress: Callable[[str], None]
) -> tuple[Problem, ...]:
    try:
        found = source.file(loader.paths)
    except ConfigError as error:
        return _unless_optional([loader], error, progress)
    content = found.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    if digest(folder / loader.name) != sha256:
        write_atomic(folder / loader.name, content)
        progress(f"{loader.name} from {source.name} {source.version}")
    path = str(found.relative_to(source.tree))
    lock[loader.name] = Placed(loader.name, source.name, source.version, loader.arch, path, sha256, len(content))
    return ()


def _unless_optional(
    loaders: Sequence[LoaderFile], error: ConfigError, progress: Callable[[str], None]
) -> tuple[Problem, ...]:
    if all(loader.optional for loader in loaders):
        progress(f"not available: {', '.join(loader.name for loader in loaders)} ({error})")
        return ()
    return error.problems


def _for(manifest: Sequence[LoaderFile], only: Collection[str]) -> list[LoaderFile]:
    return [loader for loader in manifest if not only or any(kind in only for kind in loader.machines)]


def _offered(wanted: Sequence[LoaderFile], archive: Archive) -> dict[tuple[str, str], str]:
    """The version of each (package, arch) we would take: the installed one, or else the sources' newest."""
    versions: dict[tuple[str, str], str] = {}
    for arch in {loader.arch for loader in wanted}:
        names = {loader.package for loader in wanted if loader.arch == arch}
        have = archive.installed(names, arch)
        listed = archive.offered(names - set(have), arch)
        versions |= {(name, arch): record["Version"] for name, record in listed.items() if "Version" in record}
        versions |= {(name, arch): version for name, version in have.items()}
    return versions
