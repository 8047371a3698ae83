"""What a domU is to boot, found and fetched: everything that reads what servers sent, once there is an address.

It needs no rights: the files it writes are open already, so that it can run as another user (confined.py).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netprov.errors import PeerError
from netprov.scripts.plan import Local
from netprov.scripts.pxelinux.names import FOLDER, Place
from netprov.xen.bootloader.fetcher import Fetcher
from netprov.xen.bootloader.find import BootServer, Files, Search
from netprov.xen.bootloader.kernel import examine, verdict
from netprov.xen.bootloader.messages import Message
from netprov.xen.bootloader.payload import unpacked

if TYPE_CHECKING:
    from netprov.scripts.facts import MachineFacts
    from netprov.scripts.plan import Sum
    from netprov.xen.bootloader.console import Console
    from netprov.xen.bootloader.guest import Guest

_PAGE = 4096
_NOTED, _SAID = 4, 40  # notes in an error, and with -v
IMPORTS = ("hashlib", "http.client", "json", "urllib.parse", "encodings.idna", "zstandard", "lz4.block")
"""What is imported only where it is needed: another user may not be allowed to read it by then."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who boots, from which server, and what the configuration adds. `limit`: the octets of a kernel or an initrd."""

    guest: Guest
    facts: MachineFacts
    server: BootServer
    limit: int
    label: str | None = None
    folder: str = ""  # of pxelinux's configurations, where it has another name
    args: str = ""


@dataclass(frozen=True, slots=True)
class Obtained:
    """The kernel is in its file, and the initrds in theirs where there are any. `report`: see Files."""

    args: str
    ramdisk: bool
    report: str = ""


def look(wanted: Wanted, console: Console) -> Files | Local:
    """What it would boot; nothing else is fetched, and no install begins by it. Raises PeerError."""
    return _found(wanted, _fetcher(wanted, preview=True), console)[0]


def obtain(wanted: Wanted, console: Console, kernel: int, ramdisk: int) -> Obtained | Local:
    """Fetches the kernel and the initrds into the files `kernel` and `ramdisk` (descriptors of empty ones).

    Raises PeerError; a netprov server then hears why.
    """
    fetcher = _fetcher(wanted)
    found, notes = _found(wanted, fetcher, console)
    if isinstance(found, Local):
        return found
    console.detail(f"{found.script} says {found.kernel} {' '.join(map(str, found.initrds))} {found.args}")
    try:
        _kernel(wanted, fetcher, found, console, kernel)
        _ramdisk(fetcher, found, console, ramdisk)
    except PeerError as error:
        fetcher.report(found.report, "refused", str(error))
        raise _noted(error, notes) from None
    return Obtained(found.args, bool(found.initrds), found.report)


def _fetcher(wanted: Wanted, preview: bool = False) -> Fetcher:
    return Fetcher(str(wanted.facts.server or ""), wanted.limit, preview)


def _found(wanted: Wanted, fetcher: Fetcher, console: Console) -> tuple[Files | Local, list[str]]:
    """What to boot, and what the scripts' readers noted on the way to it."""
    folder = f"{wanted.folder.rstrip('/')}/" if wanted.folder else FOLDER
    search = Search(fetcher.small, wanted.facts, wanted.label, folder)
    try:
        found = search.run(wanted.server)
    except PeerError as error:
        raise _noted(error, [*search.notes, *getattr(error, "__notes__", ())]) from None
    for note in search.notes[:_SAID]:
        console.detail(note)
    if isinstance(found, Local):
        return found, search.notes
    args = " ".join(part for part in (found.args, wanted.args) if part)
    return Files(found.kernel, found.initrds, args, found.script, found.sums, found.report), search.notes


def _noted(error: PeerError, notes: list[str]) -> PeerError:
    """The error with what was noted before it, which may be its cause."""
    if not notes:
        return error
    more = [f"and {len(notes) - _NOTED} more"] if len(notes) > _NOTED else []
    return PeerError(Message.NOTED.said(error=error, notes="; ".join([*notes[:_NOTED], *more])))


def _kernel(wanted: Wanted, fetcher: Fetcher, found: Files, console: Console, descriptor: int) -> None:
    _download(fetcher, found.kernel, descriptor, console, "kernel", found.sums.get(found.kernel))
    octets = _read(descriptor)
    try:
        plain = unpacked(octets, wanted.limit)
        image = examine(plain)
    except PeerError as error:
        raise PeerError(Message.KERNEL.said(file=found.kernel, why=error)) from None
    found_fit = [verdict(image, kind, os.uname().machine) for kind in wanted.guest.types]
    if not any(one.fit for one in found_fit):
        raise PeerError(Message.KERNEL.said(file=found.kernel, why=found_fit[0].reason))
    if plain is not octets:
        _replace(descriptor, plain)
    console.detail(f"{found.kernel} is a {image}")


def _ramdisk(fetcher: Fetcher, found: Files, console: Console, descriptor: int) -> None:
    """Several initrds become one, each but the last padded to 4 KiB (see plan.concatenated)."""
    for number, place in enumerate(found.initrds):
        if number:
            size = os.lseek(descriptor, 0, os.SEEK_END)
            os.ftruncate(descriptor, size + -size % _PAGE)
            os.lseek(descriptor, 0, os.SEEK_END)
        _download(fetcher, place, descriptor, console, "initrd", found.sums.get(place))


def _download(
    fetcher: Fetcher, place: Place, descriptor: int, console: Console, what: str, promised: Sum | None
) -> None:
    with console.downloading(f"{what} {place}") as told:
        fetcher.into(place, descriptor, told, promised)


def _read(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb", closefd=False) as file:
        return file.read()


def _replace(descriptor: int, octets: bytes) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.ftruncate(descriptor, 0)
    try:
        while octets:
            octets = octets[os.write(descriptor, octets) :]
    except OSError as error:
        raise PeerError(Message.NOT_KEPT.said(place="the kernel", why=error.strerror)) from None
