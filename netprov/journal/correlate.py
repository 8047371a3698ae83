"""Which boot of which machine each event belongs to. Pure: events in, places out; no clock but the events'."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from netprov.boot.loaders import is_ipxe
from netprov.journal.event import Event, Kind
from netprov.journal.fact import LOADER as ASKING
from netprov.journal.fact import TYPE
from netprov.journal.identity import MACHINES, Identity, address
from netprov.recent import Recent

PAUSE = 600.0
"""Seconds of quiet after which a question for an address is a new boot's. Firmware repeats itself for a minute or two;
a machine that waits in a menu asks nothing."""

INSTALL = 6 * 3600.0
"""Seconds for which a kernel's own DHCP still belongs to the boot that fetched the kernel: an install's length."""

ADOPTION = 120.0
"""Seconds within which the events of a bare address become those of the machine that turns out to have it."""

LOADER, SCRIPT, KERNEL = "loader", "script", "kernel"


@dataclass(frozen=True, slots=True)
class Placed:
    """An event, its machine ("" where nobody knows) and the number of its boot, from 1 (0: it belongs to none).

    `adopts`: the events of this machine and boot, an address without a MAC until now, belong here too.
    """

    event: Event
    machine: str
    boot: int
    adopts: tuple[str, int] | None = None


@dataclass(slots=True)
class _Boot:
    """A machine's latest boot."""

    number: int
    started: float
    last: float
    began_as: str = ""  # the loader whose DHCP came first; "" where no DHCP did
    moved: bool = False  # more was seen than the first loader's DHCP
    got: set[str] = field(default_factory=set)
    loader_name: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A boot begins where `when` holds; `why` is the field fact."""

    why: str
    when: Callable[[_Boot, Event, str], bool]  # the running boot, the event, the loader that asks for an address ("")


_FIRMWARE = ("firmware", "xen")  # "xen": the domU bootloader, which is a domU's firmware

RULES: tuple[_Rule, ...] = (
    _Rule(
        "firmware asks for an address, and what ran before was already more than firmware: the machine was reset. "
        "While it only repeats its DISCOVER (after 4, 8, 16, 32 s) the boot is the same",
        lambda boot, event, asks: asks in _FIRMWARE and (boot.moved or boot.began_as not in _FIRMWARE),
    ),
    _Rule(
        "iPXE asks once, before its script: an iPXE that asks after that, or after an operating system, is a network "
        "card's ROM after a reset",
        lambda boot, event, asks: asks == "ipxe" and (bool(boot.got & {SCRIPT, KERNEL}) or boot.began_as == "os"),
    ),
    _Rule(
        "iPXE was the ROM and fetched another loader (QEMU's does for PXELINUX): iPXE again is a reset, unless what it "
        "fetched was an iPXE too",
        lambda boot, event, asks: (
            asks == "ipxe" and boot.began_as == "ipxe" and LOADER in boot.got and not is_ipxe(boot.loader_name)
        ),
    ),
    _Rule(
        "a loader or firmware that asks after a long quiet: the machine was off",
        lambda boot, event, asks: asks not in ("", "os") and event.at - boot.last > PAUSE,
    ),
    _Rule(
        "an operating system's DHCP after a long quiet, and no kernel of ours before: it booted its disk without "
        "asking us. After our kernel it is the installer's own (the third DHCP of a boot), as long as one takes",
        lambda boot, event, asks: asks == "os" and event.at - boot.last > (INSTALL if KERNEL in boot.got else PAUSE),
    ),
    _Rule(
        "a loader is fetched after a kernel, and no DHCP was heard between: another server's DHCP, out of our hearing",
        lambda boot, event, asks: _fetches(event) == LOADER and KERNEL in boot.got,
    ),
)
"""When a new boot of a machine begins. Everything else belongs to the running boot."""


class Correlator:
    """Places events. `recall(machine)` gives the placed events of a machine's latest boot in the journal, for machines
    that are not in memory (any more): at most `limit` are.
    """

    def __init__(self, recall: Callable[[str], Sequence[Placed]] = lambda machine: (), limit: int = MACHINES) -> None:
        self._recall = recall
        self._identity = Identity(limit)
        self._boots: Recent[str, _Boot] = Recent(limit)

    def place(self, event: Event) -> Placed:
        """Where `event` belongs. Events are to come in the order in which they happened."""
        machine = self._identity.machine(event)
        bare = self._bare(event)
        self._identity.learn(event, machine)
        if not machine or (event.kind is Kind.INSTALL and not event.stage):  # an operator's doing is part of no boot
            return Placed(event, machine, 0)
        boot = self._running(machine)
        if boot is not None and event.at - event.seconds < boot.started and boot.number > 1 and event.seconds:
            # a transfer that broke off when the machine was reset ends, here, only when its time is over
            return Placed(event, machine, boot.number - 1)
        adopted = self._adopt(bare, event.at) if bare else None
        if boot is None or (adopted and _separate(boot, adopted)) or _begins(boot, event):
            if adopted is None and _is_no_boot(event, machine):
                return Placed(event, machine, 0)
            boot = _new(boot.number + 1 if boot else 1, event)
            self._boots.put(machine, boot)
        if adopted:
            _merge(boot, adopted)
        _note(boot, event)
        return Placed(event, machine, boot.number, (bare, adopted.number) if adopted else None)

    def restore(self, placed: Placed) -> None:
        """Take in who is who from an event that was placed before, by a writer that is no more.

        Its boot is recalled when it is needed: then as a whole.
        """
        self._identity.learn(placed.event, placed.machine)

    def where(self, event: Event) -> tuple[str, int]:
        """The machine that `event` is about and its running boot; nothing is learnt from it."""
        machine = self._identity.machine(event)
        boot = self._running(machine) if machine else None
        return machine, boot.number if boot is not None else 0

    def _running(self, machine: str) -> _Boot | None:
        boot = self._boots.get(machine)
        if boot is not None:
            return boot
        for placed in self._recall(machine):
            if boot is None:
                boot = _new(placed.boot, placed.event)
                self._boots.put(machine, boot)
            _note(boot, placed.event)
        return boot

    def _bare(self, event: Event) -> str:
        """The bare address that `event` is the first to show to be a machine's; "" where it is not so.

        What an address did before DHCP gave it away was somebody else's doing: only what comes from it with a MAC shows
        whose it was.
        """
        if not event.mac or (event.kind is not Kind.DHCP_INFORM and event.kind.room == "dhcp"):
            return ""
        ip = address(event)
        return f"ip {ip}" if ip and not self._identity.claimed(ip, event.at) else ""

    def _adopt(self, bare: str, now: float) -> _Boot | None:
        """The latest boot of a bare address, which is that no more."""
        boot = self._running(bare)
        self._boots.drop(bare)
        return boot if boot is not None and now - boot.last <= ADOPTION else None


def _begins(boot: _Boot, event: Event) -> bool:
    asks = _asks(event)
    if not asks and event.stage != LOADER:
        return False  # no rule is about anything else
    return any(rule.when(boot, event, asks) for rule in RULES)


def _asks(event: Event) -> str:
    """The loader that asks for an address with this event; "" where it asks for something else."""
    asks = event.kind.asks or (event.kind is Kind.DHCP_DROP and event.fact(TYPE) == "discover")
    return _loader(event) if asks else ""


def _loader(event: Event) -> str:
    """The loader whose DHCP packet this is; "" where it is none."""
    return (event.fact(ASKING) or "os") if event.kind.room == "dhcp" else ""


def _fetches(event: Event) -> str:
    """The stage of the file that `event` begins or ends to transfer; "" where it does neither."""
    return event.stage if event.kind.fetched or event.kind is Kind.TFTP_REQUEST else ""


def _is_no_boot(event: Event, machine: str) -> bool:
    """Whether `event`, with no boot running, begins none: an operator's doing, any visitor's request from a bare
    address, the DHCP of an operating system that nobody declared (every telephone in the network asks)."""
    if event.kind.still or (machine.startswith("ip ") and not event.stage):
        return True
    return _loader(event) == "os" and not event.system


def _new(number: int, event: Event) -> _Boot:
    return _Boot(number, event.at - event.seconds, event.at, _loader(event))


def _note(boot: _Boot, event: Event) -> None:
    """Take in what `event` says about how far the boot is. A system that logs for months is no machine that boots."""
    if event.kind.room == "syslog":
        return
    if event.at > boot.last:
        boot.last = event.at
    if event.kind.fetched and event.stage in (LOADER, SCRIPT, KERNEL):
        boot.got.add(event.stage)
        if event.stage == LOADER:
            boot.loader_name = event.name
    if not boot.moved and not event.kind.still and (_loader(event) or None) != boot.began_as:
        boot.moved = True


def _separate(boot: _Boot, bare: _Boot) -> bool:
    """Whether what a bare address fetched cannot continue `boot`: it begins with a loader again, or much later."""
    return bare.started - boot.last > PAUSE or (LOADER in bare.got and bool(boot.got))


def _merge(boot: _Boot, bare: _Boot) -> None:
    boot.started = min(boot.started, bare.started)
    boot.moved = boot.moved or bare.moved
    boot.got |= bare.got
    boot.loader_name = boot.loader_name or bare.loader_name
