"""The event of each packet: what came, what was answered, and why."""

from __future__ import annotations

from collections.abc import Mapping

from netprov.boot.arch import ARCHS
from netprov.boot.decision import BootDecision
from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest
from netprov.dhcp.classify import Arrival
from netprov.dhcp.packet import ACK, NAK, OFFER, TYPE_NAMES, Packet, dotted
from netprov.journal.event import Event, Kind

ANSWERS: Mapping[int | None, Kind] = {
    OFFER: Kind.DHCP_OFFER,
    ACK: Kind.DHCP_ACK,
    NAK: Kind.DHCP_NAK,
    None: Kind.DHCP_BOOTP,
}
"""The kind of event for each kind of reply."""


_GIVING = (Kind.DHCP_OFFER, Kind.DHCP_ACK, Kind.DHCP_BOOTP, Kind.DHCP_INFORM)


def report(
    at: float,
    kind: Kind,
    reason: Reason,
    text: str,
    query: Packet,
    arrival: Arrival,
    request: BootRequest,
    decision: BootDecision | None = None,
    *,
    ip: str = "",
    name: str = "",
) -> Event:
    """The event for `query`."""
    detail = [("type", TYPE_NAMES.get(query.type, str(query.type))), ("loader", request.loader.value)]
    if request.arch is not None:
        row = ARCHS.get(request.arch)
        detail.append(("arch", row.name if row is not None else str(request.arch)))
    if request.vendor_class:
        detail.append(("vendor_class", request.vendor_class))
    if request.user_class:
        detail.append(("user_class", " ".join(c.decode("latin-1") for c in request.user_class)))
    if query.secs:
        detail.append(("secs", str(query.secs)))
    if arrival.interface:
        detail.append(("interface", arrival.interface))
    if arrival.port != 67:
        detail.append(("port", str(arrival.port)))
    if request.circuit_id:
        detail.append(("circuit_id", request.circuit_id.decode("latin-1")))
    system = ""
    if decision is not None:
        detail.append(("why", "; ".join(step.text for step in decision.trace)))
        if decision.target is not None and decision.target.kind == "system":
            system = decision.target.name
    return Event(
        at=at,
        kind=kind,
        reason=reason,
        text=text,
        stage=("loader" if name else "address") if kind in _GIVING else "",
        mac=request.mac or "",
        uuid=request.uuid,
        client_id=request.client_id.hex(),
        xid=query.xid,
        ip=ip,
        peer=f"{dotted(arrival.peer)}:{arrival.peer_port}",
        relay=dotted(query.giaddr) if int(query.giaddr) else "",
        system=system,
        name=name,
        detail=tuple(detail),
    )


def malformed(at: float, reason: Reason, text: str, arrival: Arrival) -> Event:
    """The event for a packet nobody could read."""
    detail = (("interface", arrival.interface), ("port", str(arrival.port)))
    return Event(at, Kind.DHCP_DROP, reason, text, peer=f"{arrival.peer}:{arrival.peer_port}", detail=detail)
