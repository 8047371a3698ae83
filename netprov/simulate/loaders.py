"""What each boot loader asks for, by itself, before its script."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from netprov.simulate.machine import Runs

BY_FILE: Mapping[str, Runs] = {
    **dict.fromkeys(("pxelinux.0", "lpxelinux.0"), Runs.PXELINUX),
    **dict.fromkeys(
        ("undionly.kpxe", "undionly.kkpxe", "undionly.0", "ipxe.pxe", "ipxe.lkrn", "ipxe.efi", "snponly.efi",
         "ipxe-x86_64.efi", "ipxe-amd64.efi", "ipxe-arm64.efi"), Runs.IPXE,
    ),
    **dict.fromkeys(("shimx64.efi", "shimaa64.efi", "shimia32.efi", "shim.efi", "bootx64.efi", "bootaa64.efi",
                     "bootia32.efi"), Runs.SHIM),
    **dict.fromkeys(("grubx64.efi", "grubaa64.efi", "grubia32.efi", "grubnetx64.efi", "grubnetx64.efi.signed",
                     "grubnetaa64.efi", "grubriscv64.efi"), Runs.GRUB),
}  # fmt: skip
"""What runs on the machine once it has loaded a file of this name."""

_SHIM_NEXT = {"aa64": "grubaa64.efi", "ia32": "grubia32.efi"}

_LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "menu.c32": ("libutil.c32",),
    "vesamenu.c32": ("libcom32.c32", "libutil.c32"),
    "chain.c32": ("libcom32.c32", "libutil.c32"),
    "mboot.c32": ("libcom32.c32",),
    "linux.c32": ("libcom32.c32",),
}
"""SYSLINUX 6: the libraries a module wants; without them it ends with "Failed to load libcom32.c32"."""


def loader_of(file: str) -> Runs | None:
    """What the file named `file` (a path or URL) is; None for none that is known."""
    return BY_FILE.get(posixpath.basename(file.partition("?")[0].replace("\\", "/")).lower())


def after_shim(shim: str) -> str:
    """What shim starts: the GRUB beside itself."""
    folder, _, name = shim.replace("\\", "/").rpartition("/")
    grub = next((grub for part, grub in _SHIM_NEXT.items() if part in name.lower()), "grubx64.efi")
    return f"{folder}/{grub}" if folder else grub


def beside(file: str, name: str) -> str:
    """`name` in the folder of `file`."""
    folder, slash, _ = file.replace("\\", "/").rpartition("/")
    return f"{folder}{slash}{name}"


def modules(*names: str) -> tuple[str, ...]:
    """The SYSLINUX modules among `names`, each with the libraries it wants, in the order they are fetched."""
    found: list[str] = []
    for name in names:
        base = posixpath.basename(name).lower()
        if base.endswith(".c32"):
            found += [name, *(beside(name, library) for library in _LIBRARIES.get(base, ()))]
    return tuple(dict.fromkeys(found))
