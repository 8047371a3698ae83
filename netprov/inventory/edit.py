"""A system declared or removed by a program, in the operator's own files: the page's, the API's and the commands'.

The file is written as a whole or not at all, and only once everything loads with it: a server never sees a bad one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from netprov.errors import ConfigError, Origin, Problem
from netprov.inventory.insertion import with_entry, without_entry
from netprov.inventory.load import attempt
from netprov.inventory.model import Inventory, Value
from netprov.inventory.nodes import ListNode, MapNode, Node, ScalarNode, compose
from netprov.inventory.source import SUFFIXES, read_file
from netprov.inventory.values import parse_name

NEW_FILE = "systems.yaml"
_SECTIONS = (("systems",), ("inventory", "systems"))


class NotWrittenError(ConfigError):
    """The file could not be written: its rights, its disk, or somebody else's edit at the same moment."""


class NotDeclaredError(ConfigError):
    """There is no such system."""


@dataclass(frozen=True, slots=True)
class Added:
    """Where the system stands now, and what is declared with it; that file's content without it and with it (`before`
    is None where there was no such file).
    """

    origin: Origin
    inventory: Inventory
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True)
class Removed:
    """Where the system stood, and what is declared without it."""

    origin: Origin
    inventory: Inventory


def add_system(config: Path, name: str, fields: Mapping[str, Value], file: Path | None = None) -> Added:
    """Declare the system `name` with `fields`, as netprov.yaml (`config`) would have them.

    It is written into `file`, one that `config` reads; without one, where home() says. Comments and every line that was
    there stay. A running server takes it over as it does any edit. Raises ConfigError: with every problem of the
    inventory as it would be, where the name is taken, and NotWrittenError.
    """
    try:
        parse_name(name)
    except ValueError as error:
        raise _refused(None, f"system {name[:100]!r}", str(error)) from None
    loaded = attempt(config)
    if loaded.inventory is None:
        raise ConfigError(*loaded.problems)
    taken = loaded.inventory.system(name)
    if taken is not None:
        raise _refused(taken.origin, f"system {name}", "is declared already")
    path = Path(os.path.realpath(file or home(loaded.inventory)))
    if file is not None and not _is_read(path, loaded.files):
        raise _refused(Origin(str(file)), "", f"{config} reads no such file")
    with _alone(path.parent):
        before = read_file(path) if os.path.lexists(path) else None
        after = _inserted(path, before or b"", name, fields)
        then = attempt(config, instead={str(path): after})
        if then.inventory is None:
            raise ConfigError(*then.problems)
        added = then.inventory.system(name)
        assert added is not None
        assert added.origin is not None
        _replace(path, before, after)
    return Added(added.origin, then.inventory, before, after)


def undo_add(config: Path, name: str, added: Added) -> None:
    """As it was before add_system(): octet by octet, without the file where there was none. Where the file was edited
    since, the system is taken out as remove_system() does; it may be gone already. Raises ConfigError as that does.
    """
    path = Path(os.path.realpath(added.origin.file))
    with _alone(path.parent):
        if os.path.lexists(path) and read_file(path) == added.after:
            if added.before is not None:
                _replace(path, added.after, added.before)
                return
            try:
                path.unlink()
            except OSError as error:
                raise _not_written(path, error) from None
            return
    with contextlib.suppress(NotDeclaredError):
        remove_system(config, name)


def remove_system(config: Path, name: str) -> Removed:
    """Take the system `name` out of the file that declares it: its entry's lines, and what comments are in them.

    All else stays, also a `systems:` with nothing behind it. A running server takes it over as it does any edit. Raises
    ConfigError: with every problem of the inventory as it would be, where the entry cannot be cut out or something else
    refers to it, NotDeclaredError and NotWrittenError.
    """
    path = Path(os.path.realpath(_declared(config, name).file))
    with _alone(path.parent):
        origin = _declared(config, name)
        before = read_file(path)
        after = _removed(path, origin, before, name)
        then = attempt(config, instead={str(path): after})
        if then.inventory is None:
            raise ConfigError(*then.problems)
        _replace(path, before, after)
    return Removed(origin, then.inventory)


def _declared(config: Path, name: str) -> Origin:
    """Where the system stands."""
    loaded = attempt(config)
    if loaded.inventory is None:
        raise ConfigError(*loaded.problems)
    found = loaded.inventory.system(name)
    if found is None or found.origin is None:
        raise NotDeclaredError(Problem(None, f"system {name[:100]!r}", "is not declared"))
    return found.origin


def home(inventory: Inventory) -> Path:
    """The file that a new system goes into: the one that has all of them; where several have some or none has any,
    systems.yaml in the inventory folder, or netprov.yaml where there is no such folder.
    """
    having = {target.origin.file for target in inventory.systems() if target.origin is not None}
    if len(having) == 1:
        return Path(having.pop())
    main, *others = inventory.files
    folder = next(filter(os.path.isdir, others), None)
    if folder is not None:
        return Path(folder, NEW_FILE)
    return Path(main)


def _is_read(path: Path, files: tuple[str, ...]) -> bool:
    """Whether `path` is one of these files, or would be: new in one of these folders."""
    new = path.suffix in SUFFIXES and not path.name.startswith(".")
    return any(os.path.realpath(file) in (str(path), str(path.parent) if new else "") for file in files)


def _inserted(path: Path, before: bytes, name: str, fields: Mapping[str, Value]) -> bytes:
    """The file's new content."""
    text = before.decode("utf-8-sig")
    mark = b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b""
    section: tuple[str, ...] = ("systems",)
    try:
        if _has(text, "inventory", "systems") and not _has(text, "systems"):
            section = ("inventory", "systems")
        after = with_entry(text, section, name, dict(fields))
    except ValueError as error:
        raise _refused(Origin(str(path)), f"system {name}", f"{error}; declare it by hand") from None
    return mark + after.encode()


def _removed(path: Path, origin: Origin, before: bytes, name: str) -> bytes:
    """The file's new content, which says of all else what it said."""
    mark = b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b""
    text, where = before.decode("utf-8-sig"), f"system {name}"
    for section in _SECTIONS:
        try:
            found = without_entry(text, section, name)
        except ValueError as error:
            raise _refused(origin, where, f"{error}; remove it by hand") from None
        if found is not None:
            break
    else:
        raise _refused(origin, where, "has no entry of its own; remove it by hand")
    after = mark + found.encode()
    try:
        kept = _plain(compose(after, str(path))) == _plain(compose(before, str(path)), (*section, name))
    except ConfigError:
        kept = False  # an alias, for one, that names an anchor in it
    if not kept:
        raise _refused(origin, where, "something else refers to it, or shares its lines; remove it by hand")
    return after


def _plain(node: Node | None, without: tuple[str, ...] = ()) -> object:
    """What a YAML text says, wherever it says it, without the entry that `without` leads to."""
    match node:
        case MapNode():
            entries = {
                key: _plain(child, without[1:] if without[:1] == (key,) else ())
                for key, child in node.entries.items()
                if without != (key,)
            }
            return entries or None  # where it was the only one, a key with nothing behind it is left
        case ListNode():
            return [_plain(child) for child in node.items]
        case ScalarNode():
            return None if node.null else (node.text, node.plain)
    return None


def _has(text: str, *keys: str) -> bool:
    node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for key in keys:
        entries = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for name, value in entries if name.value == key), None)
    return node is not None


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One at a time: two that add at the same moment would each write its own system only."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _not_written(folder, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, before: bytes | None, after: bytes) -> None:
    """`after` in the place of the file at `path`, at once, with its owner and mode."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")  # hidden: no inventory reads it
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        try:
            with open(descriptor, "wb") as file:
                _like(path if before is not None else path.parent, file.fileno(), mode=before is not None)
                file.write(after)
                file.flush()
                os.fsync(file.fileno())
            if (read_file(path) if os.path.lexists(path) else None) != before:
                raise NotWrittenError(Problem(Origin(str(path)), "", "somebody else has just changed it: try again"))
            os.rename(fresh, path)
        except BaseException:  # whatever ends it: no half-written file stays
            with contextlib.suppress(OSError):
                os.unlink(fresh)
            raise
    except OSError as error:
        raise _not_written(path, error) from None


def _like(path: Path, descriptor: int, *, mode: bool) -> None:
    status = os.stat(path)
    if mode:
        os.fchmod(descriptor, status.st_mode & 0o7777)
    with contextlib.suppress(PermissionError):  # not root: it becomes ours
        os.fchown(descriptor, status.st_uid, status.st_gid)


def _refused(origin: Origin | None, where: str, text: str) -> ConfigError:
    return ConfigError(Problem(origin, where, text))


def _not_written(path: Path, error: OSError) -> NotWrittenError:
    advice = "the user netprov runs as may not write there; write the lines yourself, or give it the folder"
    said = error.strerror or str(error)
    denied = isinstance(error, PermissionError) or error.errno == 30  # EROFS
    return NotWrittenError(Problem(Origin(str(path)), "", f"{said.lower()}; {advice}" if denied else said.lower()))
