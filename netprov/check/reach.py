"""Whether machines can reach us: interfaces, subnets, and the server they are told to fetch from."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from netprov.check.client import Reply, loader_in, tftp_read, unheard
from netprov.check.subject import EVERY, Finding, Severity, Subject, shortened
from netprov.inventory.model import DhcpMode, Subnet
from netprov.journal.verdicts.absent import Heard

_GIVING = (DhcpMode.FULL, DhcpMode.RESERVED)


def interfaces(subject: Subject) -> Iterator[Finding]:
    """The interfaces to serve: there, up, and with an address in a subnet."""
    inventory = subject.declared
    named = inventory.settings.server.interfaces
    for name in named:
        if name not in subject.links:
            there = ", ".join(other for other, link in subject.links.items() if not link.loopback)
            text = f"there is no interface {name}; this host has {there or 'none'}"
            advice = "fix server.interfaces: the server does not start without it"
            yield Finding("interface-missing", Severity.ERROR, text, advice, EVERY, "ip link")
    giving = inventory.settings.dhcp.mode in _GIVING
    for link in subject.served if named else ():
        machines = subject.systems_at(link)
        if not link.up:
            text = f"{link.name} is down"
            yield Finding("interface-down", Severity.ERROR, text, "", machines, f"ip link set {link.name} up")
        elif not link.addresses:
            text = f"{link.name} has no IPv4 address: what machines ask there is not answered"
            advice = "give it one, in the network of its machines"
            command = f"ip address add 192.168.77.1/24 dev {link.name}"
            yield Finding("interface-bare", Severity.ERROR, text, advice, machines, command)
        elif not link.running and not link.bridge:
            text = f"{link.name} has no carrier: is its cable in, and the switch on?"
            yield Finding("interface-no-carrier", Severity.WARNING, text, "", machines, f"ip link show {link.name}")
        elif giving and not link.loopback and not any(inventory.subnet_of(a.ip) for a in link.addresses):
            networks = ", ".join(str(address.network) for address in link.addresses)
            text = f"{link.name} is in {networks}, which dhcp.subnets does not declare: machines there get no address"
            advice = f"declare it: subnets: [{{subnet: {link.addresses[0].network}, range: …}}]"
            yield Finding("interface-no-subnet", Severity.WARNING, text, advice, machines)


def _missing(subject: Subject) -> bool:
    """Whether an interface to serve is not there."""
    return any(name not in subject.links for name in subject.declared.settings.server.interfaces)


def all_served(subject: Subject) -> str:
    """What was looked at, where every subnet can be heard."""
    if _missing(subject) or not subject.declared.subnets:
        return ""
    return "an interface or a relay serves each"


def subnets(subject: Subject) -> Iterator[Finding]:
    """Subnets that no packet can come from: no interface is in them, and no relay was ever heard."""
    inventory = subject.declared
    if _missing(subject):
        return  # which is told already: its subnets may be meant to be there
    here = {address.ip for link in subject.served for address in link.addresses}
    heard = Heard(subject.recorded.heard if subject.recorded is not None else frozenset())
    for subnet in inventory.subnets if inventory.settings.dhcp.mode is not DhcpMode.OFF else ():
        if any(ip in subnet.subnet for ip in here) or heard.any_in(subnet.subnet):
            continue
        away = [link.name for link in subject.links.values() if any(a.ip in subnet.subnet for a in link.addresses)]
        if away:
            text = f"{subnet.subnet} is at {away[0]}, which server.interfaces does not name"
            advice = f"add {away[0]} to server.interfaces, and restart the server"
        else:
            text = f"no interface of this host is in {subnet.subnet}, and nothing was ever heard from there"
            advice = f"where a router lies between, its relay must name this server: ip helper-address {_us(subject)}"
        yield Finding("subnet-unheard", Severity.WARNING, text, advice, subject.systems_in(subnet.subnet))


def _us(subject: Subject) -> str:
    named = subject.declared.settings.server.address
    return str(named or next((a.ip for link in subject.served for a in link.addresses), "ADDRESS"))


def next_servers(subject: Subject) -> Iterator[Finding]:
    """Who machines are told to fetch from: we, reachable from where they are, or another server that answers."""
    yield from _our_address(subject)
    for address, machines in _others(subject).items():
        if not subject.probing:
            continue
        reply = tftp_read(str(address), 69, loader_in(subject.declared))
        if reply in (Reply.SILENT, Reply.UNREACHABLE):
            text = f"next_server {address} does not answer TFTP: {reply.value}"
            advice = "fix next_server, or remove it: then machines fetch from this server"
            command = f"netprov explain {machines[0]}" if machines != EVERY else ""
            yield Finding("next-server-silent", Severity.WARNING, text, advice, machines, command)


def _our_address(subject: Subject) -> Iterator[Finding]:
    settings = subject.declared.settings
    address = settings.server.address
    if address is None:
        return
    if address not in subject.own:
        answers = subject.probing and not unheard(str(address), settings.http.port)
        if not answers:
            there = shortened(str(ip) for ip in sorted(subject.own) if not ip.is_loopback) or "none"
            text = f"machines are told to fetch from {address}, which is on no interface of this host ({there})"
            severity = Severity.ERROR if subject.server else Severity.WARNING
            advice = "fix server.address, or remove it: then machines are told the address of their interface"
            yield Finding("address-foreign", severity, text, advice, EVERY, "ip -4 address")
    if settings.dhcp.mode in _GIVING:
        for subnet in subject.declared.subnets:
            yield from _told(subject, subnet, subnet.next_server or address)


def _told(subject: Subject, subnet: Subnet, address: IPv4Address) -> Iterator[Finding]:
    """Whether machines of the subnet have a way to the address."""
    if address in subnet.subnet or subnet.router:
        return
    near = [a.ip for link in subject.served for a in link.addresses if a.ip in subnet.subnet]
    text = f"machines in {subnet.subnet} are told to fetch from {address}, which is outside, and no router is declared"
    if near and subnet.next_server is None:
        advice = f"remove server.address: they are then told {near[0]}; or declare the subnet's router:"
    else:
        advice = "declare the subnet's router:, or a next_server: in it"
    yield Finding("next-server-no-route", Severity.ERROR, text, advice, subject.systems_in(subnet.subnet))


def _others(subject: Subject) -> dict[IPv4Address, tuple[str, ...]]:
    """Other TFTP servers that machines are sent to, and which machines."""
    found: dict[IPv4Address, list[str]] = {}
    for system in subject.declared.systems():
        if system.next_server is not None:
            found.setdefault(system.next_server, []).append(system.name)
    for subnet in subject.declared.subnets:
        if subnet.next_server is not None:
            found.setdefault(subnet.next_server, list(subject.systems_in(subnet.subnet)))
    ours = {*subject.own, subject.declared.settings.server.address}
    return {ip: tuple(names) for ip, names in found.items() if ip not in ours}
