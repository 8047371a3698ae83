"""What is declared, and whether the server serves it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import replace

from netprov.boot.reason import Reason
from netprov.check.subject import EVERY, Finding, Severity, Subject
from netprov.errors import ConfigError
from netprov.inventory.model import Inventory, Target
from netprov.journal.timeline import Timeline

RENDERED = 200
"""Systems whose scripts and answers are made here, at most, each of another kind: some two seconds. `netprov lint`
makes everybody's."""


def configuration(subject: Subject) -> Iterator[Finding]:
    for problem in subject.loaded.problems:
        advice = "fix it; a server picks up the edit by itself"
        yield Finding("configuration", Severity.ERROR, str(problem), advice, EVERY, "netprov lint")
    for problem in subject.inventory.warnings if subject.inventory is not None else ():
        yield Finding("configuration", Severity.WARNING, str(problem))


def kinds(inventory: Inventory) -> str:
    return f"{inventory.summary}, no problems"


def templates(subject: Subject) -> Iterator[Finding]:
    """Every template, for every kind of system."""
    from netprov.render.lint import lint

    inventory = subject.declared
    kinds = _by_kind(inventory)
    chosen = [systems[0] for systems in kinds][:RENDERED]
    findings = lint(inventory, chosen)
    for problem in findings.problems:
        advice = "fix it there; netprov lint checks again"
        machines = _whose(problem.where, inventory, kinds)
        yield Finding("template", Severity.ERROR, str(problem), advice, machines, "netprov lint")
    for problem in findings.warnings:
        yield Finding("template", Severity.WARNING, str(problem))
    if len(kinds) > RENDERED:
        text = f"the scripts and answers of {len(chosen)} systems were made, of {len(inventory.systems()):,}"
        yield Finding("template-sample", Severity.NOTE, text, "to make them all, take a minute", command="netprov lint")


def _by_kind(inventory: Inventory) -> list[list[Target]]:
    """The systems by kind: all that templates can tell apart but names and addresses are the same within one."""
    found: dict[Hashable, list[Target]] = {}
    for system in inventory.systems():
        found.setdefault(_kind(system), []).append(system)
    return list(found.values())


_WHERE = re.compile(r"(system|profile) (\S+)")


def _whose(where: str, inventory: Inventory, kinds: list[list[Target]]) -> tuple[str, ...]:
    """The machines that a problem with the system or profile at `where` stops."""
    match = _WHERE.match(where)
    if match is None:
        return EVERY
    kind, name = match.groups()
    if kind == "system":
        alike = next((systems for systems in kinds if name == systems[0].name), [])
        return tuple(system.name for system in alike) or (name,)
    return tuple(system.name for system in inventory.systems() if system.profile == name) or (name,)


def _kind(system: Target) -> Hashable:
    cards = tuple((i.name, i.mac is None, i.ip is None, i.gateway is None, i.bridge) for i in system.interfaces)
    unlike = replace(
        system, name="", hostname="x" if system.hostname else "", uuid="", serial="", client_id=b"", circuit_id=b"",
        remote_id=b"", interfaces=(), comment="", origin=None, origins={},
    )  # fmt: skip
    return cards, repr(unlike)


def server(subject: Subject) -> Iterator[Finding]:
    if not subject.server:
        text = f"no server runs on {subject.place.folder}"
        yield Finding("server-down", Severity.WARNING, text, "start it", EVERY, "netprov serve")


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
        text = f"the server refused the newest edit and serves the previous one: {last.text}"
        advice = "fix it: netprov lint lists every problem"
        yield Finding(last.reason.label, Severity.ERROR, text, advice, EVERY, "netprov lint")
