"""Where a reply goes (RFC 2131 §4.1), as a value: the shell finds the means."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from netprov.dhcp.classify import CLIENT_PORT, SERVER_PORT
from netprov.dhcp.packet import NAK, Packet
from netprov.mac import Mac
from netprov.quick import quick


@quick
@dataclass(frozen=True, slots=True)
class Unicast:
    """To an address that answers ARP, or is routed to."""

    ip: IPv4Address
    port: int = CLIENT_PORT


@dataclass(frozen=True, slots=True)
class Broadcast:
    """To 255.255.255.255 on the interface the question came in on. Never a subnet's own broadcast address: firmware
    without an address does not know it (PyPXE#190)."""

    port: int = CLIENT_PORT


@quick
@dataclass(frozen=True, slots=True)
class ToHardware:
    """To an address the client has not set up yet, at its Ethernet address: it cannot answer ARP for it."""

    mac: Mac
    ip: IPv4Address
    port: int = CLIENT_PORT


Destination = Unicast | Broadcast | ToHardware


def destination(query: Packet, reply: Packet) -> Destination:
    """Where `reply`, the answer to `query`, goes. The first that holds: a relay, ciaddr, the broadcast flag, yiaddr.

    A NAK is broadcast: the client is not to have the address it thinks it has.
    """
    if int(query.giaddr):
        return Unicast(query.giaddr, SERVER_PORT)
    if reply.type == NAK:
        return Broadcast()
    if int(query.ciaddr):
        return Unicast(query.ciaddr)
    if query.broadcast or not int(reply.yiaddr):
        return Broadcast()
    mac = query.mac
    return ToHardware(mac, reply.yiaddr) if mac is not None else Broadcast()
