"""What runs on a machine and asks, from its firmware to the booted kernel, and what each says of itself by DHCP.

Facts, no codec: `netprov explain` puts them to our own server on paper, `netprov simulate` to any server on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from netprov.boot import domu
from netprov.boot.arch import Arch
from netprov.boot.names import PREVIEW, PREVIEW_OPTION
from netprov.boot.request import Loader
from netprov.mac import Mac, octets_of


class Runs(StrEnum):
    """What runs on the machine and asks. FIRMWARE, to decide(), is three: they ask in different ways."""

    ROM = "rom"  # a PC's PXE ROM
    UEFI = "uefi"
    UEFI_HTTP = "uefi-http"
    IPXE = "ipxe"
    PXELINUX = "pxelinux"
    GRUB = "grub"
    SHIM = "shim"
    XEN = "xen"  # a domU's bootloader in dom0: it fetches no loader, and reads pxelinux.cfg itself
    KERNEL = "kernel"  # the booted kernel's own DHCP client


@dataclass(frozen=True, slots=True)
class Program:
    """One row. `asks`: its option 55, b"" where it asks nothing by DHCP; `blksize`: what it asks for by TFTP, 0 where
    it fetches nothing so. `source`: where that was seen."""

    loader: Loader  # as decide() is asked
    asks: bytes
    blksize: int
    source: str


_UEFI = bytes((1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67, 97,
               128, 129, 130, 131, 132, 133, 134, 135))  # fmt: skip

PROGRAMS: Mapping[Runs, Program] = {
    Runs.ROM: Program(
        Loader.FIRMWARE,
        bytes((1, 2, 3, 4, 5, 6, 11, 12, 13, 15, 16, 17, 18, 43, 54, 60, 67, 128, 129, 130, 131, 132, 133, 134)),
        1456, "Intel Boot Agent",
    ),
    Runs.UEFI: Program(Loader.FIRMWARE, _UEFI, 1468, "OVMF; its windowsize 4 is beyond tftpy"),
    Runs.UEFI_HTTP: Program(Loader.FIRMWARE, _UEFI, 0, "OVMF, HTTP Boot"),
    Runs.IPXE: Program(
        Loader.IPXE,
        bytes((1, 3, 6, 7, 12, 15, 17, 26, 43, 60, 66, 67, 119, 128, 129, 130, 131, 132, 133, 134, 135, 175, 203)),
        1432, "QEMU's iPXE ROM",
    ),
    Runs.PXELINUX: Program(Loader.PXELINUX, b"", 1408, "PXELINUX 6.04"),
    Runs.GRUB: Program(Loader.GRUB, b"", 1024, "Debian's signed GRUB 2.06"),
    Runs.SHIM: Program(Loader.FIRMWARE, b"", 512, "Debian's shim 15"),
    Runs.XEN: Program(Loader.XEN, domu.PARAMETERS, 1428, "boot.domu"),
    Runs.KERNEL: Program(
        Loader.OS, bytes((1, 3, 6, 12, 15, 26, 28, 42, 51, 54, 58, 59, 119, 121)), 0, "systemd-networkd, dhclient"
    ),
}  # fmt: skip

IPXE_CLASS = b"iPXE"
"""Option 77 of iPXE."""

IPXE_FEATURES = bytes.fromhex("b105018086100eeb03011501170101220101130101110101270101190101")
"""Option 175: the bus id of the card, the version, and HTTP, DNS, bzImage, menus … as iPXE lists them."""

_NOBODY = bytes(16)  # QEMU's firmware tells a UUID of zeros where the machine has none


def firmware_of(arch: Arch) -> Runs:
    """What the machine starts with."""
    return Runs.UEFI_HTTP if arch.http else Runs.UEFI if arch.uefi else Runs.ROM


def dhcp_options(
    runs: Runs, arch: Arch, mac: Mac, uuid: str = "", client_id: bytes = b"", *, preview: bool = False
) -> list[tuple[int, bytes]]:
    """The options beside 50, 53, 54 and 57 that the machine sends while `runs` is on it, in the order it sends them.

    `client_id` is b"" where the program makes its own; `preview`: the machine says that it only looks (boot.names).
    """
    hardware = b"\x01" + octets_of(mac)
    told = (93, arch.code.to_bytes(2, "big"))
    undi = (94, bytes((1, *arch.undi)))
    # iPXE calls itself a PXE client, however it was loaded
    vendor_class = (60, arch.vendor_class("PXEClient" if runs is Runs.IPXE else "").encode())
    asked = (55, PROGRAMS[runs].asks)
    guid = (97, b"\0" + (UUID(uuid).bytes_le if uuid else _NOBODY))
    own = [(61, client_id)] if client_id else []
    looks = [(PREVIEW_OPTION, PREVIEW.encode())] if preview else []
    match runs:
        case Runs.KERNEL:
            # systemd-networkd's and dhclient's client-id is not the firmware's: the address must stay all the same
            return [asked, (61, client_id or b"\xff" + hardware[3:] + b"\0\3\0\1" + hardware[1:])]
        case Runs.IPXE:
            ours = (61, client_id or hardware)
            return [told, undi, vendor_class, (77, IPXE_CLASS), asked, (175, IPXE_FEATURES), ours, guid, *looks]
        case Runs.XEN:
            return [*domu.dhcp_options(mac, uuid, client_id), *looks]
        case Runs.UEFI | Runs.UEFI_HTTP:
            return [asked, guid, undi, told, vendor_class, *own, *looks]
        case _:
            return [told, undi, asked, vendor_class, guid, *own, *looks]
