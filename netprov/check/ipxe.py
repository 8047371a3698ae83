"""What is known of the iPXE that UEFI machines are sent: each age of it starts in its own way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from shlex import quote

from netprov.boot.arch import ARCHS
from netprov.boot.request import Loader
from netprov.bootimages.loaders import FOLDER
from netprov.check.subject import Finding, Severity

OLDEST, NEWEST = date(2019, 1, 25), date(2025, 5, 1)
"""The iPXE of Debian 12 and of Debian 13: the tests boot with either, on the release that has it."""


@dataclass(frozen=True, slots=True)
class Known:
    """How iPXE behaves since a day; `source` is the change in its repository."""

    since: date
    text: str
    source: str


KNOWN = (
    Known(date(2013, 11, 5), "it has every command of netprov's scripts", "506152d46"),  # ifconf is the youngest
    Known(date(2022, 1, 18), "it runs autoexec.ipxe, by TFTP, before it asks for an address", "6ba671acd"),
    Known(date(2024, 4, 3), "after HTTP Boot it fetches autoexec.ipxe by HTTP", "165995b7e"),
    Known(date(2026, 2, 26), "it opens the interface that it came by before it runs autoexec.ipxe", "efe812637"),
)
FILES = tuple(sorted({row.loaders[Loader.IPXE] for row in ARCHS.values() if Loader.IPXE in row.loaders}))

_VERSION = re.compile(rb"\0iPXE\0+(\d+\.\d+\.\d+[ -~]*)\0")  # src/core/version.c: the product's short name comes before
_DAY = re.compile(r"git-?(\d{8})\b")  # as Debian and Ubuntu number what they package
_RELEASES = {"1.20.1": date(2020, 1, 2), "1.21.1": date(2020, 12, 31), "2.0.0": date(2026, 3, 6)}


def untried(root: Path) -> Iterator[Finding]:
    """A note for each iPXE under `root` that is older or newer than those that were tried, or does not tell its age.

    BIOS loaders are packed, and start in the same way at any age: nothing is said of them.
    """
    for name in FILES:
        file = next((path for path in (root / FOLDER / name, root / name) if path.is_file()), None)
        version = version_of(file) if file is not None else ""
        day = day_of(version)
        if version and (day is None or not OLDEST <= day <= NEWEST):
            command = f"netprov loaders --root {quote(str(root))}"
            text = f"{name} is iPXE {version}, {_compared(day)}: netprov is tested with those of {OLDEST} to {NEWEST}"
            yield Finding("ipxe-untried", Severity.NOTE, text, _advice(day), command=command)


def version_of(file: Path) -> str:
    """What an EFI program that is an iPXE calls its version; "" where it is none or cannot be read."""
    try:
        found = _VERSION.search(file.read_bytes())
    except OSError:
        return ""
    return found[1].decode("ascii") if found is not None else ""


def day_of(version: str) -> date | None:
    """The day of the last change in it; None where the version does not tell: of a build between two releases."""
    if found := _DAY.search(version):
        try:
            return datetime.strptime(found[1], "%Y%m%d").date()
        except ValueError:
            return None
    return _RELEASES.get(version.partition("-")[0])


def _compared(day: date | None) -> str:
    if day is None:
        return "which does not tell its age"
    return "an older one" if day < OLDEST else "a newer one"


def _advice(day: date | None) -> str:
    known = [one.text for one in KNOWN if day is not None and one.since <= day]
    said = f"Known of its age: on UEFI {'; '.join(known)}. " if known else ""
    return f"{said}If machines stop after it, take the one from this system's packages"
