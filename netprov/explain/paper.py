"""The DHCP server on paper: its core, with no socket before and no database behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Protocol

from netprov.boot.decision import BootDecision
from netprov.boot.reason import Reason
from netprov.dhcp.classify import Arrival
from netprov.dhcp.destination import Broadcast, Destination, ToHardware, Unicast
from netprov.dhcp.packet import Packet, parse
from netprov.dhcp.reply import client_options, subnet_options, target_options
from netprov.dhcp.server import DhcpServer
from netprov.errors import Origin
from netprov.explain.stage import Reply
from netprov.inventory.model import Inventory
from netprov.journal.event import Event
from netprov.render.preview import Records
from netprov.state.records import Lease


class LeaseBook(Protocol):
    """The addresses given. Raises StateError."""

    def all(self) -> Iterable[Lease]: ...
    def at(self, ip: IPv4Address) -> Lease | None: ...


class NoLeases:
    """The book of a server that never ran."""

    def all(self) -> Iterable[Lease]:
        return ()

    def at(self, ip: IPv4Address) -> Lease | None:
        return None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a packet leads to. `decision`: None for one that nobody could read."""

    event: Event
    decision: BootDecision | None
    reply: Reply | None


class Paper:
    """Answers as the server would, with the leases and the install records that it has. What comes of an answer (an
    address offered, a loader given) counts for the next one, and goes nowhere else."""

    def __init__(
        self, inventory: Inventory, records: Records, leases: Iterable[Lease], now: float, own: Iterable[IPv4Address]
    ) -> None:
        self._inventory = inventory
        self._core = DhcpServer(inventory, records, leases, now, own)

    def hear(self, data: bytes, arrival: Arrival, now: float) -> Heard:
        """The packet `data` came, at `now` (seconds since the epoch)."""
        outcome = self._core.receive(data, arrival, now)
        reply = None
        if outcome.reply is not None:
            packet = parse(outcome.reply.data)
            vendor_class = parse(data).options.get(60, b"").decode("latin-1")
            decision = outcome.decision
            origins = self._origins(packet, decision, vendor_class) if decision is not None else {}
            reply = Reply(packet, _where(outcome.reply.destination), origins=origins)
        return Heard(outcome.event, outcome.decision, reply)

    def _origins(self, packet: Packet, decision: BootDecision, vendor_class: str) -> dict[int, Origin]:
        """Where what the options say was declared: with the machine, its subnet, or what names the boot file."""
        target, ip = decision.target, packet.yiaddr
        system = target if target is not None and target.kind == "system" else None
        subnet = self._inventory.subnet_of(ip) if int(ip) else None
        own = target_options(system, ip) if system is not None else {}
        written = client_options(target, vendor_class)[0] if target is not None else {}
        common = {51, *subnet_options(subnet)} if subnet is not None else set()
        found: dict[int, Origin | None] = {}
        for code in packet.options:
            if packet.options[code] == written.get(code) and target is not None:
                found[code] = target.origins.get("dhcp_options")
            elif code in own and system is not None:
                found[code] = system.origins.get(_FIELDS.get(code, "interfaces"), system.origins.get("interfaces"))
            elif code in common and subnet is not None:
                found[code] = subnet.origin
            elif code == 66 and decision.next_server is not None:
                sends = decision.subnet.origin if decision.subnet is not None else None
                found[code] = target.origins.get("next_server", sends) if target is not None else sends
            elif code == 67:
                found[code] = next((step.origin for step in decision.trace if step.reason in _NAMING), None)
        return {code: origin for code, origin in found.items() if origin is not None}


_FIELDS = {3: "gateway", 6: "name_servers", 12: "hostname", 119: "name_servers_search"}
"""The field of a system that an option is made of; the rest is its interface's."""

_NAMING = (Reason.FILENAME_SET, Reason.LOADER_CHOSEN)


def _where(destination: Destination) -> str:
    match destination:
        case Unicast(ip, port):
            return f"{ip}:{port}"
        case ToHardware(mac, ip, port):
            return f"{ip}:{port} at {mac}"
        case Broadcast(port):
            return f"255.255.255.255:{port}"
