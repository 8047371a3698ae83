"""What a machine would get now, for the page and the API. No token of an install is in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv4Address

from netprov.boot.arch import ARCHS, Arch, arch_by_name
from netprov.boot.install import InstallRecord
from netprov.boot.owner import PREVIEW_TOKEN
from netprov.boot.who import UnknownName
from netprov.errors import Origin, PeerError
from netprov.explain.paper import LeaseBook, NoLeases
from netprov.explain.server import our_address
from netprov.explain.state import Kept
from netprov.explain.walked import STARTS, Imagined, Unimaginable, Walked, walked
from netprov.inventory.model import Inventory, Target
from netprov.journal.boots import Boot
from netprov.journal.changes import Installs
from netprov.journal.fact import ARCH
from netprov.render.generation import Generation
from netprov.render.preview import Records, Unchanging


@dataclass(frozen=True, slots=True)
class Tokenless(Unchanging):
    """The install records, their tokens left out: whoever has one can end an install."""

    real: Installs

    def get(self, system: str) -> InstallRecord | None:
        record = self.real.get(system)
        return replace(record, token=PREVIEW_TOKEN) if record is not None and record.token else record


Explained = Walked
"""A boot walked through."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which machine, and how it is to be imagined. `local`: our address that the asker reached us at."""

    machine: str
    arch: str = ""
    loader: str = "none"
    armed: bool = False
    local: str = ""
    via: str = ""
    relay: str = ""


def explain(
    question: Question, generation: Generation, installs: Installs, latest: Boot | None = None,
    leases: LeaseBook | None = None,
) -> Explained:  # fmt: skip
    """Every stage that the machine would go through. Without an `arch` that of its `latest` boot, else the usual one;
    without `leases` as if no address were given yet. A domU's files are not summed up: that takes seconds.

    Raises PeerError (404: no machine can be called that; 400), ConfigError, StateError.
    """
    if question.loader not in STARTS:
        raise PeerError(f"loader: {question.loader!r} is not one of {', '.join(STARTS)}", 400)
    arch = _arch(question.arch)
    if arch is None and not question.via:
        arch = arch_seen(latest)
    imagined = Imagined(arch, question.loader, question.via, _relay(question.relay))
    kept = Kept(Records(Tokenless(installs), question.armed), leases or NoLeases())
    try:
        return walked(question.machine, generation, kept, imagined, local=question.local)
    except UnknownName as error:
        raise PeerError(str(error), 404) from None
    except Unimaginable as error:
        raise PeerError(str(error), 400) from None


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
        name = event.fact(ARCH)
        with suppress(KeyError):
            return arch_by_name(name)
    return None


def _arch(name: str) -> Arch | None:
    if not name:
        return None
    try:
        return arch_by_name(name)
    except KeyError:
        raise PeerError(f"arch: {name!r} is not one of {', '.join(row.name for row in ARCHS.values())}", 400) from None


def _relay(text: str) -> IPv4Address | None:
    try:
        return IPv4Address(text) if text else None
    except AddressValueError:
        raise PeerError(f"relay: {text!r} is not an IPv4 address", 400) from None


def origin_text(origin: Origin | None, files: Sequence[str]) -> str:
    """Where the operator wrote it, relative to the folder of netprov.yaml, the first of an inventory's files."""
    if origin is None:
        return ""
    base = os.path.dirname(files[0]) if files else ""
    inside = base and origin.file.startswith(base + os.sep)
    return str(Origin(os.path.relpath(origin.file, base), origin.line) if inside else origin)
