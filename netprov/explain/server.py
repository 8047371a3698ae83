"""Which of our addresses a machine would ask, where nobody says."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from netprov.dhcp.interfaces import interfaces
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


def _networks(inventory: Inventory, target: Target | None) -> Iterator[IPv4Network]:
    """The declared subnets, that of the target first."""
    for interface in target.interfaces if target is not None else ():
        subnet = inventory.subnet_of(interface.ip.ip) if interface.ip is not None else None
        if subnet is not None:
            yield subnet.subnet
    yield from (subnet.subnet for subnet in inventory.subnets)


def _held(inventory: Inventory) -> Iterator[IPv4Address]:
    """The addresses of this host's interfaces that serve."""
    named = inventory.settings.server.interfaces
    for interface in interfaces().values():
        if interface.name in named or (not named and interface.name != "lo"):
            yield from (address.ip for address in interface.addresses)
