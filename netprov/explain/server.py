"""Which of our addresses a machine would ask, where nobody says, and how its packets would come."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from netprov.dhcp.classify import CLIENT_PORT, SERVER_PORT, Arrival
from netprov.dhcp.interfaces import Interface, interfaces
from netprov.dhcp.packet import ANY
from netprov.inventory.model import Inventory, Target


def our_address(inventory: Inventory, target: Target | None = None) -> IPv4Address | None:
    """server.address; else this host's address in the subnet of `target`, or in any that is declared; else the first
    of a subnet, to decide by. None: nothing tells.
    """
    if inventory.settings.server.address is not None:
        return inventory.settings.server.address
    networks = list(_networks(inventory, target))
    held = list(_held(inventory))
    for network in networks:
        if inside := [address for address in held if address in network]:
            return inside[0]
    first = next((network[1] for network in networks if network.prefixlen < 31), None)
    return first or next(iter(held), None)


def arrival(
    inventory: Inventory, server: IPv4Address | None, target: Target | None, relay: IPv4Address | None = None,
    *, told: bool = False,
) -> Arrival | None:  # fmt: skip
    """How a DHCP packet of `target` would reach us at `server`; None where nothing tells our address.

    A broadcast comes by the interface that is in the machine's subnet, where this host has one (`told`: the operator
    says himself that it is `server`), a relay's packet to `server`. Elsewhere than on the server's host its interface
    is made up.
    """
    if server is None:
        return None
    ours = list(_interfaces(inventory))
    here = inventory.settings.server.address is None or any(server == a.ip for i in ours for a in i.addresses)
    networks = list(_networks(inventory, target))[:1] if target is not None else []
    at, by = server, next((i for i in ours if server in (a.ip for a in i.addresses)), None)
    if here and not told and relay is None:
        for interface in ours:
            inside = next((a.ip for a in interface.addresses for n in networks if a.ip in n), None)
            if inside is not None:
                at, by = inside, interface
                break
    subnet = inventory.subnet_of(at)
    made_up = IPv4Interface((int(at), subnet.subnet.prefixlen if subnet is not None else 24))
    return Arrival(
        interface=by.name if by is not None else "",
        server=at,
        addresses=by.addresses if by is not None else (made_up,),
        unicast=relay is not None,
        port=inventory.settings.dhcp.port,
        peer=relay or ANY,
        peer_port=SERVER_PORT if relay is not None else CLIENT_PORT,
    )


def _networks(inventory: Inventory, target: Target | None) -> Iterator[IPv4Network]:
    """The declared subnets, that of the target first."""
    for interface in target.interfaces if target is not None else ():
        subnet = inventory.subnet_of(interface.ip.ip) if interface.ip is not None else None
        if subnet is not None:
            yield subnet.subnet
    yield from (subnet.subnet for subnet in inventory.subnets)


def _held(inventory: Inventory) -> Iterator[IPv4Address]:
    """The addresses of this host's interfaces that serve."""
    for interface in _interfaces(inventory):
        yield from (address.ip for address in interface.addresses)


def _interfaces(inventory: Inventory) -> Iterator[Interface]:
    named = inventory.settings.server.interfaces
    for interface in interfaces().values():
        if interface.name in named or (not named and interface.name != "lo"):
            yield interface
