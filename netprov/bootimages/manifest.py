"""The manifest of boot loaders: which name comes from which package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TypeVar

import yaml

from netprov.boot.arch import distinct_archs
from netprov.errors import ConfigError, Origin, Problem

MANIFEST = Path(__file__).with_name("loaders.yaml")

MACHINES = tuple(row.name for row in distinct_archs() if not row.http)
"""Who can run a loader: firmware that boots by HTTP runs what other firmware of its processor does."""


class SecureBoot(StrEnum):
    """Who starts a loader where Secure Boot is on."""

    FIRMWARE = "firmware"
    SHIM = "shim"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class LoaderFile:
    """One file of a manifest: the name machines ask for, and where it comes from.

    `paths` are paths in the package, the first that is there counts; `alias_of` is the name this is a copy of, or "".
    """

    name: str
    package: str
    arch: str
    paths: tuple[str, ...]
    machines: tuple[str, ...]  # the firmware that can start it, by its names in boot.arch
    secure_boot: SecureBoot
    optional: bool = False
    alias_of: str = ""


def load(path: Path = MANIFEST) -> tuple[LoaderFile, ...]:
    """Every file of the manifest, in its order. Raises ConfigError with every problem in it."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(Problem(Origin(str(path)), "", f"cannot be read: {error.strerror}")) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(Problem(Origin(str(path)), "", f"is not YAML: {error}")) from error
    problems: list[Problem] = []
    found: dict[str, LoaderFile] = {}
    if not isinstance(document, list):
        raise ConfigError(Problem(Origin(str(path)), "", "must be a list of packages"))
    for number, entry in enumerate(document, start=1):
        where = f"entry {number}"
        try:
            for file in _files(entry):
                if file.name in found:
                    raise ValueError(f"{file.name} appears twice, also from {found[file.name].package}")
                found[file.name] = file
        except ValueError as error:
            problems.append(Problem(Origin(str(path)), where, str(error)))
    if problems:
        raise ConfigError(*problems)
    return tuple(found.values())


Kind = TypeVar("Kind", bound=StrEnum)
KEYS = frozenset({"package", "arch", "machines", "secure_boot", "optional", "files", "aliases"})


def _files(entry: object) -> Iterator[LoaderFile]:
    if not isinstance(entry, dict):
        raise ValueError("must be a mapping with package, arch, machines, secure_boot and files")
    if unknown := sorted(set(entry) - KEYS, key=str):
        raise ValueError(f"{unknown[0]!r} is not one of {', '.join(sorted(KEYS))}")
    package, arch = _text(entry, "package"), _text(entry, "arch")
    machines = tuple(_machine(name) for name in _list(entry, "machines"))
    secure_boot = _choice(SecureBoot, _text(entry, "secure_boot"))
    optional = entry.get("optional", False)
    if not isinstance(optional, bool):
        raise ValueError("optional must be true or false")
    paths = {_flat(name): _paths(value) for name, value in _mapping(entry, "files").items()}
    for name, where in paths.items():
        yield LoaderFile(name, package, arch, where, machines, secure_boot, optional)
    for alias, file in _mapping(entry, "aliases", {}).items():
        if not isinstance(file, str) or file not in paths:
            raise ValueError(f"alias {alias}: {file!r} is not one of this entry's files")
        yield LoaderFile(_flat(alias), package, arch, paths[file], machines, secure_boot, optional, alias_of=file)


def _text(entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} must be a name")
    return value


def _list(entry: Mapping[str, object], key: str) -> list[object]:
    value = entry.get(key)
    if not isinstance(value, list) or not value:
        raise ValueError(f"{key} must be a list")
    return value


def _mapping(entry: Mapping[str, object], key: str, default: dict[str, object] | None = None) -> dict[str, object]:
    value = entry.get(key, default)
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"{key} must be a mapping of names")
    return value


def _choice(kind: type[Kind], value: object) -> Kind:
    try:
        return kind(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is not one of {', '.join(kind)}") from None


def _machine(value: object) -> str:
    if value not in MACHINES:
        raise ValueError(f"{value!r} is not one of {', '.join(MACHINES)}")
    return str(value)


def _flat(name: str) -> str:
    """A loader's name has no folder: firmware and shim ask for it beside the loader before it."""
    if not name or "/" in name or "\\" in name or name.startswith("."):
        raise ValueError(f"{name!r} is not a plain file name")
    return name


def _paths(value: object) -> tuple[str, ...]:
    paths = tuple(value) if isinstance(value, list) else (value,)
    for path in paths:
        if not isinstance(path, str) or not path or path.startswith("/") or ".." in PurePosixPath(path).parts:
            raise ValueError(f"{path!r} is not a path in a package (without a leading slash, without ..)")
    if not paths:
        raise ValueError("a file must have a path")
    return paths
