"""Client architectures: the number a machine sends in DHCP option 93, and the loaders that run on it.

Numbers: IANA "Processor Architecture Types" (RFC 5970, RFC 4578 and its erratum). 7 and 9 are alike: the RFC and the
firmware of the world disagree which of them is x64 (xCAT issue 7645 is an endless loop for having chosen one).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netprov.boot.request import Loader


@dataclass(frozen=True, slots=True)
class Arch:
    """One row. `loaders`: the files, the preferred first. A chain's later links are asked for by their own names."""

    code: int
    name: str  # what users type: --arch uefi-x64
    cpu: str  # a distro's `arch`; "" where netprov boots none
    uefi: bool
    http: bool  # the firmware itself fetches by HTTP (vendor class HTTPClient)
    loaders: Mapping[Loader, str]


_BIOS = {Loader.PXELINUX: "pxelinux.0", Loader.IPXE: "undionly.kpxe"}
_IA32 = {Loader.GRUB: "shimia32.efi"}
_X64 = {Loader.GRUB: "shimx64.efi", Loader.IPXE: "ipxe.efi"}
_X64_HTTP = {Loader.IPXE: "ipxe.efi"}  # Debian's signed GRUB fetches by TFTP only
_ARM64 = {Loader.GRUB: "shimaa64.efi", Loader.IPXE: "ipxe-arm64.efi"}
_ARM64_HTTP = {Loader.IPXE: "ipxe-arm64.efi"}
_NONE: dict[Loader, str] = {}

_ROWS = (
    Arch(0, "bios", "x86_64", False, False, _BIOS),
    Arch(6, "uefi-ia32", "i386", True, False, _IA32),
    Arch(7, "uefi-x64", "x86_64", True, False, _X64),
    Arch(9, "uefi-x64-9", "x86_64", True, False, _X64),
    Arch(10, "uefi-arm32", "arm", True, False, _NONE),
    Arch(11, "uefi-arm64", "arm64", True, False, _ARM64),
    Arch(15, "http-ia32", "i386", True, True, _NONE),
    Arch(16, "http-x64", "x86_64", True, True, _X64_HTTP),
    Arch(17, "http-x64-17", "x86_64", True, True, _X64_HTTP),
    Arch(18, "http-arm32", "arm", True, True, _NONE),
    Arch(19, "http-arm64", "arm64", True, True, _ARM64_HTTP),
    Arch(20, "http-bios", "x86_64", False, True, _NONE),
    Arch(21, "uboot-arm32", "arm", False, False, _NONE),
    Arch(22, "uboot-arm64", "arm64", False, False, _NONE),
    Arch(23, "http-uboot-arm32", "arm", False, True, _NONE),
    Arch(24, "http-uboot-arm64", "arm64", False, True, _NONE),
    Arch(25, "uefi-riscv32", "riscv32", True, False, _NONE),
    Arch(26, "http-riscv32", "riscv32", True, True, _NONE),
    Arch(27, "uefi-riscv64", "riscv64", True, False, {Loader.GRUB: "grubriscv64.efi"}),
    Arch(28, "http-riscv64", "riscv64", True, True, _NONE),
    Arch(29, "uefi-riscv128", "riscv128", True, False, _NONE),
    Arch(30, "http-riscv128", "riscv128", True, True, _NONE),
)

NEXT_LINKS: Mapping[str, tuple[str, ...]] = {
    "pxelinux.0": ("ldlinux.c32",),
    "shimx64.efi": ("grubx64.efi",),
    "shimia32.efi": ("grubia32.efi",),
    "shimaa64.efi": ("grubaa64.efi",),
}
"""What a loader asks for itself before anything of ours."""

ARCHS: Mapping[int, Arch] = {row.code: row for row in _ROWS}

ALIASES: Mapping[str, str] = {
    "uefi": "uefi-x64",
    "uefi-http": "http-x64",
    "uefi-http-x64": "http-x64",
    "arm64": "uefi-arm64",
    "x86_64": "uefi-x64",
}
"""Names that people type for a row."""


def arch_by_name(name: str) -> Arch:
    """The row that users call `name`, or that has the number `name`. Raises KeyError."""
    wanted = ALIASES.get(name, name)
    for row in _ROWS:
        if wanted in (row.name, str(row.code)):
            return row
    raise KeyError(name)
