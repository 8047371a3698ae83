"""A boot's events as the rules ask for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

from netprov.boot.arch import ARCHS, Arch
from netprov.journal.boots import Boot
from netprov.journal.event import Event, Kind
from netprov.journal.fact import ARCH, LOADER, METHOD, NEXT_SERVER, PORT, SERVER
from netprov.journal.verdicts.verdict import UNNAMED, Context

LATER = ("script", "kernel", "initrd", "autoinstall", "callback")
"""The stages that a loader's start leads to."""

_ARCHS = {arch.name: arch for arch in ARCHS.values()}


class Facts:
    """One boot. `events` are the machine's own doing and what it was answered, in order."""

    def __init__(self, boot: Boot, context: Context) -> None:
        self.boot = boot
        self.context = context
        self.events: Sequence[Event] = boot.events

    def of(self, *kinds: Kind, stage: str = "") -> list[Event]:
        return [event for event in self.events if event.kind in kinds and stage in ("", event.stage)]

    def after(self, at: float) -> Iterator[Event]:
        """What the machine did later than `at`. An installer that cannot go on may well log so for hours."""
        return (event for event in self.events if event.at > at and not event.kind.still)

    def quiet(self, since: float) -> float:
        """Seconds from `since` until now in which the machine has done nothing; 0 where it did something; without end
        where it has begun another boot."""
        if any(self.after(since)):
            return 0.0
        return inf if self.context.ended else self.context.now - since

    def fetched(self, stage: str = "") -> list[Event]:
        """The files it got. UEFI's HTTP Boot asks for the size first, by HEAD."""
        got = (event for event in self.events if event.kind.fetched and stage in ("", event.stage))
        return [event for event in got if event.fact(METHOD) != "HEAD"]

    def fetches(self, since: float = -inf) -> bool:
        """Whether it asked for anything by TFTP or HTTP, later than `since`."""
        return any(event.kind.room in ("tftp", "http") for event in self.after(since))

    def reached(self, *stages: str) -> bool:
        """Whether anything of these stages was asked for."""
        return any(event.stage in stages and event.kind.room != "dhcp" for event in self.events)

    # what is known of the machine and the server

    @property
    def arch(self) -> Arch | None:
        """What its firmware said it is."""
        named = (event.fact(ARCH) for event in self.events if event.fact(LOADER) != "os")
        return next((_ARCHS[name] for name in named if name in _ARCHS), None)

    @property
    def system(self) -> str:
        return self.boot.system or "this machine"

    @property
    def server(self) -> str:
        """Our address, as the machine was told it or asked it."""
        told = (event.fact(NEXT_SERVER) for event in self.events)
        asked = (event.fact(SERVER) for event in self.events if event.kind.room == "tftp")
        return next(filter(None, told), "") or self.context.address or next(filter(None, asked), "") or UNNAMED

    def asks(self, event: Event) -> str:
        """The loader whose DHCP packet the event is about: "firmware", "ipxe", "os" …; "" for no DHCP."""
        return (event.fact(LOADER) or "os") if event.kind.room == "dhcp" else ""

    def at_boot_server(self, event: Event) -> bool:
        """Whether the question came to ProxyDHCP's port."""
        return event.kind.room == "dhcp" and event.number(PORT) == self.context.proxy_port
