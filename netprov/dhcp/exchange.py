"""One question and what becomes of it: the values the DHCP and the ProxyDHCP core share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from netprov.boot.decision import BootDecision
from netprov.boot.names import PREVIEW, PREVIEW_OPTION
from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest, Loader
from netprov.boot.state import LoaderLoop
from netprov.dhcp import pxe
from netprov.dhcp.answer import NOTHING, BootFields, Place, boot_fields
from netprov.dhcp.classify import Arrival
from netprov.dhcp.destination import Destination, destination
from netprov.dhcp.packet import Packet, dotted, encode, message_limit
from netprov.dhcp.report import ANSWERS, report
from netprov.inventory.model import Settings
from netprov.journal.event import Event, Kind
from netprov.quick import quick
from netprov.state.records import Lease, Sighting


@quick
@dataclass(frozen=True, slots=True)
class Outgoing:
    """A reply to send. `arrival` says from which interface, address and port. `durable`: only once the leases of its
    outcome are stored (S1)."""

    data: bytes
    destination: Destination
    arrival: Arrival
    durable: bool = False


@quick
@dataclass(frozen=True, slots=True)
class Outcome:
    """What a packet leads to: always an event; perhaps a reply, and leases and sightings to store. `decision` is what
    it goes by; None for a packet that nobody could read."""

    event: Event
    reply: Outgoing | None = None
    leases: Sequence[Lease] = ()
    sightings: Sequence[Sighting] = ()
    decision: BootDecision | None = None


@quick
@dataclass(frozen=True, slots=True)
class Exchange:
    """One packet that was understood, and the decision about it."""

    query: Packet
    arrival: Arrival
    request: BootRequest
    decision: BootDecision
    client: str  # its key among the leases
    now: float
    settings: Settings

    @property
    def declared(self) -> bool:
        """Whether a declared system asks."""
        return bool(self.decision.system)

    @property
    def system(self) -> str:
        return self.decision.system

    @property
    def server(self) -> IPv4Address:
        """Our address, as the client is to use it."""
        return self.settings.server.address or self.arrival.server

    @property
    def server_id(self) -> IPv4Address:
        """What option 54 says: our interface's address, or the relay's where it wants to be asked itself (RFC 5107)."""
        override = pxe.relay_address(pxe.relay_info(self.query), pxe.SERVER_OVERRIDE)
        return override or self.arrival.server

    def is_ours(self, server_id: IPv4Address) -> bool:
        """Whether a client that names this server means us."""
        number = int(server_id)
        if number == int(self.server_id) or number == int(self.server):
            return True
        return any(number == int(address.ip) for address in self.arrival.addresses)

    def boot(self, place: Place) -> BootFields:
        """What the decision says about booting, for a reply at this point of the conversation."""
        return boot_fields(self.query, self.request, self.decision, self.server, self.settings.http.port, place)

    def given(self, loops: LoaderLoop) -> None:
        """The machine is given the decision's loader now; it counts for the loop guard, unless it only looks, or is no
        firmware and so starts nothing."""
        mac, file = self.request.mac, self.decision.loader_file
        if (
            mac is not None
            and file
            and self.request.loader is not Loader.OS
            and self.query.options.get(PREVIEW_OPTION) != PREVIEW.encode()
        ):
            loops.note(mac, file, self.query.xid, self.now)

    def drop(self, reason: Reason, text: str, kind: Kind = Kind.DHCP_DROP) -> Outcome:
        """No answer."""
        return Outcome(self._event(kind, reason, text), decision=self.decision)

    def ignore(self) -> Outcome:
        """No answer, for the decision's reason."""
        last = self.decision.trace[-1]
        return self.drop(last.reason, last.text)

    def seen(self, reason: Reason, text: str, kind: Kind, ip: IPv4Address | None = None) -> Outcome:
        """No answer, but worth remembering who is at `ip`."""
        sightings = (self.sighting(ip),) if ip is not None else ()
        return Outcome(self._event(kind, reason, text, str(ip or "")), sightings=sightings, decision=self.decision)

    def answer(
        self,
        reply: Packet,
        text: str,
        boot: BootFields,
        *,
        reason: Reason = Reason.DHCP_OK,
        kind: Kind | None = None,
        to: Destination | None = None,
        leases: Sequence[Lease] = (),
    ) -> Outcome:
        """`reply` goes out: to `to`, else where RFC 2131 says."""
        data = encode(reply, message_limit(self.query))
        outgoing = Outgoing(data, to or destination(self.query, reply), self.arrival, durable=bool(leases))
        ip = reply.yiaddr if int(reply.yiaddr) else self.query.ciaddr
        event = self._event(kind or ANSWERS[reply.type], reason, text, dotted(ip) if int(ip) else "", boot)
        sightings = tuple(self.sighting(lease.ip, lease) for lease in leases[:1])
        return Outcome(event, outgoing, leases, sightings, self.decision)

    def sighting(self, ip: IPv4Address, lease: Lease | None = None) -> Sighting:
        """That this machine is at `ip`. A stage that says less of itself than one before does not take that away."""
        request = self.request
        return Sighting(
            ip,
            request.mac or "",
            lease.uuid if lease is not None else request.uuid,
            request.client_id,
            circuit_id=request.circuit_id,
            remote_id=request.remote_id,
            arch=lease.arch if lease is not None else request.arch,
            at=self.now,
        )

    def _event(self, kind: Kind, reason: Reason, text: str, ip: str = "", boot: BootFields = NOTHING) -> Event:
        return report(
            self.now,
            kind,
            reason,
            text,
            self.query,
            self.arrival,
            self.request,
            self.decision,
            ip=ip,
            name=boot.name,
            next_server=dotted(boot.siaddr) if boot else "",
        )
