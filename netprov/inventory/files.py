"""The files that the inventory names: kernels and initrds under tftp.root, templates of the installers' answers."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from netprov.errors import Origin
from netprov.inventory.model import Settings
from netprov.inventory.report import Report

PACKAGED = Path(__file__).resolve().parents[1] / "render" / "autoinstall"
"""The templates that netprov brings."""


class Files:
    """Asks once for each file, however many objects name it."""

    def __init__(self, settings: Settings, report: Report) -> None:
        root = settings.tftp.root
        self.roots = tuple(dict.fromkeys((os.path.normpath(root), os.path.realpath(root))))
        self.templates = tuple(folder for folder in (settings.autoinstall, PACKAGED) if folder is not None)
        self.report = report
        self._found: dict[str, str] = {}

    def served(self, written: str, origin: Origin, where: str) -> str:
        """The name that TFTP and HTTP answer to: relative to tftp.root, or a URL as written."""
        if "://" in written:
            return written
        path = os.path.normpath(os.path.join(self.roots[0], written))
        root = next((root for root in self.roots if path.startswith(root.rstrip("/") + "/")), None)
        if root is None:
            text = f"{path} is outside tftp.root ({self.roots[0]}): neither TFTP nor HTTP serves it"
            self.report.error(origin, where, text)
            return written
        name = os.path.relpath(path, root)
        if missing := self._missing(path, name):
            self.report.error(origin, where, missing)
        return name

    def _missing(self, path: str, name: str) -> str:
        """What to say of a file that is not there; "" where it is."""
        if path not in self._found:
            # a loader's flat name (memdisk, wimboot) answers from the loaders folder
            loader = os.path.join(self.roots[0], "loaders", name)
            there = os.path.isfile(path) or ("/" not in name and os.path.isfile(loader))
            self._found[path] = "" if there else f"no such file: {path}{_nearest(path)}"
        return self._found[path]

    def check_template(self, written: str, origin: Origin, where: str) -> None:
        if "://" in written or not written:
            return
        if written not in self._found:
            self._found[written] = self._template_fault(written)
        if fault := self._found[written]:
            self.report.error(origin, where, fault)

    def _template_fault(self, written: str) -> str:
        if written.startswith("/") or ".." in written.split("/"):
            return f"{written} must be a name in the autoinstall folder"
        if any(os.path.isfile(folder / written) for folder in self.templates):
            return ""
        listed = [name for folder in self.templates for name in _listing(str(folder))]
        near = get_close_matches(written, listed, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"no template {written} in {' or '.join(map(str, self.templates))}{hint}"


def _nearest(path: str) -> str:
    folder, name = os.path.split(path)
    near = get_close_matches(name, _listing(folder)[:1000], n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _listing(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
