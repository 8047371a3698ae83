"""Whether this host's firewall is in the way of machines that boot."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from netprov.check.firewall import iptables, nft
from netprov.check.firewall.rules import Chain, Outcome, Packet, Table, walk
from netprov.check.links import Link
from netprov.check.subject import Finding, Severity, Subject
from netprov.errors import PeerError
from netprov.inventory.model import DhcpMode, Settings

_ANY: tuple[int, int] = (1024, 65535)
_NOBODY, _BROADCAST = IPv4Network("0.0.0.0/32"), IPv4Network("255.255.255.255/32")
_SECONDS = 10.0
_EPHEMERAL = (32768, 60999)  # the kernel's default of net.ipv4.ip_local_port_range


@dataclass(frozen=True, slots=True)
class Service:
    """What machines send us, and how it is called. `reply`: it belongs to a conversation that we began."""

    name: str
    proto: str
    dport: tuple[int, int]
    sport: tuple[int, int] = _ANY
    broadcast: bool = False
    reply: bool = False

    @property
    def ports(self) -> str:
        first, last = self.dport
        return f"{self.proto.upper()} {first}" if first == last else f"{self.proto.upper()} {first}-{last}"


def firewall(subject: Subject) -> Iterator[Finding]:
    try:
        tables = ruleset()
    except PeerError as error:
        text = f"the firewall's rules are not read: {error.text}"
        yield Finding("firewall-not-read", Severity.NOTE, text)
        return
    bases = [(table, chain) for table in tables for chain in table.chains.values() if chain.hook]
    for link in subject.served:
        machines = subject.systems_at(link)
        for service in services(subject.declared.settings):
            for table, chain in bases:
                yield from _judged(table, chain, link, service, machines)


def services(settings: Settings) -> Sequence[Service]:
    found: list[Service] = []
    if settings.dhcp.mode is not DhcpMode.OFF:
        dhcp = settings.dhcp
        found.append(Service("DHCP", "udp", (dhcp.port, dhcp.port), (68, 68), broadcast=True))
        found.append(Service("ProxyDHCP", "udp", (dhcp.proxy_port, dhcp.proxy_port)))
    if settings.tftp.enabled:
        found.append(Service("TFTP", "udp", (settings.tftp.port, settings.tftp.port)))
        if not settings.tftp.single_port:
            found.append(Service("TFTP's data", "udp", settings.tftp.ports or _local_ports(), reply=True))
    if settings.http.enabled:
        found.append(Service("HTTP", "tcp", (settings.http.port, settings.http.port)))
    if settings.syslog.enabled:
        found.append(Service("installers' logs", "udp", (settings.syslog.port, settings.syslog.port)))
    return found


def _local_ports() -> tuple[int, int]:
    try:
        first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
        return int(first), int(last)
    except (OSError, ValueError):
        return _EPHEMERAL


def ruleset() -> list[Table]:
    """Every table of this network namespace that packets pass on their way in. Raises PeerError."""
    programs = [name for name in ("nft", "iptables-save") if shutil.which(name) is not None]
    if not programs:
        raise PeerError("neither nft nor iptables-save is installed (apt-get install nftables)")
    saved = _output("iptables-save") if "iptables-save" in programs else ""
    found = iptables.tables(saved)
    if "nft" in programs:
        theirs = {f"ip {name}" for name in iptables.NFT_TABLES} if "nf_tables" in saved else set()
        found += [table for table in nft.tables(_output("nft", "-j", "list", "ruleset")) if table.name not in theirs]
    return found


def _output(*command: str) -> str:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=_SECONDS,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerError(f"{command[0]}: {error}") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise PeerError(f"{command[0]}: {said[0] if said else f'exit status {done.returncode}'}")
    return done.stdout


def _judged(table: Table, chain: Chain, link: Link, service: Service, machines: tuple[str, ...]) -> Iterator[Finding]:
    for packet in _packets(link, service):
        outcome = walk(table, chain, packet)
        if outcome.passes and not outcome.unread:
            continue
        where = f"{table.tool} {table.name} {chain.name}"
        what = f"{service.name} ({service.ports}) at {link.name}"
        if not outcome.passes and not outcome.unread:
            text = f"the firewall drops {what}, in {where}: {outcome.by}"
            command = _command(table, chain, link, service)
            yield Finding("firewall-drops", Severity.ERROR, text, "let it in", machines, command)
        else:
            yield _unread(what, where, outcome, machines)
        return  # the same of the interface's other networks


def _unread(what: str, where: str, outcome: Outcome, machines: tuple[str, ...]) -> Finding:
    rule = outcome.unread[0] + (f" (and {len(outcome.unread) - 1} more)" if len(outcome.unread) > 1 else "")
    if outcome.passes:
        text = f"{what} gets in unless a rule matches that netprov cannot fully read, in {where}: {rule}"
        return Finding("firewall-unread", Severity.NOTE, text)
    text = f"{what} gets in only if a rule matches that netprov cannot fully read, in {where}: {rule}"
    return Finding("firewall-unread", Severity.WARNING, text, "make sure that it matches", machines)


def _packets(link: Link, service: Service) -> Iterator[Packet]:
    """What the firewall sees of machines in each of the interface's networks."""
    if service.broadcast:
        yield Packet(link.name, service.proto, _NOBODY, _BROADCAST, service.sport, service.dport, broadcast=True)
        return
    # we begin the conversation that data are sent in, from a port of their own: to the firewall they are replies
    state = "established" if service.reply else "new"
    for address in link.addresses:
        to = IPv4Network(address.ip)
        yield Packet(link.name, service.proto, address.network, to, service.sport, service.dport, state)


def _command(table: Table, chain: Chain, link: Link, service: Service) -> str:
    first, last = service.dport
    if "firewalld" in table.name:
        ports = f"{first}-{last}" if first != last else str(first)
        return f"firewall-cmd --permanent --add-port={ports}/{service.proto} && firewall-cmd --reload"
    if any(name.startswith("ufw-") for name in table.chains):
        ports = f"{first}:{last}" if first != last else str(first)
        return f"ufw allow in on {link.name} to any port {ports} proto {service.proto}"
    if table.tool == "iptables":
        fits = f"-m conntrack --ctstate ESTABLISHED -p {service.proto}" if service.reply else (
            f"-p {service.proto} --dport {first}"
        )  # fmt: skip
        return f"iptables -t {table.name} -I {chain.name} -i {link.name} {fits} -j ACCEPT"
    fits = "ct state established" if service.reply else f"{service.proto} dport {first}"
    return f"nft insert rule {table.name} {chain.name} iifname {link.name} {fits} accept"
