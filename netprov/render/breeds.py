"""What a distro's `breed` and `os_version` mean: its family of installers, and a version that compares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from netprov.inventory.model import Target


class Family(StrEnum):
    """Installers that take the same answers and the same kernel arguments."""

    REDHAT = "redhat"
    FEDORA = "fedora"
    DEBIAN = "debian"
    UBUNTU = "ubuntu"
    SUSE = "suse"
    GENERIC = "generic"


BREEDS: Mapping[str, Family] = {
    **dict.fromkeys(("redhat", "rhel", "centos", "rocky", "alma", "almalinux", "oracle", "cloudlinux"), Family.REDHAT),
    "fedora": Family.FEDORA,
    "debian": Family.DEBIAN,
    "ubuntu": Family.UBUNTU,
    **dict.fromkeys(("suse", "opensuse", "sles", "sle"), Family.SUSE),
}
"""Every breed with an installer of its own; any other is generic."""

CODENAMES: Mapping[str, tuple[int, ...]] = {
    "stretch": (9,),
    "buster": (10,),
    "bullseye": (11,),
    "bookworm": (12,),
    "trixie": (13,),
    "forky": (14,),
    "xenial": (16, 4),
    "bionic": (18, 4),
    "focal": (20, 4),
    "jammy": (22, 4),
    "noble": (24, 4),
    "plucky": (25, 4),
    "questing": (25, 10),
    "resolute": (26, 4),
}

NEWEST = (9999,)
"""The version of a distro that names none: the installer of today."""

SUBIQUITY = (20, 4)
"""The first Ubuntu whose server installer is Subiquity, which takes user-data; before it, debian-installer."""

_VERSION = re.compile(r"([a-z]*)[ _-]*(\d{1,6}(?:\.\d{1,6})*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Release:
    family: Family
    version: tuple[int, ...]
    codename: str = ""


def release_of(target: Target) -> Release:
    """The release that `target` installs. Both Cobbler's spellings ("rhel9", "fedora42", "jammy") and plain numbers."""
    family = BREEDS.get(target.breed.lower(), Family.GENERIC)
    spelled = target.os_version.strip().lower()
    if spelled in CODENAMES:
        return Release(family, CODENAMES[spelled], spelled)
    found = _VERSION.match(spelled)
    if family is Family.REDHAT and spelled.startswith("fedora"):
        family = Family.FEDORA
    version = tuple(int(part) for part in found[2].split(".")) if found else NEWEST
    return Release(family, version)
