"""From a packet and how it came to the question every room asks: who, with what, over what."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Interface

from netprov.boot.arch import ARCHS, RPIBOOT, UBOOT_CLASSES, is_uboot
from netprov.boot.request import BootRequest, Loader, Via
from netprov.dhcp import pxe
from netprov.dhcp.packet import ANY, Packet

SERVER_PORT, CLIENT_PORT, PROXY_PORT = 67, 68, 4011


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a packet reached us.

    `server` is our address it arrived at (for a broadcast: the interface's), `addresses` all of that interface;
    `unicast` whether it was sent to us alone; `port` our port, 67 or 4011; `peer` who sent it.
    """

    interface: str
    server: IPv4Address
    addresses: tuple[IPv4Interface, ...] = ()
    index: int = 0
    unicast: bool = False
    port: int = SERVER_PORT
    peer: IPv4Address = ANY
    peer_port: int = CLIENT_PORT


def classify(packet: Packet, arrival: Arrival, via: Via) -> BootRequest:
    """The BootRequest in `packet`. Its `relay` is the address that tells the client's link (RFC 3527, or giaddr)."""
    options = packet.options
    program = _program(tuple([options.get(code) for code in _TELLING]))
    info = pxe.relay_info(packet)
    relay = pxe.relay_address(info, pxe.LINK_SELECTION) or (packet.giaddr if int(packet.giaddr) else None)
    return BootRequest(
        via=via,
        loader=program.loader,
        mac=packet.mac,
        uuid=pxe.client_uuid(packet),
        client_id=options.get(61, b""),
        circuit_id=info.get(pxe.CIRCUIT_ID, b""),
        remote_id=info.get(pxe.REMOTE_ID, b""),
        # what a client claims is believed where the packet came from that address too
        ip=packet.ciaddr if int(packet.ciaddr) and packet.ciaddr == arrival.peer else None,
        server=arrival.server,
        relay=relay,
        interface=arrival.interface,
        arch=RPIBOOT if program.arch == 0 and pxe.is_raspberry_pi(packet) else program.arch,
        vendor_class=program.vendor_class,
        user_class=program.user_class,
    )


_TELLING = (60, 77, 93, 175)  # the options that tell what runs on a machine


@dataclass(frozen=True, slots=True)
class _Program:
    """What runs on a machine, as it says itself."""

    loader: Loader
    arch: int | None
    vendor_class: str
    user_class: tuple[bytes, ...]


@lru_cache(maxsize=1024)  # a hall's machines run a handful
def _program(told: tuple[bytes | None, ...]) -> _Program:
    """The program that tells this in the options _TELLING."""
    packet = Packet(options={code: value for code, value in zip(_TELLING, told, strict=True) if value is not None})
    archs = pxe.client_archs(packet)
    vendor_class = packet.options.get(60, b"").decode("latin-1")
    return _Program(
        _loader(packet, vendor_class),
        _arch(archs) if archs else _uboot_arch(vendor_class),
        vendor_class,
        pxe.user_class(packet) if 77 in packet.options else (),
    )


def _arch(archs: tuple[int, ...]) -> int:
    """The first architecture of the client's list that something can be booted on; else its first."""
    return next((code for code in archs if code in ARCHS and ARCHS[code].loaders), archs[0])


def _uboot_arch(vendor_class: str) -> int | None:
    return next((arch for begin, arch in UBOOT_CLASSES.items() if vendor_class.startswith(begin)), None)


def _loader(packet: Packet, vendor_class: str) -> Loader:
    if pxe.is_xen(packet):
        return Loader.XEN
    if pxe.is_ipxe(packet):
        return Loader.IPXE
    # U-Boot has a vendor class of its own, or tells its architecture
    if pxe.is_pxe(packet) or pxe.is_http(packet) or is_uboot(vendor_class) or 93 in packet.options:
        return Loader.FIRMWARE
    return Loader.OS
