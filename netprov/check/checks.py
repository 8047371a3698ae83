"""The checks: one function each, and one table of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from netprov.boot.reason import Reason
from netprov.check.loaders import missing_loaders
from netprov.check.subject import Finding, Severity, Subject
from netprov.errors import ConfigError
from netprov.inventory.model import Inventory, Target
from netprov.journal.amount import size
from netprov.journal.timeline import Timeline
from netprov.tftp.paths import PathError
from netprov.tftp.root import Root

# SQLite needs room for its log and a checkpoint of it; a full disk costs events, then leases
_LITTLE, _FEW = 100_000_000, 1_000_000_000  # octets free on the disk of server.state


def configuration(subject: Subject) -> Iterator[Finding]:
    for problem in subject.loaded.problems:
        yield Finding("configuration", Severity.ERROR, str(problem), "mend it; a server takes it over by itself")
    for problem in subject.inventory.warnings if subject.inventory is not None else ():
        yield Finding("configuration", Severity.WARNING, str(problem))


def templates(subject: Subject) -> Iterator[Finding]:
    from netprov.render.lint import lint

    if subject.inventory is None:
        return
    findings = lint(subject.inventory)
    for problem in findings.problems:
        yield Finding("templates", Severity.ERROR, str(problem), "mend it there; netprov lint checks again")
    for problem in findings.warnings:
        yield Finding("templates", Severity.WARNING, str(problem))


def loaders(subject: Subject) -> Iterator[Finding]:
    if subject.inventory is not None:
        yield from missing_loaders(subject.inventory)


def files(subject: Subject) -> Iterator[Finding]:
    inventory = subject.inventory
    if inventory is None:
        return
    root = Root(inventory.settings.tftp.root)
    for name, target in _files(inventory).items():
        try:
            os.close(root.open(name).fd)
        except PathError as error:
            text = f"{name} under {inventory.settings.tftp.root}, of {target.kind} {target.name}: {error.text}"
            yield Finding("files", Severity.ERROR, text, error.reason.advice)


def server(subject: Subject) -> Iterator[Finding]:
    if not subject.server:
        text = f"no server runs on {subject.place.folder}"
        yield Finding("server", Severity.WARNING, text, "start it: netprov serve")


def generation(subject: Subject) -> Iterator[Finding]:
    if not subject.server:
        return
    try:
        with Timeline(subject.place.journal) as journal:
            last = journal.latest([Reason.INVENTORY_REFUSED, Reason.INVENTORY_LOADED, Reason.SERVER_STARTED])
    except ConfigError as error:
        yield Finding("generation", Severity.WARNING, str(error))
        return
    if last is not None and last.reason is Reason.INVENTORY_REFUSED:
        text = f"the server refused the newest edit and serves what was before: {last.text}"
        yield Finding(last.reason.label, Severity.ERROR, text, "mend it: netprov lint lists every problem")


def disk(subject: Subject) -> Iterator[Finding]:
    folder = next(path for path in (subject.place.folder, *subject.place.folder.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if free < _FEW:
        severity = Severity.ERROR if free < _LITTLE else Severity.WARNING
        advice = "make room, or move server.state: a full disk costs events, then leases"
        yield Finding("disk", severity, f"{size(free)} are free for server.state ({folder})", advice)
    if not os.access(folder, os.W_OK):
        text = f"{folder} cannot be written by this user"
        yield Finding("disk", Severity.WARNING, text, "run netprov as the server's user, or name another server.state")


def _files(inventory: Inventory) -> Mapping[str, Target]:
    """The kernels and initrds that we serve, each with the first that names it."""
    found: dict[str, Target] = {}
    for target in (*inventory.systems.values(), *inventory.profiles.values()):
        for name in (target.kernel, *target.initrd):
            if name and "://" not in name:
                found.setdefault(name, target)
    return found


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    passed: Callable[[Subject], str]  # what to say where nothing is found
    find: Callable[[Subject], Iterator[Finding]]


def _declared(subject: Subject) -> str:
    inventory = subject.inventory
    assert inventory is not None
    return f"{len(inventory.systems)} systems, {len(inventory.profiles)} profiles, no problems"


def _root(subject: Subject) -> Path:
    assert subject.inventory is not None
    return subject.inventory.settings.tftp.root


CHECKS = (
    Check("configuration", _declared, configuration),
    Check("templates", lambda _: "every script and every installer's answers can be made", templates),
    Check("loaders", lambda s: f"in place in {_root(s) / 'loaders'}", loaders),
    Check("files", lambda _: "every kernel and initrd can be read", files),
    Check("server", lambda s: f"runs (process {s.server})", server),
    Check("generation", lambda s: "the server serves what is written" if s.server else "", generation),
    Check("disk", lambda s: f"room for {s.place.folder}", disk),
)
"""In the order to read them. A further check is a function and a row."""

NEED_INVENTORY = ("templates", "loaders", "files")
