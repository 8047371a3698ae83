"""Who asks, with what, over what, for what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address

from netprov.mac import Mac
from netprov.quick import quick


class Via(StrEnum):
    """What carried the question."""

    DHCP = "dhcp"
    PROXY = "proxy"
    TFTP = "tftp"
    HTTP = "http"
    XEN = "xen"


class Loader(StrEnum):
    """What runs on the machine and asks. FIRMWARE asks for a loader, a loader for its script."""

    FIRMWARE = "firmware"
    IPXE = "ipxe"
    PXELINUX = "pxelinux"
    GRUB = "grub"
    XEN = "xen"  # netprov-pxeboot, in dom0
    OS = "os"  # a DHCP client that boots nothing: an installer's kernel, an installed system


@quick
@dataclass(frozen=True, slots=True)
class BootRequest:
    """One question, in one shape whichever room heard it. What is unknown is None or empty.

    `arch` is the client's number of the IANA registry "Processor Architecture Types" (option 93); `server` the address
    the request arrived at; `ip` the client's own (leased, claimed in ciaddr, or the peer's).
    """

    via: Via
    loader: Loader
    mac: Mac | None = None
    uuid: str = ""  # lower case, dashes
    client_id: bytes = b""
    serial: str = ""
    circuit_id: bytes = b""
    remote_id: bytes = b""
    ip: IPv4Address | None = None
    server: IPv4Address | None = None
    relay: IPv4Address | None = None
    interface: str = ""
    arch: int | None = None
    vendor_class: str = ""
    user_class: tuple[bytes, ...] = ()
    path: str = ""

    @property
    def anonymous(self) -> bool:
        """Whether nothing but perhaps an address says who asks."""
        return self.mac is None and not self.uuid and not self.serial and not self.client_id
