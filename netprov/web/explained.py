"""What a machine would get now, for the page and the API. No token of an install is in it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv4Address

from netprov.boot.arch import ARCHS, Arch, arch_by_name
from netprov.boot.identify import identify
from netprov.boot.install import InstallEvent, InstallRecord
from netprov.boot.request import BootRequest, Loader
from netprov.errors import Origin, PeerError
from netprov.explain.server import our_address
from netprov.explain.walk import Stage, Walk
from netprov.explain.who import UnknownName, who
from netprov.http.services import Installs
from netprov.inventory.model import InstallMode, Inventory, Target
from netprov.journal.boots import Boot
from netprov.render.preview import Preview, ReadOnly, Records
from netprov.render.scripts import PREVIEW_TOKEN

STARTS: Mapping[str, Loader] = {
    "none": Loader.FIRMWARE,
    "ipxe": Loader.IPXE,
    "pxelinux": Loader.PXELINUX,
    "grub": Loader.GRUB,
}
"""What runs on the machine already, as it is asked for."""


@dataclass(frozen=True, slots=True)
class Tokenless:
    """The install records, their tokens left out: whoever has one can end an install."""

    real: Installs

    def get(self, system: str) -> InstallRecord | None:
        record = self.real.get(system)
        return replace(record, token=PREVIEW_TOKEN) if record is not None and record.token else record

    def by_token(self, token: str) -> str | None:
        return None

    def apply(
        self, system: str, event: InstallEvent, *, mode: InstallMode, attempts: int, now: float
    ) -> tuple[InstallRecord | None, InstallRecord]:
        raise ReadOnly(system)


@dataclass(frozen=True, slots=True)
class Explained:
    """A boot walked through."""

    asking: BootRequest
    target: Target | None
    arch: Arch
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Which machine, and how it is to be imagined. `local`: our address that the asker reached us at."""

    machine: str
    arch: str = ""
    loader: str = "none"
    armed: bool = False
    local: str = ""


def explain(question: Question, inventory: Inventory, installs: Installs, latest: Boot | None = None) -> Explained:
    """Every stage that the machine would go through. Without an `arch` that of its `latest` boot, else the usual one.

    Raises PeerError (404: no machine can be called that; 400), ConfigError, StateError.
    """
    try:
        asking = who(question.machine, inventory)
    except UnknownName as error:
        raise PeerError(str(error), 404) from None
    match = identify(asking, inventory)
    target = match.target if match is not None else None
    arch = _arch(question.arch) or arch_seen(latest) or _usual_arch(target)
    start = STARTS.get(question.loader)
    if start is None:
        raise PeerError(f"loader: {question.loader!r} is none of {', '.join(STARTS)}", 400)
    asking = replace(asking, server=server_address(inventory, target, question.local))
    preview = Preview(inventory, Records(Tokenless(installs), question.armed), asking.server)
    return Explained(asking, target, arch, tuple(Walk(preview).stages(asking, arch, start)))


def server_address(inventory: Inventory, target: Target | None, local: str) -> IPv4Address | None:
    """Our address that the machine would ask, else the one that whoever looks has reached."""
    ours = our_address(inventory, target)
    if ours is None:
        with suppress(AddressValueError):
            return IPv4Address(local)
    return ours


def arch_seen(boot: Boot | None) -> Arch | None:
    """The firmware that the machine said it has."""
    for event in reversed(boot.events if boot is not None else ()):
        name = dict(event.detail).get("arch", "") if event.kind.startswith("dhcp.") else ""
        with suppress(KeyError):
            return arch_by_name(name)
    return None


def _arch(name: str) -> Arch | None:
    if not name:
        return None
    try:
        return arch_by_name(name)
    except KeyError:
        raise PeerError(f"arch: {name!r} is none of {', '.join(row.name for row in ARCHS.values())}", 400) from None


def _usual_arch(target: Target | None) -> Arch:
    """The firmware that a machine with this kernel most often has."""
    return arch_by_name("uefi-arm64" if target is not None and target.arch in ("arm64", "aarch64") else "bios")


def origin_text(origin: Origin | None, files: Sequence[str]) -> str:
    """Where the operator wrote it, relative to the folder of netprov.yaml, the first of an inventory's files."""
    if origin is None:
        return ""
    base = os.path.dirname(files[0]) if files else ""
    inside = base and origin.file.startswith(base + os.sep)
    return str(Origin(os.path.relpath(origin.file, base), origin.line) if inside else origin)
