"""One machine's boot, from what somebody typed to its stages: for the command line, the page and the API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from netprov.boot.arch import ARCHS, Arch, usual_arch
from netprov.boot.identify import identify
from netprov.boot.request import BootRequest, Loader, Via
from netprov.boot.who import who
from netprov.explain.question import STAND_IN
from netprov.explain.server import arrival, our_address
from netprov.explain.stage import Stage
from netprov.explain.state import Kept
from netprov.explain.walk import ASKS_DHCP, Walk
from netprov.inventory.model import Target
from netprov.render.domu import SumOf, no_sum
from netprov.render.generation import Generation
from netprov.render.preview import Preview

STARTS: Mapping[str, Loader] = {
    "none": Loader.FIRMWARE,
    "ipxe": Loader.IPXE,
    "pxelinux": Loader.PXELINUX,
    "grub": Loader.GRUB,
    "xen": Loader.XEN,
}
"""What runs on the machine already, as it is asked for."""

VIAS = ("http", "tftp", "xen")
"""What its files come over, as it is asked for; xen: the bootloader of a domU."""


class Unimaginable(Exception):
    """Two things that are not available together. Its text says what to ask for instead."""


@dataclass(frozen=True, slots=True)
class Imagined:
    """How the machine is to be imagined. `arch`: None for the usual one of its kernel; `server`: the address of ours
    that it asks; `sum_of`: for what a domU is told of its files."""

    arch: Arch | None = None
    loader: str = "none"
    via: str = ""
    relay: IPv4Address | None = None
    server: IPv4Address | None = None
    sum_of: SumOf = no_sum


@dataclass(frozen=True, slots=True)
class Walked:
    """A boot walked through."""

    asking: BootRequest
    target: Target | None
    arch: Arch
    stages: tuple[Stage, ...]

    @property
    def stops(self) -> bool:
        """Whether it ends where nobody wants it to."""
        return any(stage.problem for stage in self.stages)


def walked(
    machine: str, generation: Generation, kept: Kept, imagined: Imagined, now: float | None = None, local: str = ""
) -> Walked:
    """Every stage of the boot of `machine` (a name, a MAC, a UUID or an address).

    `local` is an address of ours, for where nothing else tells one; `now` in seconds since the epoch. Raises
    UnknownName, Unimaginable, ConfigError, StateError.
    """
    inventory = generation.inventory
    asking = who(machine, inventory)
    match = identify(asking, inventory)
    target = match.target if match is not None else None
    start, over = _start(imagined)
    arch = _arch(imagined, start, target)
    server = imagined.server or our_address(inventory, target) or _address(local)
    mac = asking.mac or (STAND_IN if start in ASKS_DHCP else None)
    asking = replace(asking, mac=mac, relay=imagined.relay, server=server)
    came = arrival(inventory, server, target, imagined.relay, told=imagined.server is not None)
    walk = Walk(
        Preview(generation, kept.records, server, imagined.sum_of),
        came,
        kept.leases,
        time.time() if now is None else now,
    )
    return Walked(asking, target, arch, tuple(walk.stages(asking, arch, start, over)))


def _start(imagined: Imagined) -> tuple[Loader, Via | None]:
    """What runs on the machine, and what its script comes over where that is said."""
    loader = STARTS[imagined.loader]
    if imagined.via == "xen":
        if loader not in (Loader.FIRMWARE, Loader.XEN):
            raise Unimaginable(f"{loader} does not run in dom0: loader xen, or via tftp or http")
        return Loader.XEN, None
    if loader is Loader.FIRMWARE or not imagined.via:
        return loader, None
    return loader, Via(imagined.via)


def _arch(imagined: Imagined, start: Loader, target: Target | None) -> Arch:
    by_http = imagined.via == "http"
    if imagined.arch is None:
        if start is Loader.XEN:
            return ARCHS[0]  # as a PC's
        kernel = target.arch if target is not None else ARCHS[0].cpu
        return usual_arch(kernel, http=by_http and start is Loader.FIRMWARE)
    if start is Loader.FIRMWARE and imagined.via and imagined.arch.http != by_http:
        other = "TFTP" if by_http else "HTTP"
        text = f"{imagined.arch.name} firmware fetches by {other}: leave via {imagined.via} out, or the arch"
        raise Unimaginable(text)
    return imagined.arch


def _address(text: str) -> IPv4Address | None:
    try:
        return IPv4Address(text)
    except ValueError:
        return None
