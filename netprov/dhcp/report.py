"""The event of each packet: what came, what was answered, and why."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from netprov.boot.arch import ARCHS
from netprov.boot.decision import BootDecision
from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest
from netprov.dhcp.classify import Arrival
from netprov.dhcp.packet import ACK, NAK, OFFER, REQUEST, TYPE_NAMES, Packet, dotted
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
    next_server: str = "",
) -> Event:
    """The event for `query`. `name` and `next_server`: the boot file, and where it is to be fetched."""
    asked = query.type
    detail = [
        ("type", TYPE_NAMES[asked] if asked in TYPE_NAMES else str(asked)),
        ("loader", str(request.loader)),
        *_program(request.arch, request.vendor_class, request.user_class),
    ]
    if query.secs:
        detail.append(("secs", str(query.secs)))
    if arrival.interface:
        detail.append(("interface", arrival.interface))
    if arrival.port != 67:
        detail.append(("port", str(arrival.port)))
    if name and next_server:
        detail.append(("next_server", next_server))
    if asked == REQUEST and (chosen := query.address(54)) is not None:
        detail.append(("chosen", dotted(chosen)))
    if request.circuit_id:
        detail.append(("circuit_id", request.circuit_id.decode("latin-1")))
    system = ""
    if decision is not None:
        detail.append(("decision", decision.reason.label))
        detail.append(("why", "; ".join([step.text for step in decision.trace])))
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
        client_id=request.client_id.hex() if request.client_id else "",
        xid=query.xid,
        ip=ip,
        peer=f"{dotted(arrival.peer)}:{arrival.peer_port}",
        relay=dotted(query.giaddr) if int(query.giaddr) else "",
        system=system,
        name=name,
        detail=tuple(detail),
    )


@lru_cache(maxsize=1024)  # a hall's machines run a handful
def _program(arch: int | None, vendor_class: str, user_class: tuple[bytes, ...]) -> tuple[tuple[str, str], ...]:
    """What the client told of its program, for the event's detail."""
    row = ARCHS.get(arch) if arch is not None else None
    told = (
        ("arch", row.name if row is not None else str(arch) if arch is not None else ""),
        ("vendor_class", vendor_class),
        ("user_class", " ".join(c.decode("latin-1") for c in user_class)),
    )
    return tuple((name, text) for name, text in told if text)


def malformed(at: float, reason: Reason, text: str, arrival: Arrival) -> Event:
    """The event for a packet nobody could read."""
    detail = (("interface", arrival.interface), ("port", str(arrival.port)))
    return Event(at, Kind.DHCP_DROP, reason, text, peer=f"{arrival.peer}:{arrival.peer_port}", detail=detail)
