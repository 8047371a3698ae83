"""A boot walked through on paper: each question a machine would ask, put to the code that would answer it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address

from netprov.boot.arch import Arch, Names
from netprov.boot.decide import decide
from netprov.boot.decision import Action, BootDecision
from netprov.boot.loaders import chain_of
from netprov.boot.request import BootRequest, Loader, Via
from netprov.boot.state import BootState
from netprov.dhcp.classify import Arrival
from netprov.errors import ConfigError
from netprov.explain.files import Files
from netprov.explain.install import Install
from netprov.explain.paper import LeaseBook, NoLeases
from netprov.explain.question import STAND_IN
from netprov.explain.stage import Stage
from netprov.explain.talk import Talk, Told, answer
from netprov.render.preview import Preview

__all__ = ["ASKS_DHCP", "Stage", "Walk"]

ASKS_DHCP = (Loader.FIRMWARE, Loader.IPXE, Loader.XEN)
"""What begins with DHCP; the others have an address."""

_BY = {Via.TFTP: "TFTP", Via.HTTP: "HTTP"}


class Walk:
    """The stages of one machine's boot.

    `arrival` is how its DHCP packets would reach us; None: nothing tells our address. `book` has the leases, `now` is
    in seconds since the epoch.
    """

    def __init__(
        self,
        preview: Preview,
        arrival: Arrival | None = None,
        book: LeaseBook | None = None,
        now: float | None = None,
    ) -> None:
        self._preview = preview
        self._inventory = preview.inventory
        self._state = BootState(preview.records)
        self._arrival = arrival
        self._talk = Talk(preview, book or NoLeases(), arrival, time.time() if now is None else now)
        self._files = Files(preview.inventory, preview.server)

    def stages(
        self, who: BootRequest, arch: Arch, start: Loader = Loader.FIRMWARE, via: Via | None = None
    ) -> Iterator[Stage]:
        """Every stage in order, from what runs on the machine at `start`; ends where the machine would stop.

        `who` carries what is known of it (MAC, UUID, addresses, relay); `via` is what its loader asks for its script
        over, where that is not what loaders usually do. Raises ConfigError, StateError.
        """
        loader = start
        asked = replace(who, arch=arch.code)
        if start in ASKS_DHCP:
            asked = replace(asked, mac=asked.mac or STAND_IN)
            told = self._talk.told(str(start), asked, arch, start)
            yield told.stage
            if told.decision.action is not Action.LOADER or told.stage.problem:
                return
            asked = self._learned(asked, told)
            if start is Loader.FIRMWARE:
                found = _loader_of(told.decision.loader_file, arch)
                if told.decision.loader_file:
                    yield from self._loaders(told.decision, arch)
                elif arch.names is Names.SCRIPT:
                    found = Loader.PXELINUX
                if found is None:
                    return  # the operator's own boot file, or firmware's: what it asks for is not ours to know
                loader = found
                if loader is Loader.IPXE:
                    told = self._talk.told("ipxe", asked, arch, Loader.IPXE)
                    yield told.stage
                    if told.decision.action is not Action.LOADER or told.stage.problem:
                        return
                    asked = self._learned(asked, told)
            if loader is Loader.IPXE:
                file = told.decision.loader_file
                if found := _loader_of(file, arch):  # boot_loaders prefers another one
                    yield from self._loaders(told.decision, arch)
                loader = found or Loader.IPXE
                # a serial number is told by a script's URL alone, and only where that has a place for it
                asked = replace(asked, serial=asked.serial if "serial=" in file else "")
        yield from self._script(replace(asked, via=via or self._usual(loader), loader=loader))

    def _learned(self, asked: BootRequest, told: Told) -> BootRequest:
        """Who asks from then on: it has an address."""
        return replace(asked, ip=told.ip or asked.ip)

    def _usual(self, loader: Loader) -> Via:
        http = self._inventory.settings.http.enabled
        return Via.HTTP if http and loader in (Loader.IPXE, Loader.XEN) else Via.TFTP

    def _loaders(self, decision: BootDecision, arch: Arch) -> Iterator[Stage]:
        """The loader and what it loads of itself."""
        over = Via.HTTP if decision.over_http else Via.TFTP
        for link in (link.name for link in chain_of(decision.loader_file) if not link.optional):
            if not decision.over_http and "://" not in link and self._other(decision):
                assert decision.next_server is not None
                yield self._files.elsewhere("loader", link, decision.next_server)
            else:
                yield self._files.stage("loader", link, over)

    def _other(self, decision: BootDecision) -> bool:
        ours: tuple[IPv4Address, ...] = ()
        if self._arrival is not None:
            ours = (self._arrival.server, *(address.ip for address in self._arrival.addresses))
        return self._files.other(decision.next_server, ours)

    def _script(self, asked: BootRequest) -> Iterator[Stage]:
        asks = f"{asked.loader}, by {_BY[asked.via]}"
        decision = decide(replace(asked, server=self._preview.server), self._inventory, self._state)
        if asked.via is Via.TFTP and self._other(decision):
            assert decision.next_server is not None
            yield self._files.elsewhere("script", asks, decision.next_server)
            return
        if off := self._files.off(asked.via):
            yield Stage("script", asks, "nothing", problem=off)
            return
        try:
            made = self._preview.script(asked.loader, asked)
        except ConfigError as error:
            yield Stage("script", asks, "an error", problem=str(error))
            return
        if made is None:
            yield Stage("script", asks, "no script: not found", decision.trace)
            return
        yield replace(answer("script", asks, made.decision), text=made.body.decode(errors="replace"))
        if made.decision.kernel is None:
            return
        yield self._files.stage("kernel", made.decision.kernel.kernel, asked.via)
        for initrd in made.decision.kernel.initrd:
            yield self._files.stage("initrd", initrd, asked.via)
        yield from Install(self._preview.generation, replace(asked, server=self._preview.server), made).stages()


def _loader_of(file: str, arch: Arch) -> Loader | None:
    return next((loader for loader, known in arch.loaders.items() if known == file), None)
