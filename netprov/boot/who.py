"""From what an operator types to a machine."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from uuid import UUID

from netprov.boot.identify import identify
from netprov.boot.owner import first_mac
from netprov.boot.request import BootRequest, Loader, Via
from netprov.inventory.model import Inventory, Target
from netprov.mac import parse_mac


class UnknownName(Exception):
    """Neither a system nor anything that could be a machine's. Its text says what is near."""


def who(text: str, inventory: Inventory) -> BootRequest:
    """The machine that `text` means: a system's name or host name, a MAC, a UUID or an address, declared or not.

    Raises UnknownName.
    """
    system = inventory.system(text) or inventory.system_by_hostname(text)
    if system is not None:
        return of_system(system)
    try:
        return BootRequest(Via.DHCP, Loader.FIRMWARE, mac=parse_mac(text))
    except ValueError:
        pass
    try:
        return BootRequest(Via.DHCP, Loader.FIRMWARE, uuid=str(UUID(text)))
    except ValueError:
        pass
    try:
        return _at(IPv4Address(text), inventory)
    except ValueError:
        hint = inventory.nearest(text) or "; give a system's name, a MAC, a UUID or an address"
        raise UnknownName(f"no system {text!r} is declared{hint}") from None


def system_of(text: str, inventory: Inventory) -> str:
    """The declared system that `text` means; "" for a machine that is not declared. Raises UnknownName."""
    match = identify(who(text, inventory), inventory)
    return match.target.name if match is not None else ""


def _at(ip: IPv4Address, inventory: Inventory) -> BootRequest:
    """The machine at the address: with the MAC that it is declared for."""
    asking = BootRequest(Via.DHCP, Loader.FIRMWARE, ip=ip)
    target = inventory.system_by_ip(ip)
    for interface in target.interfaces if target is not None else ():
        if interface.ip is not None and interface.ip.ip == ip and interface.mac is not None and target is not None:
            return replace(of_system(target), mac=interface.mac, ip=ip)
    return asking


def of_system(target: Target) -> BootRequest:
    """The declared system as it would ask: with its first interface that has a MAC."""
    return BootRequest(
        Via.DHCP,
        Loader.FIRMWARE,
        mac=first_mac(target),
        uuid=target.uuid,
        serial=target.serial,
        client_id=target.client_id,
        circuit_id=target.circuit_id,
        remote_id=target.remote_id,
    )
