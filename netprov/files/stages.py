"""What a served file is to a boot: a loader, a part of one, a kernel, an initrd, or just a file."""

from __future__ import annotations

from netprov.boot.arch import FIRST
from netprov.inventory.model import Inventory, Target

_LOADER_ENDINGS = (".efi", ".kpxe", ".kkpxe", ".0", ".c32", ".lst", ".mod")


class Stages:
    """The stage of each file of one inventory generation."""

    def __init__(self, inventory: Inventory) -> None:
        self._kernels: set[str] = set()
        self._initrds: set[str] = set()
        self._loaders: set[str] = set(FIRST)
        for targets in (inventory.systems(), inventory.profiles(), inventory.images()):
            for target in targets:
                self._add(target)

    def _add(self, target: Target) -> None:
        self._kernels.add(target.kernel.strip("/"))
        self._initrds.update(initrd.strip("/") for initrd in target.initrd)
        if target.filename:
            self._loaders.add(target.filename.strip("/"))

    def stage_of(self, name: str) -> str:
        """The stage of the file `name` of TFTP, or of `/files/` of HTTP, as Event.stage names it."""
        plain = name.replace("\\", "/").strip("/")
        if plain in self._kernels:
            return "kernel"
        if plain in self._initrds:
            return "initrd"
        if plain in self._loaders:
            return "loader"
        return "loader-file" if plain.lower().endswith(_LOADER_ENDINGS) else "file"
