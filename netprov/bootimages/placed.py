"""Files put in place, and the lock file beside them that says what they are."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path

from netprov.errors import ConfigError, Origin, Problem


@dataclass(frozen=True, slots=True)
class Placed:
    """One file in place: its name there, the package it came from, and what it was then."""

    name: str
    package: str
    version: str
    arch: str
    path: str  # in the package
    sha256: str
    size: int  # bytes


class FileState(StrEnum):
    """How a file in place compares with the lock file and with what the packages offer."""

    OK = "ok"
    MISSING = "missing"
    MODIFIED = "modified"  # not the file that was put in place
    OUTDATED = "outdated"  # the package has another version now


def write_atomic(path: Path, content: bytes) -> None:
    """`path` has the old content or the new, never a part; readable by everyone, as a TFTP server needs it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o644)
        os.replace(name, path)
    except BaseException:  # whatever ends it: no half-written file stays
        Path(name).unlink(missing_ok=True)
        raise


def digest(path: Path) -> str:
    """The sha256 of a file in hex; "" when it is not there."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError):
        return ""


def read_lock(path: Path) -> dict[str, Placed]:
    """What was put in place, by name; empty without a lock file. Raises ConfigError when it is not one."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["files"]
        return {row["name"]: Placed(**{field.name: row[field.name] for field in fields(Placed)}) for row in rows}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        text = f"is not a lock file ({error}): remove it and run `netprov loaders` again"
        raise ConfigError(Problem(Origin(str(path)), "", text)) from error


def write_lock(path: Path, placed: Mapping[str, Placed]) -> None:
    rows: Iterable[dict[str, object]] = [asdict(placed[name]) for name in sorted(placed)]
    write_atomic(path, (json.dumps({"files": rows}, indent=1) + "\n").encode())


def state_of(file: Path, placed: Placed | None, offered: str | None) -> FileState:
    """How `file` stands; `offered` is the version the packages offer now, None when that is not known."""
    if placed is None or not file.is_file():
        return FileState.MISSING
    if digest(file) != placed.sha256:
        return FileState.MODIFIED
    if offered is not None and offered != placed.version:
        return FileState.OUTDATED
    return FileState.OK
