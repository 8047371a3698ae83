"""From a decision to the boot fields of a reply, in the dialect the client's firmware understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from netprov.boot.arch import ARCHS, RPIBOOT, is_uboot
from netprov.boot.decision import Action, BootDecision
from netprov.boot.request import BootRequest, Loader
from netprov.dhcp import pxe
from netprov.dhcp.packet import ANY, Packet
from netprov.quick import quick

TFTP_SERVERS = 150  # RFC 5859: what Cisco's, Arista's and Juniper's switches and telephones ask for beside 66
FILE_FIELD = 127  # octets of a name that `file` holds with its NUL; a longer one goes in option 67 alone


@quick
@dataclass(frozen=True, slots=True)
class BootFields:
    """What a reply says about booting. Empty: nothing to boot."""

    siaddr: IPv4Address = ANY
    sname: bytes = b""
    file: bytes = b""
    options: Mapping[int, bytes] = field(default_factory=dict)
    name: str = ""  # the boot file as sent; "" where firmware asks `siaddr` for names of its own

    def __bool__(self) -> bool:
        return bool(int(self.siaddr))

    @property
    def told(self) -> str:
        """What is sent, as it is told to people."""
        return self.name or f"{self.siaddr} to ask for files of its own names"


NOTHING = BootFields()


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of client wants to be told. `full`, `proxy` and `server` are the PXE sub-options of option 43 in a
    reply with an address, in a ProxyOFFER and in an ACK from port 4011; None: no option 43. `source` is where that is
    known from.
    """

    name: str
    applies: Callable[[BootRequest, Packet], bool]
    vendor_class: bytes
    full: Mapping[int, bytes] | None
    proxy: Mapping[int, bytes] | None
    server: Mapping[int, bytes] | None
    source: str


_BYPASS = {pxe.DISCOVERY_CONTROL: pxe.USE_BOOTFILE}
_RASPBERRY = {
    pxe.DISCOVERY_CONTROL: pxe.USE_BOOTFILE,
    pxe.BOOT_MENU: b"\x00\x00\x11Raspberry Pi Boot",
    pxe.MENU_PROMPT: b"\x00PXE",
}


def _is_uefi(request: BootRequest) -> bool:
    arch = ARCHS.get(request.arch) if request.arch is not None else None
    return arch is not None and arch.uefi and not is_uboot(request.vendor_class)


DIALECTS = (
    Dialect(
        "ipxe", lambda request, _: request.loader is Loader.IPXE, pxe.PXE_CLASS, None, None, None,
        "ipxe src/net/udp/dhcp.c: an offer of class PXEClient with a file name in it needs no ProxyDHCP request",
    ),
    Dialect(
        "http", lambda _, packet: pxe.is_http(packet), pxe.HTTP_CLASS, None, None, None,
        "edk2 HttpBootDhcp4.c: an offer counts only with class HTTPClient and a URL as its boot file",
    ),
    Dialect(
        "raspberry-pi", lambda request, _: request.arch == RPIBOOT, pxe.PXE_CLASS,
        _RASPBERRY, _RASPBERRY, _RASPBERRY,
        "Raspberry Pi 3 boot ROM: looks for the text 'Raspberry Pi Boot' in the boot menu",
    ),
    Dialect(
        "pxe-uefi", lambda request, _: _is_uefi(request), pxe.PXE_CLASS, _BYPASS, None, None,
        "edk2 PxeBcDhcp4.c: with an address, class PXEClient without option 43 sends the client to port 4011 "
        "(edk2#8149); in a ProxyOFFER option 43 makes firmware up to 2017 throw the offer away (edk2#6944), and "
        "without it all firmware asks port 4011",
    ),
    Dialect(
        "pxe-bios", lambda _, packet: pxe.is_pxe(packet), pxe.PXE_CLASS, _BYPASS, _BYPASS, _BYPASS,
        "PXE 2.1 §2.4: discovery control bit 3 loads the file of this packet, without menu or search",
    ),
    Dialect(
        "plain", lambda _request, _packet: True, b"", None, None, None,
        "U-Boot, BOOTP clients, switches that set themselves up: siaddr and file, or options 66, 67 and 150 (RFC 5859)",
    ),
)  # fmt: skip
"""The first that applies is the client's."""


def dialect_of(request: BootRequest, packet: Packet) -> Dialect:
    return next(dialect for dialect in DIALECTS if dialect.applies(request, packet))


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the conversation a reply stands: with an address, in a ProxyOFFER, or on port 4011."""

    proxy: bool = False
    boot_server: bool = False


FULL, PROXY_OFFER, BOOT_SERVER = Place(), Place(proxy=True), Place(proxy=True, boot_server=True)


def boot_fields(
    packet: Packet, request: BootRequest, decision: BootDecision, server: IPv4Address, http_port: int, place: Place
) -> BootFields:
    """The boot fields for `decision`; NOTHING where it sends no loader.

    `server` is our address as the client sees it. Nothing is ever overloaded into sname and file (RFC 2132 §9.3): PXE
    ROMs do not look there.
    """
    if decision.action is not Action.LOADER:
        return NOTHING
    dialect = dialect_of(request, packet)
    next_server = decision.next_server or server
    name = boot_file(decision, server, http_port)
    octets = name.encode()
    options: dict[int, bytes] = {}
    if dialect.vendor_class:
        options[60] = dialect.vendor_class
    vendor = dialect.server if place.boot_server else dialect.proxy if place.proxy else dialect.full
    item = pxe.boot_item(packet) if place.boot_server else b""
    if item:
        # PXE 2.1 §2.2.5: a boot server's ACK says which item it answers
        vendor = {**(vendor or {}), pxe.BOOT_ITEM: item}
    if vendor:
        options[43] = pxe.encode_vendor(vendor)
    if 97 in packet.options:
        options[97] = packet.options[97]
    if dialect.name == "ipxe" and not place.proxy:
        options[175] = bytes((pxe.NO_PXEDHCP, 1, 1))
    options[66] = str(next_server).encode()
    if dialect.name == "plain" and TFTP_SERVERS in packet.options.get(55, b""):
        options[TFTP_SERVERS] = next_server.packed
    if octets:
        options[67] = octets
    file = octets if len(octets) <= FILE_FIELD else b""
    return BootFields(next_server, str(next_server).encode(), file, options, name)


def boot_file(decision: BootDecision, server: IPv4Address, http_port: int) -> str:
    """The loader's name as the client is told it: a name for TFTP, or a URL."""
    name = decision.loader_file
    if not name or "://" in name:
        return name
    host = f"http://{server}" + (f":{http_port}" if http_port != 80 else "")
    if decision.over_http:
        return host + (name if name.startswith("/") else f"/files/{name}")
    return name
