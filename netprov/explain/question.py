"""The DISCOVER that a machine sends, by what is on it: firmware, iPXE, or netprov's bootloader for domUs."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address

from netprov.boot.arch import Arch
from netprov.boot.programs import Runs, dhcp_options, firmware_of
from netprov.boot.request import BootRequest, Loader
from netprov.dhcp import pxe
from netprov.dhcp.packet import ANY, BROADCAST_FLAG, DISCOVER, MAX_MESSAGE, REQUEST, Packet, encode
from netprov.mac import Mac, octets_of

STAND_IN = Mac("02:00:00:00:00:01")
"""The MAC of a machine that is known by something else: a packet has to have one (locally administered)."""

_XID = 1
_RUNS = {Loader.IPXE: Runs.IPXE, Loader.XEN: Runs.XEN}  # what asks by DHCP beside the firmware


def discover(asking: BootRequest, arch: Arch, loader: Loader) -> bytes:
    """The DISCOVER of the machine while `loader` is on it; with what its relay adds, where it has one."""
    return _packet(asking, DISCOVER, _told(asking, arch, loader))


def ask_boot_server(asking: BootRequest, arch: Arch, loader: Loader, server: IPv4Address, ip: IPv4Address) -> bytes:
    """Its question on port 4011, once another server has given it the address `ip` (PXE 2.1 §2.2.3)."""
    told = [(54, server.packed), *_told(asking, arch, loader)]
    return _packet(asking, REQUEST, told, ip)


def _told(asking: BootRequest, arch: Arch, loader: Loader) -> list[tuple[int, bytes]]:
    runs = _RUNS.get(loader) or firmware_of(arch)
    return dhcp_options(runs, arch, asking.mac or STAND_IN, asking.uuid, asking.client_id)


def _packet(asking: BootRequest, kind: int, told: Iterable[tuple[int, bytes]], ciaddr: IPv4Address = ANY) -> bytes:
    options = {53: bytes((kind,)), 57: (MAX_MESSAGE + 28).to_bytes(2, "big"), **dict(told)}
    if asking.relay is not None:
        ports = {pxe.CIRCUIT_ID: asking.circuit_id, pxe.REMOTE_ID: asking.remote_id}
        added = b"".join(bytes((code, len(value))) + value for code, value in ports.items() if value)
        options |= {82: added} if added else {}
    packet = Packet(
        xid=_XID,
        hops=1 if asking.relay is not None else 0,
        flags=0 if int(ciaddr) else BROADCAST_FLAG,
        ciaddr=ciaddr,
        giaddr=asking.relay or ANY,
        chaddr=octets_of(asking.mac or STAND_IN).ljust(16, b"\0"),
        options=options,
    )
    return encode(packet, MAX_MESSAGE)
