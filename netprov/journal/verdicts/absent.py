"""What can be said of a machine of which nothing was heard: the one verdict that no boot has."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network

from netprov.inventory.model import Inventory, Target
from netprov.journal.verdicts.verdict import UNNAMED, Context, Verdict

ID, NAME = "G16", "nothing heard from the subnet"
MEANING = (
    "a system is declared in a subnet, and neither it nor a relay or any other machine of that subnet has ever "
    "contacted this server"
)
SENTENCE = "Neither {system} nor any machine or relay in its subnet {subnet} has ever contacted this server."
ADVICE = (
    "Where a router lies between, its relay must name this server. On the router's interface in {subnet}:\n"
    "  Cisco IOS, Arista:  ip helper-address {server}\n"
    "  Juniper:            set forwarding-options dhcp-relay server-group netprov {server}\n"
    "  Linux:              dhcrelay -4 -a {server}\n"
    "Without a router: check that this host has an interface in {subnet}, named in server.interfaces if that is set."
)
SOURCE = "MAAS KB-02, xcat-core#1222"


class Heard:
    """Every relay and every machine's address in the journal, from their texts there."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self._sorted = sorted(_parsed(addresses))

    def any_in(self, subnet: IPv4Network) -> bool:
        place = bisect_left(self._sorted, int(subnet.network_address))
        return place < len(self._sorted) and self._sorted[place] <= int(subnet.broadcast_address)


def _parsed(addresses: Iterable[str]) -> Iterable[int]:
    for text in addresses:
        try:
            yield int(IPv4Address(text))
        except ValueError:
            continue


def absence(system: Target, inventory: Inventory, heard: Heard, context: Context) -> tuple[Verdict, ...]:
    """The verdict on a declared system that never booted: whose whole subnet is silent; else none."""
    for interface in system.interfaces:
        subnet = inventory.subnet_of(interface.ip.ip) if interface.ip is not None else None
        if subnet is None or heard.any_in(subnet.subnet):
            continue
        server = context.address or UNNAMED
        words = {"system": system.name, "subnet": str(subnet.subnet), "server": server}
        return (Verdict(ID, NAME, "error", SENTENCE.format_map(words), ADVICE.format_map(words), context.now),)
    return ()
