"""The checks: one function each, and one table of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from netprov.check.addresses import addresses, ranges, unmatched
from netprov.check.answers import answers
from netprov.check.answers import passed as answered
from netprov.check.declared import configuration, generation, kinds, server, templates
from netprov.check.files import files
from netprov.check.firewall.read import firewall
from netprov.check.host import clock, disk
from netprov.check.ipxe import untried
from netprov.check.loaders import missing_loaders
from netprov.check.ports import ports
from netprov.check.reach import all_served, interfaces, next_servers, subnets
from netprov.check.rivals import alone, rivals
from netprov.check.secureboot import secure_boot
from netprov.check.state import journal, seen, state, troubles
from netprov.check.subject import Finding, Subject
from netprov.check.webhooks import webhooks


@dataclass(frozen=True, slots=True)
class Check:
    """`passed`: what to say where nothing is found; "" says nothing. `always`: also of a configuration with errors."""

    name: str
    passed: Callable[[Subject], str]
    find: Callable[[Subject], Iterator[Finding]]
    always: bool = False


def _loaders(subject: Subject) -> Iterator[Finding]:
    yield from missing_loaders(subject.declared)
    yield from untried(_root(subject))


def _root(subject: Subject) -> Path:
    return subject.declared.settings.tftp.root


def _served(subject: Subject) -> str:
    return ", ".join(link.name for link in subject.served) or "none"


def _sound(file: Path | None, name: str) -> str:
    return f"{name} is sound" if file is None or seen(file) else "none yet: the server makes it"


def _told(subject: Subject) -> str:
    return "receivers accept what they are sent" if subject.declared.settings.server.webhooks else ""


CHECKS = (
    Check("configuration", lambda s: kinds(s.declared), configuration, always=True),
    Check("templates", lambda _: "every script and every installer's answers can be made", templates),
    Check("loaders", lambda s: f"in place in {_root(s) / 'loaders'}", _loaders),
    Check("files", lambda _: "every kernel, initrd and template can be read, and is what it should be", files),
    Check("secure boot", lambda s: "no machine was seen whose firmware would refuse a loader or kernel", secure_boot),
    Check("systems", lambda _: "each can be recognised", unmatched),
    Check("addresses", lambda _: "no other machine has a system's address", addresses),
    Check("ranges", lambda _: "addresses are left to give", ranges),
    Check("server", lambda s: f"runs (process {s.server})", server, always=True),
    Check("generation", lambda s: "the server serves what is written" if s.server else "", generation, always=True),
    Check("interfaces", _served, interfaces),
    Check("subnets", all_served, subnets),
    Check("next server", lambda _: "machines are told an address that they can reach", next_servers),
    Check("ports", lambda s: "held by netprov alone, and read" if s.server else "free", ports),
    Check("answers", answered, answers),
    Check("rivals", alone, rivals),
    Check("firewall", lambda s: f"lets machines' packets in at {_served(s)}" if s.served else "", firewall),
    Check("state", lambda s: _sound(s.place.database, str(s.place)), state, always=True),
    Check("journal", lambda s: _sound(s.place.journal, str(s.place.journal)), journal, always=True),
    Check("webhooks", _told, webhooks),
    Check("troubles", lambda _: "the server had none in the last day", troubles, always=True),
    Check("disk", lambda s: f"room for {s.place.folder}", disk, always=True),
    Check("clock", lambda _: "is set", clock, always=True),
)
"""In the order to read them. A further check is a function and a row."""
