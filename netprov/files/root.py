"""The folder that TFTP and HTTP serve from, and the one rule for what a name in it means."""

from __future__ import annotations

import os
from pathlib import Path

from netprov.boot.reason import Reason
from netprov.files.opened import Identity, OpenedFile
from netprov.files.paths import FOLDER, PathError, open_beneath

LOADERS = "loaders"
"""The folder beneath the root where `netprov loaders` puts the boot loaders."""


class Root:
    """Opens names beneath `root`.

    A name without a folder is a loader's where there is such a loader: firmware asks for `pxelinux.0`, wherever the
    operator keeps it. A name that is not there at all is a loader's by its last part: shim and UEFI firmware look for
    the next link of the chain in folders that exist on disks only (`\\EFI\\BOOT\\grubx64.efi`).
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self, name: str) -> OpenedFile:
        """The file that `name` means. Raises PathError."""
        plain = name.replace("\\", "/").strip("/")
        folder = self._folder()
        try:
            if "/" not in plain:
                found = _try(folder, f"{LOADERS}/{plain}")
                if found is not None:
                    return found
            try:
                return _opened(open_beneath(folder, name))
            except PathError as missing:
                last = plain.rsplit("/", 1)[-1]
                found = _try(folder, f"{LOADERS}/{last}") if missing.reason is Reason.TFTP_NOT_FOUND else None
                if found is None:
                    raise
                return found
        finally:
            os.close(folder)

    def _folder(self) -> int:
        # opened anew each time: a folder that was moved away or mounted over must not go on being served
        try:
            return os.open(self._root, FOLDER)
        except OSError as problem:
            raise PathError(f"the served folder cannot be opened: {problem.strerror}", Reason.TFTP_NOT_FOUND) from None


def _try(folder: int, name: str) -> OpenedFile | None:
    try:
        return _opened(open_beneath(folder, name))
    except PathError as problem:
        if problem.reason is Reason.TFTP_NOT_FOUND:
            return None
        raise


def _opened(fd: int) -> OpenedFile:
    return OpenedFile(fd, Identity.of(fd))
