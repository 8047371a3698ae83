"""Client architectures: the number a machine sends in DHCP option 93, and the loaders that run on it.

Numbers: IANA "Processor Architecture Types" (RFC 5970, RFC 4578 and its erratum). 7 and 9 are alike: the RFC and the
firmware of the world disagree which of them is x64 (xCAT issue 7645 is an endless loop for having chosen one).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from netprov.boot.request import Loader

_PXE, _HTTP, _UBOOT = "PXEClient", "HTTPClient", "U-Boot"

PCS = frozenset({"x86_64", "i386"})
"""The processors of PCs. Each starts the other's kernels as far as firmware can tell: 32-bit firmware stands on 64-bit
boards too."""


class Names(Enum):
    """Whose names firmware asks TFTP for."""

    OURS = "that of the loader it is told"
    SCRIPT = "pxelinux.cfg/…, as PXELINUX does (U-Boot's `pxe get`)"
    ALL = "names of its own, up to its kernel's (the Raspberry Pi's boot ROM: bootcode.bin, config.txt …)"


@dataclass(frozen=True, slots=True, eq=False)  # one object a row
class Arch:
    """One row: a kind of firmware. `loaders`: the files, the preferred first. A chain's later links are asked for by
    their own names (boot.loaders)."""

    code: int
    name: str  # what users type: --arch uefi-x64
    cpu: str  # as a distro's `arch` is spelled (inventory.fields.ARCHES)
    uefi: bool
    client: str  # how its vendor class begins
    builds: tuple[str, ...]  # what iPXE's builds for it call their processor (${buildarch}), the usual one first
    loaders: Mapping[Loader, str]
    names: Names = Names.OURS

    @property
    def http(self) -> bool:
        """Whether the firmware itself fetches by HTTP (vendor class HTTPClient)."""
        return self.client == _HTTP

    @property
    def platform(self) -> str:
        """As iPXE names it (${platform})."""
        return "efi" if self.uefi else "pcbios"

    @property
    def undi(self) -> tuple[int, int]:
        """The version of its network driver's interface, as option 94 and the vendor class tell it (OVMF; PXE 2.1)."""
        return (3, 0) if self.uefi else (2, 1)

    def vendor_class(self, client: str = "") -> str:
        """Option 60, of the firmware or of another `client` on it."""
        client = client or self.client
        major, minor = self.undi
        return client if client == _UBOOT else f"{client}:Arch:{self.code:05}:UNDI:{major:03}{minor:03}"

    def runs(self, kernel: str) -> bool:
        """Whether it can start a kernel for the processor `kernel`."""
        return alike(kernel, self.cpu)


def alike(first: str, second: str) -> bool:
    """Whether what is for one processor may run on the other."""
    return first == second or (first in PCS and second in PCS)


_BIOS = {Loader.PXELINUX: "pxelinux.0", Loader.IPXE: "undionly.kpxe"}
_IA32 = {Loader.GRUB: "shimia32.efi"}
_X64 = {Loader.GRUB: "shimx64.efi", Loader.IPXE: "ipxe.efi"}
_X64_HTTP = {Loader.IPXE: "ipxe.efi"}  # Debian's signed GRUB fetches by TFTP only
_ARM64 = {Loader.GRUB: "shimaa64.efi", Loader.IPXE: "ipxe-arm64.efi"}
_ARM64_HTTP = {Loader.IPXE: "ipxe-arm64.efi"}
_RISCV64 = {Loader.GRUB: "grubriscv64.efi"}
_NONE: dict[Loader, str] = {}

_ROWS = (
    # Debian builds undionly.kpxe for i386; QEMU's ROMs are for either
    Arch(0, "bios", "x86_64", False, _PXE, ("i386", "x86_64"), _BIOS),
    Arch(6, "uefi-ia32", "i386", True, _PXE, ("i386",), _IA32),
    Arch(7, "uefi-x64", "x86_64", True, _PXE, ("x86_64",), _X64),
    Arch(9, "uefi-x64-9", "x86_64", True, _PXE, ("x86_64",), _X64),
    Arch(10, "uefi-arm32", "arm", True, _PXE, ("arm32",), _NONE),
    Arch(11, "uefi-arm64", "aarch64", True, _PXE, ("arm64",), _ARM64),
    Arch(15, "http-ia32", "i386", True, _HTTP, ("i386",), _NONE),
    Arch(16, "http-x64", "x86_64", True, _HTTP, ("x86_64",), _X64_HTTP),
    Arch(17, "http-x64-17", "x86_64", True, _HTTP, ("x86_64",), _X64_HTTP),
    Arch(18, "http-arm32", "arm", True, _HTTP, ("arm32",), _NONE),
    Arch(19, "http-arm64", "aarch64", True, _HTTP, ("arm64",), _ARM64_HTTP),
    Arch(20, "http-bios", "x86_64", False, _HTTP, (), _NONE),
    Arch(21, "uboot-arm32", "arm", False, _UBOOT, (), _NONE, Names.SCRIPT),
    Arch(22, "uboot-arm64", "aarch64", False, _UBOOT, (), _NONE, Names.SCRIPT),
    Arch(23, "http-uboot-arm32", "arm", False, _HTTP, (), _NONE),
    Arch(24, "http-uboot-arm64", "aarch64", False, _HTTP, (), _NONE),
    Arch(25, "uefi-riscv32", "riscv32", True, _PXE, ("riscv32",), _NONE),
    Arch(26, "http-riscv32", "riscv32", True, _HTTP, ("riscv32",), _NONE),
    Arch(27, "uefi-riscv64", "riscv64", True, _PXE, ("riscv64",), _RISCV64),
    Arch(28, "http-riscv64", "riscv64", True, _HTTP, ("riscv64",), _NONE),
    Arch(29, "uefi-riscv128", "riscv128", True, _PXE, (), _NONE),
    Arch(30, "http-riscv128", "riscv128", True, _HTTP, (), _NONE),
    Arch(41, "rpiboot", "aarch64", False, _PXE, (), _NONE, Names.ALL),
)

ARCHS: Mapping[int, Arch] = {row.code: row for row in _ROWS}

RPIBOOT = 41
"""The Raspberry Pi's boot ROM. It calls itself a PC (0); who reads its packet knows it by its address or UUID."""

UBOOT_CLASSES: Mapping[str, int | None] = {"U-Boot.armv8": 22, "U-Boot.arm": 21, _UBOOT: None}
"""How U-Boot's vendor class begins (CONFIG_BOOTP_VCI_STRING) → its architecture, where it tells none by option 93."""


def is_uboot(vendor_class: str) -> bool:
    return vendor_class.startswith(_UBOOT)


def names_of(arch: Arch | None, vendor_class: str) -> Names:
    """What firmware asks TFTP for. U-Boot on RISC-V has no number of its own: it gives UEFI's, or none."""
    return Names.SCRIPT if is_uboot(vendor_class) else arch.names if arch is not None else Names.OURS


FIRST = tuple(dict.fromkeys(file for row in _ROWS for file in row.loaders.values()))
"""Every file that firmware is sent."""

ALIASES: Mapping[str, str] = {
    "uefi": "uefi-x64",
    "uefi-http": "http-x64",
    "uefi-http-x64": "http-x64",
    "arm64": "uefi-arm64",
    "aarch64": "uefi-arm64",
    "x86_64": "uefi-x64",
}
"""Names that people type for a row."""

_BY_NAME = {row.name: row for row in _ROWS} | {str(row.code): row for row in _ROWS}


def arch_by_name(name: str) -> Arch:
    """The row that users call `name`, or that has the number `name`. Raises KeyError."""
    return _BY_NAME[ALIASES.get(name, name)]


def arch_of_ipxe(buildarch: str, platform: str) -> Arch | None:
    """The row that iPXE's ${buildarch} and ${platform} say; None for one that is not known."""
    found = (row for row in _ROWS if not row.http and row.platform == platform and buildarch in row.builds)
    return next(found, None)


def usual_arch(kernel: str, *, http: bool = False) -> Arch:
    """The firmware that a machine for such kernels usually has, where nobody says: of those that fetch by TFTP, or by
    HTTP, the first in the table that can start one and has a loader here; else a PC's."""
    rows = [row for row in _ROWS if row.http == http and row.loaders]
    return next((row for row in rows if row.runs(kernel)), rows[0])


def distinct_archs() -> tuple[Arch, ...]:
    """The rows that something can be booted on, those that only their number tells apart counted once."""
    found: dict[tuple[str, bool, str], Arch] = {}
    for row in _ROWS:
        if row.loaders:
            found.setdefault((row.cpu, row.uefi, row.client), row)
    return tuple(found.values())
