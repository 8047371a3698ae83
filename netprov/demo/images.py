"""The loaders and the probe that the demo's guests boot, fetched the first time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from netprov.bootimages import loaders, manifest, probe
from netprov.bootimages.packages import Archive
from netprov.bootimages.placed import FileState
from netprov.demo.plan import loaders_of
from netprov.lab.firmware import Firmware

_USABLE = (FileState.OK, FileState.OUTDATED)  # the demo needs no newest release, and so no network the second time


def in_place(root: Path, firmware: Firmware, archive: Archive) -> bool:
    """Whether everything such a guest boots is there as it was put there. Raises ConfigError: a broken lock file."""
    rows = loaders.status(root, manifest.load(), archive, {loaders_of(firmware)})
    if any(row.state not in _USABLE and not row.loader.optional for row in rows):
        return False
    return probe.status(root, probe.Arch.X86_64) is FileState.OK


def fetch(root: Path, firmware: Firmware, archive: Archive, progress: Callable[[str], None]) -> None:
    """Put it there, each step told to `progress` in a few words. Raises ConfigError."""
    loaders.install(root, manifest.load(), archive, {loaders_of(firmware)}, progress)
    probe.build(root, probe.Arch.X86_64, archive, progress)
