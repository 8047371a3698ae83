"""Addresses: two that claim the same, ranges that run out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from ipaddress import IPv4Address

from netprov.check.subject import EVERY, Finding, Severity, Subject, shortened
from netprov.inventory.marks import recognisable
from netprov.inventory.model import DhcpMode, Inventory, Subnet, Target
from netprov.state.leases import Lease

_GIVING = (DhcpMode.FULL, DhcpMode.RESERVED)
_NEARLY = 0.9
"""The part of a range in use from which on it is as good as used up: a rack that is switched on takes the rest."""


def addresses(subject: Subject) -> Iterator[Finding]:
    """Addresses of systems that somebody else has. Two systems with one are the configuration's own error."""
    inventory = subject.declared
    leases = {lease.ip: lease for lease in subject.leases if lease.expires > subject.now}
    for ip, system in inventory.addresses():
        name = system.name
        if ip in subject.own:
            text = f"{ip} of system {name} is an address of this host"
            advice = "give the machine another, or remove it from the interface"
            yield Finding("address-ours", Severity.ERROR, text, advice, (name,))
        lease = leases.get(ip)
        if lease is not None and not _belongs(lease, system):
            yield _leased(lease, name)


def _belongs(lease: Lease, system: Target) -> bool:
    if lease.state == "released":
        return True
    macs = [i.mac for i in system.interfaces if i.mac is not None]
    return lease.state == "leased" and (lease.system == system.name or lease.mac in macs)


def _leased(lease: Lease, name: str) -> Finding:
    until = time.strftime("%Y-%m-%d %H:%M", time.localtime(lease.expires))
    if lease.state == "declined":
        text = f"{lease.ip} of system {name} is in use: a machine found another there"
        advice = f"find that machine by ARP, or give {name} another address"
        return Finding("address-in-use", Severity.WARNING, text, advice, (name,), f"ip neigh show {lease.ip}")
    text = f"{lease.ip} of system {name} is leased to {lease.mac or lease.client_id.hex()} until {until}"
    advice = f"until then {name} gets another address, or none; switch that machine off, or declare it"
    return Finding("address-leased", Severity.WARNING, text, advice, (name,), "netprov leases")


def ranges(subject: Subject) -> Iterator[Finding]:
    """Ranges that are used up, and machines that no range is for."""
    inventory = subject.declared
    if inventory.settings.dhcp.mode not in _GIVING:
        return
    busy = {lease.ip for lease in subject.leases if lease.state != "released" and lease.expires > subject.now}
    for subnet in inventory.subnets:
        if subnet.ranges:
            yield from _range(subnet, inventory, busy, subject.own)
    if inventory.subnets and not any(subnet.ranges for subnet in inventory.subnets):
        bare = _without_address(inventory)
        if bare:
            text = f"no subnet has a range:, and no address is declared for {shortened(bare)}"
            advice = "give them an ip: each, or a subnet a range:"
            yield Finding("range-none", Severity.ERROR, text, advice, bare)


def _range(
    subnet: Subnet, inventory: Inventory, busy: set[IPv4Address], own: frozenset[IPv4Address]
) -> Iterator[Finding]:
    whole = sum(int(r.last) - int(r.first) + 1 for r in subnet.ranges)
    never = {*(ip for ip, _ in inventory.addresses()), *subnet.router, *subnet.dns, *own}
    withheld = sum(any(ip in r for r in subnet.ranges) for ip in never)
    used = sum(any(ip in r for r in subnet.ranges) for ip in busy if ip not in never)
    size = whole - withheld
    if used < size * _NEARLY:
        return
    severity = Severity.ERROR if used >= size else Severity.WARNING
    text = f"{used} of the {size} addresses to give in {subnet.subnet} are in use"
    advice = f"widen its range:, or shorten lease: ({subnet.origin})"
    machines = _without_address(inventory) or EVERY if severity is Severity.ERROR else ()
    yield Finding("range-exhausted", severity, text, advice, machines, "netprov leases")


def _without_address(inventory: Inventory) -> tuple[str, ...]:
    return tuple(system.name for system in inventory.systems() if not any(i.ip for i in system.interfaces))


def unmatched(subject: Subject) -> Iterator[Finding]:
    """Systems that no packet can be recognised as."""
    lost = tuple(system.name for system in subject.declared.systems() if not recognisable(system))
    if lost:
        text = f"nothing identifies {shortened(lost)}: no MAC, UUID, client-id, "
        text += "serial number, circuit or remote id"
        advice = 'write one: interfaces: {eth0: {mac: "52:54:…"}} (the page lists unknown machines seen lately)'
        yield Finding("system-unmatched", Severity.WARNING, text, advice, lost)
