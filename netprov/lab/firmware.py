"""Machines to boot, as QEMU's command line: one row a kind of firmware."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from netprov.boot.arch import ARCHS, Arch


class Firmware(StrEnum):
    BIOS = "bios"
    UEFI = "uefi"
    UEFI_SB = "uefi-sb"  # Secure Boot is on, with Microsoft's keys
    UEFI_HTTP = "uefi-http"  # HTTP Boot only
    ARM64 = "arm64"


@dataclass(frozen=True, slots=True)
class Machine:
    """What differs between the kinds. `code` and `variables` name candidates, the first that is there is taken."""

    arch: Arch  # what its firmware says it is
    qemu: str
    package: str  # of QEMU
    machine: str
    memory: int  # MB
    code: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    firmware_package: str = ""
    cpu: str = "max"
    extra: tuple[str, ...] = ()
    kvm: bool = True  # the host's own architecture


OVMF = ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd")
OVMF_VARS = ("/usr/share/OVMF/OVMF_VARS_4M.fd", "/usr/share/OVMF/OVMF_VARS.fd")
OVMF_SB = ("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_CODE.secboot.fd")
OVMF_SB_VARS = ("/usr/share/OVMF/OVMF_VARS_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS.ms.fd")
AAVMF = ("/usr/share/AAVMF/AAVMF_CODE.no-secboot.fd", "/usr/share/AAVMF/AAVMF_CODE.fd")
AAVMF_VARS = ("/usr/share/AAVMF/AAVMF_VARS.fd",)

X86 = ("qemu-system-x86_64", "qemu-system-x86")

MACHINES: Mapping[Firmware, Machine] = {
    # 128 MB hold SeaBIOS, iPXE, the kernel and the probe; the option ROM is QEMU's own iPXE
    Firmware.BIOS: Machine(ARCHS[0], *X86, "pc,graphics=off", 128),
    Firmware.UEFI: Machine(ARCHS[7], *X86, "q35", 512, OVMF, OVMF_VARS, "ovmf"),
    Firmware.UEFI_SB: Machine(
        ARCHS[7],
        *X86,
        "q35,smm=on",
        512,
        OVMF_SB,
        OVMF_SB_VARS,
        "ovmf",
        extra=("-global", "driver=cfi.pflash01,property=secure,value=on"),
    ),
    # without PXE the firmware comes to HTTP Boot at once
    Firmware.UEFI_HTTP: Machine(
        ARCHS[16],
        *X86,
        "q35",
        512,
        OVMF,
        OVMF_VARS,
        "ovmf",
        extra=(
            "-fw_cfg",
            "name=opt/org.tianocore/IPv4PXESupport,string=n",
            "-fw_cfg",
            "name=opt/org.tianocore/IPv6PXESupport,string=n",
        ),
    ),
    Firmware.ARM64: Machine(
        ARCHS[11],
        "qemu-system-aarch64",
        "qemu-system-arm",
        "virt",
        512,
        AAVMF,
        AAVMF_VARS,
        "qemu-efi-aarch64",
        # with RNDR: firmware of 2025 (Debian 13's) takes no other source of entropy, and has no network without one
        cpu="max,pauth-impdef=on",
        kvm=False,
    ),
}


def missing(firmware: Firmware) -> list[str]:
    """The packages to install before such a machine can run; empty when it can."""
    machine = MACHINES[firmware]
    wanted = [] if shutil.which(machine.qemu) else [machine.package]
    if any(candidates and first(candidates) is None for candidates in (machine.code, machine.variables)):
        wanted.append(machine.firmware_package)
    if firmware is Firmware.BIOS and not rom():
        wanted.append("ipxe-qemu")
    return sorted(set(wanted))


def first(candidates: Sequence[str]) -> Path | None:
    return next((Path(name) for name in candidates if Path(name).exists()), None)


def rom() -> Path | None:
    """QEMU's iPXE option ROM for virtio: without it a BIOS guest cannot boot from the network."""
    return first(("/usr/lib/ipxe/qemu/pxe-virtio.rom", "/usr/share/qemu/pxe-virtio.rom"))


def pflash(firmware: Firmware, nvram: Path) -> list[str]:
    """The firmware's code, and a copy of its variables at `nvram` if there is none yet: a machine keeps its own."""
    machine = MACHINES[firmware]
    code, variables = first(machine.code), first(machine.variables)
    if code is None or variables is None:
        return []
    if not nvram.exists():
        shutil.copyfile(variables, nvram)
    return [
        "-drive",
        f"if=pflash,format=raw,unit=0,readonly=on,file={code}",
        "-drive",
        f"if=pflash,format=raw,unit=1,file={nvram}",
    ]
