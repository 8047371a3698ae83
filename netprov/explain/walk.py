"""A boot walked through on paper: each question a machine would ask, put to the code that would answer it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

from netprov.boot.arch import NEXT_LINKS, Arch
from netprov.boot.decide import decide
from netprov.boot.decision import Action, BootDecision, Step
from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest, Loader, Via
from netprov.errors import ConfigError, PeerError
from netprov.explain.state import Previewed
from netprov.inventory.model import DhcpMode
from netprov.journal.amount import size
from netprov.render.preview import Preview
from netprov.tftp.paths import PathError
from netprov.tftp.root import Root


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the boot. `stops`: the boot ends here, well ("local disk") or not (`problem` says why)."""

    name: str  # "firmware", "ipxe", "script", "kernel", "initrd", "autoinstall", "afterwards"
    asks: str
    gets: str
    trace: tuple[Step, ...] = ()
    text: str = ""  # the file that is sent, where it is rendered
    problem: str = ""
    advice: str = ""  # what to do where the operator wants it to go on from here


class Walk:
    """The stages of one machine's boot. `who` carries what is known of it (MAC, UUID, addresses, relay)."""

    def __init__(self, preview: Preview) -> None:
        self._preview = preview
        self._inventory = inventory = preview.inventory
        self._state = Previewed(preview.records)
        self._root = Root(inventory.settings.tftp.root)

    def stages(self, who: BootRequest, arch: Arch, start: Loader = Loader.FIRMWARE) -> Iterator[Stage]:
        """Every stage in order, from what runs on the machine at `start`; ends where the machine would stop."""
        mode = self._inventory.settings.dhcp.mode
        via = Via.PROXY if mode is DhcpMode.PROXY else Via.DHCP
        asked = replace(who, via=via, loader=start, arch=arch.code)
        loader = start
        if start in (Loader.FIRMWARE, Loader.IPXE):
            if start is Loader.FIRMWARE:
                decision = decide(asked, self._inventory, self._state)
                yield self._answer("firmware", f"{arch.name} firmware, by {_BY[via]}", decision)
                if decision.action is not Action.LOADER:
                    return
                for link in (decision.loader_file, *NEXT_LINKS.get(decision.loader_file, ())):
                    yield from self._file("loader", link)
                found = _loader_of(decision.loader_file, arch)
                if found is None:
                    return  # the operator's own boot file: what it asks for is not ours to know
                loader = found
            if loader is Loader.IPXE:
                decision = decide(replace(asked, loader=Loader.IPXE), self._inventory, self._state)
                yield self._answer("ipxe", f"iPXE, by {_BY[via]}", decision)
                if decision.action is not Action.LOADER:
                    return
                loader = _loader_of(decision.loader_file, arch) or Loader.IPXE
        over = Via.HTTP if loader is Loader.IPXE else Via.TFTP
        yield from self._script(replace(asked, via=over, loader=loader))

    def _script(self, asked: BootRequest) -> Iterator[Stage]:
        try:
            made = self._preview.script(asked.loader, asked)
        except ConfigError as error:
            yield Stage("script", f"{asked.loader}", "an error", problem=str(error))
            return
        if made is None:
            decision = decide(asked, self._inventory, self._state)
            yield Stage("script", f"{asked.loader}, by {_BY[asked.via]}", "no script: not found", decision.trace)
            return
        decision = made.decision
        stage = self._answer("script", f"{asked.loader}, by {_BY[asked.via]}", decision)
        yield replace(stage, text=made.body.decode(errors="replace"))
        if decision.kernel is None:
            return
        yield from self._file("kernel", decision.kernel.kernel)
        for initrd in decision.kernel.initrd:
            yield from self._file("initrd", initrd)
        if decision.kernel.autoinstall:
            yield self._autoinstall(asked, decision)
        if decision.installing:
            yield Stage("afterwards", "the callback of the installer", "boots its own disk until it is armed again")

    def _autoinstall(self, asked: BootRequest, decision: BootDecision) -> Stage:
        target = decision.target
        assert target is not None
        asks = "the installer, by HTTP"
        origin = target.origins.get("autoinstall")
        try:
            made = self._preview.answers(target, asked.mac)
        except (ConfigError, PeerError) as error:
            return Stage("autoinstall", asks, "an error", problem=str(error))
        trace = (Step(Reason.RENDERED, f"{target.kind} {target.name} has autoinstall {target.autoinstall}", origin),)
        gets = f"{size(len(made.body))}, made from {made.template}"
        return Stage("autoinstall", asks, gets, trace, text=made.body.decode(errors="replace"))

    def _file(self, stage: str, name: str) -> Iterator[Stage]:
        if "://" in name:
            yield Stage(stage, name, "from another server")
            return
        try:
            opened = self._root.open(name)
        except PathError as error:
            problem = f"{error.text}: {name} under {self._inventory.settings.tftp.root}"
            if stage == "loader":
                problem += "; `netprov loaders` puts the boot loaders in place"
            yield Stage(stage, name, "nothing", problem=problem)
            return
        os.close(opened.fd)
        yield Stage(stage, name, size(opened.size))

    def _answer(self, name: str, asks: str, decision: BootDecision) -> Stage:
        gets = _GETS[decision.action].format(decision=decision)
        ends = decision.action in (Action.IGNORE, Action.ADDRESS, Action.LOCAL)
        advice = decision.reason.advice if ends else ""
        if decision.reason in _WRONG:
            return Stage(name, asks, gets, decision.trace, problem=advice)
        return Stage(name, asks, gets, decision.trace, advice=advice)


_BY = {Via.DHCP: "DHCP", Via.PROXY: "proxyDHCP", Via.TFTP: "TFTP", Via.HTTP: "HTTP", Via.XEN: "the Xen bootloader"}

_GETS = {
    Action.IGNORE: "no answer",
    Action.ADDRESS: "an address, nothing to boot",
    Action.LOADER: "{decision.loader_file}",
    Action.KERNEL: "boots {decision.kernel.kernel}",
    Action.MENU: "a menu",
    Action.LOCAL: "nothing to boot: it goes on to its own disk",
    Action.IDENTIFY: "asks again with its MAC",
}


_WRONG = (Reason.ARCH_MISMATCH, Reason.ARCH_UNKNOWN, Reason.NO_KERNEL, Reason.NO_MENU_ENTRIES)
"""Why a machine boots its own disk though nobody wants that."""


def _loader_of(file: str, arch: Arch) -> Loader | None:
    return next((loader for loader, known in arch.loaders.items() if known == file), None)
