"""Files that loaders ask for on the chance: they go on without them, so that it is no fault when one is not there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from netprov.boot.reason import Reason

ABSENT = frozenset({Reason.TFTP_NOT_FOUND, Reason.HTTP_NOT_FOUND, Reason.NAME_NOT_OURS})
"""How a request for a file that is not there ends."""


class Asker(StrEnum):
    SHIM = "shim"
    GRUB = "grub"
    PXELINUX = "pxelinux"


@dataclass(frozen=True, slots=True)
class Chance:
    """`pattern`: the last parts of the name. `always`: those it asks for at each start, in its order."""

    asker: Asker
    pattern: str
    always: tuple[str, ...]
    source: str
    goes_on: bool = True


_SHIM = "shim 15.8, load_unbundled_trust"
CHANCES: tuple[Chance, ...] = (
    Chance(Asker.SHIM, r"revocations\w*\.efi", ("revocations_sku.efi", "revocations_sbat.efi"), _SHIM),
    Chance(Asker.SHIM, r"shim_certificate\w*\.efi", ("shim_certificate_0.efi",), _SHIM),
    Chance(Asker.SHIM, r"mm\w+\.efi", (), "MokManager: shim refused what it should start", goes_on=False),
    Chance(Asker.GRUB, r"\w+\.lst", ("command.lst", "fs.lst", "crypto.lst", "terminal.lst"), "GRUB 2.06, normal/"),
    Chance(Asker.GRUB, r"[\w@]+\.mo", (), "GRUB 2.06, gettext/: translations"),
    Chance(Asker.GRUB, r"grub\.cfg-[^/]+", (), "GRUB 2.06, net/net.c: by MAC and address, before grub.cfg"),
    Chance(Asker.PXELINUX, r"pxelinux\.cfg/[^/]+", (), "syslinux, doc/pxelinux.txt: all but the first that is there"),
)


def _any(patterns: list[str]) -> re.Pattern[str]:
    return re.compile(rf"(?:^|/)(?:{'|'.join(patterns)})$", re.IGNORECASE | re.ASCII)


_BY = {asker: _any([row.pattern for row in CHANCES if row.asker is asker]) for asker in Asker}
_GOES_ON = _any([row.pattern for row in CHANCES if row.goes_on])


def goes_on_without(name: str) -> bool:
    """Whether the loader that asks for `name` goes on where it is not there."""
    return _GOES_ON.search(name) is not None


def asked_by(asker: Asker, name: str) -> bool:
    """Whether `name` is one that `asker` asks for on the chance."""
    return _BY[asker].search(name) is not None


def always_asked(asker: Asker) -> tuple[str, ...]:
    """What `asker` asks for on the chance at each start, in its order."""
    return tuple(name for row in CHANCES if row.asker is asker for name in row.always)
