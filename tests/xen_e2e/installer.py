"""Debian's installer, as the distribution packages it, for a domU of netprov's."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netprov.bootimages.packages import Archive

from .dom0 import ARCH

NAME = "installer"
VERSIONS = ("12", "13")  # whichever the apt sources offer; its version is the distro's
IN_PACKAGE = "usr/lib/debian-installer/images/{version}/{arch}/text/debian-installer/{arch}/{file}"
FILES = ("linux", "initrd.gz")
MEMORY = 1024  # MB; with 512 the installer stops at a dialog about it


def offered(archive: Archive) -> str:
    """The version that can be had."""
    archive.refresh(ARCH)
    found = [version for version in VERSIONS if archive.offered([_package(version)], ARCH)]
    assert found, f"the apt sources offer none of {', '.join(map(_package, VERSIONS))}"
    return found[0]


def put(root: Path, archive: Archive, version: str) -> None:
    """Its kernel and initrd beneath the TFTP root."""
    folder = root / NAME
    folder.mkdir()
    with archive.open(_package(version), ARCH) as package:
        for file in FILES:
            path = IN_PACKAGE.format(version=version, arch=ARCH, file=file)
            shutil.copyfile(package.file([path]), folder / file)


def distro(version: str) -> Mapping[str, Any]:
    kernel, initrd = (f"{NAME}/{file}" for file in FILES)
    return {
        "breed": "debian", "os_version": version, "kernel": kernel, "initrd": initrd, "autoinstall": "default.preseed",
        "kernel_options": {"DEBIAN_FRONTEND": "text"},  # what it says is then on the console, line by line
    }  # fmt: skip


def _package(version: str) -> str:
    return f"debian-installer-{version}-netboot-{ARCH}"
