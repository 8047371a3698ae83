"""The kinds of machines that can be simulated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from netprov.boot import programs
from netprov.boot.arch import ARCHS, Arch, usual_arch
from netprov.boot.programs import Runs
from netprov.mac import Mac


@dataclass(frozen=True, slots=True)
class Kind:
    """One row: a machine as users name it, what it starts with, and its firmware. `source`: where that was seen."""

    name: str
    starts: Runs
    arch: Arch
    source: str
    build: str = ""  # what iPXE on it calls its processor, where that is not what the firmware's row has first

    @property
    def cpu(self) -> str:
        """As GRUB and iPXE name it."""
        return self.build or self.arch.builds[0]


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("bios", Runs.ROM, ARCHS[0], "PXE 2.1; Intel Boot Agent"),
        Kind("ipxe", Runs.IPXE, ARCHS[0], "QEMU's iPXE ROM, BIOS", "x86_64"),
        Kind("xen", Runs.XEN, ARCHS[0], "netprov-pxeboot in dom0", "x86_64"),
        Kind("uefi-x64", Runs.UEFI, ARCHS[7], "OVMF"),
        Kind("uefi-arm64", Runs.UEFI, ARCHS[11], "AAVMF"),
        Kind("uefi-http", Runs.UEFI_HTTP, ARCHS[16], "OVMF, HTTP Boot"),
    )
}


def usual_kind(kernel: str) -> Kind:
    """That of a machine for such kernels, where nobody says; a PC's where there is none of its firmware."""
    usual = usual_arch(kernel)
    return next((kind for kind in KINDS.values() if kind.arch is usual), KINDS["bios"])


@dataclass(frozen=True, slots=True)
class Machine:
    """Who is simulated. `name`: as it is declared, "" for one that is not."""

    mac: Mac
    kind: Kind
    name: str = ""
    uuid: str = ""
    client_id: bytes = b""
    serial: str = ""
    preview: bool = False  # it says that it only looks: see boot.names.PREVIEW

    def with_mac(self, mac: Mac) -> Machine:
        return replace(self, mac=mac)

    @property
    def label(self) -> str:
        return self.name or self.mac


@dataclass(frozen=True, slots=True)
class Address:
    """What the machine was given by DHCP to boot with. `server`: where files are; `answered_by`: option 54."""

    ip: IPv4Address
    prefix: int
    answered_by: IPv4Address
    router: IPv4Address | None = None
    dns: tuple[IPv4Address, ...] = ()
    lease: int = 0  # seconds
    server: IPv4Address | None = None
    boot_file: str = ""
    config_file: str = ""  # option 209
    path_prefix: str = ""  # option 210


def dhcp_options(machine: Machine, runs: Runs) -> list[tuple[int, bytes]]:
    """The options beside 50, 53, 54 and 57 that the machine sends while `runs` is on it, in the order it sends them."""
    arch, preview = machine.kind.arch, machine.preview
    return programs.dhcp_options(runs, arch, machine.mac, machine.uuid, machine.client_id, preview=preview)
