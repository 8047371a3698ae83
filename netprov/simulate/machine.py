"""The kinds of machines that can be simulated, and what each says of itself by DHCP and TFTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import IPv4Address
from uuid import UUID

from netprov.boot.names import PREVIEW, PREVIEW_OPTION
from netprov.mac import Mac, octets_of


class Runs(StrEnum):
    """What runs on the machine and asks."""

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
class Kind:
    """One row: firmware as users name it, and what it tells. `source`: where that was seen."""

    name: str
    starts: Runs
    arch: int  # DHCP option 93
    cpu: str  # as GRUB and iPXE name it
    vendor_class: str
    undi: tuple[int, int]  # option 94, after its type 1
    source: str

    @property
    def platform(self) -> str:
        """As iPXE names it."""
        return "pcbios" if self.arch == 0 else "efi"


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("bios", Runs.ROM, 0, "i386", "PXEClient:Arch:00000:UNDI:002001", (2, 1), "PXE 2.1; Intel Boot Agent"),
        Kind("ipxe", Runs.IPXE, 0, "x86_64", "PXEClient:Arch:00000:UNDI:002001", (2, 1), "QEMU's iPXE ROM, BIOS"),
        Kind("xen", Runs.XEN, 0, "x86_64", "PXEClient:Arch:00000:UNDI:002001", (2, 1), "netprov-pxeboot in dom0"),
        Kind("uefi-x64", Runs.UEFI, 7, "x86_64", "PXEClient:Arch:00007:UNDI:003000", (3, 0), "OVMF"),
        Kind("uefi-arm64", Runs.UEFI, 11, "arm64", "PXEClient:Arch:00011:UNDI:003000", (3, 0), "AAVMF"),
        Kind("uefi-http", Runs.UEFI_HTTP, 16, "x86_64", "HTTPClient:Arch:00016:UNDI:003000", (3, 0), "OVMF, HTTP Boot"),
    )
}

BLKSIZE: Mapping[Runs, int] = {
    Runs.ROM: 1456,  # Intel Boot Agent
    Runs.UEFI: 1468,  # OVMF; its windowsize 4 is beyond tftpy
    Runs.IPXE: 1432,
    Runs.PXELINUX: 1408,
    Runs.SHIM: 512,
    Runs.GRUB: 1024,
    Runs.XEN: 1428,
}
"""The blksize that each asks for by TFTP."""

_PARAMETERS: Mapping[Runs, bytes] = {
    Runs.ROM: bytes((1, 2, 3, 4, 5, 6, 11, 12, 13, 15, 16, 17, 18, 43, 54, 60, 67, 128, 129, 130, 131, 132, 133, 134)),
    Runs.UEFI: bytes((1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66,
                      67, 97, 128, 129, 130, 131, 132, 133, 134, 135)),
    Runs.IPXE: bytes((1, 3, 6, 7, 12, 15, 17, 26, 43, 60, 66, 67, 119, 128, 129, 130, 131, 132, 133, 134, 135, 175,
                      203)),
    Runs.XEN: bytes((1, 3, 6, 12, 15, 28, 42, 66, 67, 209, 210)),
    Runs.KERNEL: bytes((1, 3, 6, 12, 15, 26, 28, 42, 51, 54, 58, 59, 119, 121)),
}  # fmt: skip
"""Option 55, as each sends it (UEFI HTTP Boot sends the same as PXE)."""

IPXE_FEATURES = bytes.fromhex("b105018086100eeb03011501170101220101130101110101270101190101")
"""Option 175: the bus id of the card, the version, and HTTP, DNS, bzImage, menus … as iPXE lists them."""

XEN_CLASS = b"netprov-pxeboot"
"""Option 77 of netprov's domU bootloader: a netprov server gives it no loader but its answer."""

_NOBODY = bytes(16)  # QEMU's firmware tells a UUID of zeros where the machine has none


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
    options: Mapping[int, bytes] = field(default_factory=dict)  # what scripts may ask for


def dhcp_options(machine: Machine, runs: Runs) -> list[tuple[int, bytes]]:
    """The options beside 50, 53, 54 and 57 that the machine sends while `runs` is on it, in the order it sends them."""
    kind = machine.kind
    uuid = UUID(machine.uuid).bytes_le if machine.uuid else _NOBODY
    hardware = b"\x01" + octets_of(machine.mac)
    arch = (93, kind.arch.to_bytes(2, "big"))
    undi = (94, bytes((1, *kind.undi)))
    vendor_class = (60, kind.vendor_class.encode())
    asked = (55, _PARAMETERS[Runs.UEFI if runs is Runs.UEFI_HTTP else runs])
    guid = (97, b"\0" + uuid)
    own = [(61, machine.client_id)] if machine.client_id else []
    looks = [(PREVIEW_OPTION, PREVIEW.encode())] if machine.preview else []
    match runs:
        case Runs.KERNEL:
            # systemd-networkd's and dhclient's client-id is not the firmware's: the address must stay all the same
            return [asked, (61, machine.client_id or b"\xff" + hardware[3:] + b"\0\3\0\1" + hardware[1:])]
        case Runs.IPXE:
            client_id = (61, machine.client_id or hardware)
            return [arch, undi, vendor_class, (77, b"iPXE"), asked, (175, IPXE_FEATURES), client_id, guid, *looks]
        case Runs.XEN:
            client_id = (61, machine.client_id or hardware)
            known = [guid] if machine.uuid else []
            return [vendor_class, client_id, (77, XEN_CLASS), arch, undi, *known, asked, *looks]
        case Runs.UEFI | Runs.UEFI_HTTP:
            return [asked, guid, undi, arch, vendor_class, *own, *looks]
        case _:
            return [arch, undi, asked, vendor_class, guid, *own, *looks]
