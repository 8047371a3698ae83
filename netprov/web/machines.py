"""Machines as the page and the API show them: found, searched, and where each stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from netprov.boot.install import UNDECLARED, InstallRecord, next_boot
from netprov.inventory.model import Inventory, Target
from netprov.journal.boots import Boot
from netprov.journal.event import Event, Kind
from netprov.journal.running import Transfer
from netprov.journal.timeline import keys
from netprov.journal.verdicts import Verdict
from netprov.mac import Mac, parse_mac


@dataclass(frozen=True, slots=True)
class Machine:
    """A declared system, or (`target` None) a machine that boots and that nothing declares.

    `names` are what the journal may know it by; the first is the one that its page has.
    """

    names: tuple[str, ...]
    target: Target | None = None

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def mac(self) -> str:
        """Its first MAC; "" where nobody knows one."""
        return next((mac for name in self.names for mac in _macs(name)), "")


def declared(target: Target) -> Machine:
    macs = (interface.mac for interface in target.interfaces if interface.mac)
    return Machine((target.name, *macs), target)


def find(inventory: Inventory, text: str) -> Machine:
    """The machine that `text` names: a system, or a MAC of one; anything else is one that nothing declares."""
    target = inventory.system(text) or inventory.system_by_hostname(text)
    if target is None:
        target = next(filter(None, map(inventory.system_by_mac, _macs(text))), None)
    return declared(target) if target is not None else Machine(tuple(reversed(keys(text))))


def _macs(text: str) -> list[Mac]:
    try:
        return [parse_mac(text)]
    except ValueError:
        return []


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the machines that were asked for. `number` counts from 1."""

    machines: tuple[Machine, ...]
    number: int
    pages: int
    total: int


def search(inventory: Inventory, text: str, number: int, per_page: int) -> Page:
    """The declared systems in whose name, host name, MACs, addresses or profile every word of `text` stands.

    A page too far is the last one.
    """
    words = text.lower().split()
    found = [target for target in inventory.systems() if not words or _matches(target, words)]
    pages = max(1, -(-len(found) // per_page))
    number = min(max(1, number), pages)
    part = found[(number - 1) * per_page : number * per_page]
    return Page(tuple(map(declared, part)), number, pages, len(found))


def _matches(target: Target, words: Iterable[str]) -> bool:
    parts = [target.name, target.hostname, target.profile, target.image]
    for interface in target.interfaces:
        parts += [interface.mac or "", str(interface.ip or "")]
    text = "\n".join(parts).lower()
    return all(word in text for word in words)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a machine stands: its install, how far its latest boot came, the file that is on its way to it now, and
    what is wrong with it."""

    machine: Machine
    record: InstallRecord | None
    boot: Boot | None
    transfer: Transfer | None = None
    verdicts: tuple[Verdict, ...] = ()

    @property
    def install(self) -> str:
        """What it does at its next network boot, in words."""
        if self.machine.target is None and self.record is None:
            return "not declared"
        return next_boot(self.record, self.machine.target or UNDECLARED)

    @property
    def last(self) -> Event | None:
        """What was heard of it last that says something: a callback says what came of it, not that it was answered."""
        if self.boot is None:
            return None
        events = self.boot.events
        return next((event for event in reversed(events) if not _says_nothing(event)), events[-1])

    @property
    def stage(self) -> str:
        """The stage that its latest boot is at; "" where it got nothing."""
        if self.transfer is not None and self.transfer.stage:
            return self.transfer.stage
        fetching = self.fetching
        if fetching is not None and fetching.stage:
            return fetching.stage
        return self.boot.stages[-1].name if self.boot is not None and self.boot.stages else ""

    @property
    def state(self) -> str:
        """How that stage is: "done", "started", "failed"; "" where there is none."""
        if self.transfer is not None or self.fetching is not None:
            return "started"
        return self.boot.stages[-1].state if self.boot is not None and self.boot.stages else ""

    @property
    def fetching(self) -> Event | None:
        """The request whose transfer is under way, as far as was heard."""
        last = self.last
        return last if last is not None and last.kind is Kind.TFTP_REQUEST else None


def _says_nothing(event: Event) -> bool:
    return event.kind is Kind.TFTP_DROP or (event.kind is Kind.HTTP_DONE and event.stage == "callback")
