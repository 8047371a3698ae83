"""The event of each packet: what came, what was answered, and why."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from netprov.boot.arch import ARCHS
from netprov.boot.decision import BootDecision
from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest
from netprov.dhcp.classify import SERVER_PORT, Arrival
from netprov.dhcp.packet import ACK, NAK, OFFER, REQUEST, TYPE_NAMES, Packet, dotted
from netprov.journal.decided import event_of_decision
from netprov.journal.event import Event, Kind
from netprov.journal.fact import (
    ARCH,
    CHOSEN,
    CIRCUIT_ID,
    INTERFACE,
    NEXT_SERVER,
    PORT,
    SECS,
    TYPE,
    USER_CLASS,
    VENDOR_CLASS,
    Detail,
)

ANSWERS: Mapping[int | None, Kind] = {
    OFFER: Kind.DHCP_OFFER,
    ACK: Kind.DHCP_ACK,
    NAK: Kind.DHCP_NAK,
    None: Kind.DHCP_BOOTP,
}
"""The kind of event for each kind of reply."""


def report(
    at: float,
    kind: Kind,
    reason: Reason,
    text: str,
    query: Packet,
    arrival: Arrival,
    request: BootRequest,
    decision: BootDecision,
    *,
    ip: str = "",
    name: str = "",
    next_server: str = "",
) -> Event:
    """The event for `query`. `name` and `next_server`: the boot file, and where it is to be fetched; without a
    name firmware knows its files."""
    asked = query.type
    system, mac, uuid, trace, decided = event_of_decision(request, decision)
    program = _program(request.arch, request.vendor_class, request.user_class)
    detail = _heard(asked, arrival.interface, arrival.port) + program + decided
    if query.secs:
        detail += ((SECS, str(query.secs)),)
    if next_server:
        detail += ((NEXT_SERVER, next_server),)
    if asked == REQUEST and (chosen := query.address(54)) is not None:
        detail += ((CHOSEN, dotted(chosen)),)
    if request.circuit_id:
        detail += ((CIRCUIT_ID, request.circuit_id.decode("latin-1")),)
    return Event(
        at=at,
        kind=kind,
        reason=reason,
        text=text,
        stage=("loader" if next_server else "address") if kind.gives else "",
        mac=mac,
        uuid=uuid,
        client_id=request.client_id.hex() if request.client_id else "",
        xid=query.xid,
        ip=ip,
        peer=f"{dotted(arrival.peer)}:{arrival.peer_port}",
        relay=dotted(query.giaddr) if int(query.giaddr) else "",
        system=system,
        name=name,
        trace=trace,
        detail=detail,
    )


@lru_cache(maxsize=1024)
def _heard(asked: int | None, interface: str, port: int) -> Detail:
    """What came, and where."""
    told = (
        (TYPE, TYPE_NAMES[asked] if asked in TYPE_NAMES else str(asked)),
        (INTERFACE, interface),
        (PORT, str(port) if port != SERVER_PORT else ""),
    )
    return tuple((name, text) for name, text in told if text)


@lru_cache(maxsize=1024)  # a hall's machines run a handful
def _program(arch: int | None, vendor_class: str, user_class: tuple[bytes, ...]) -> Detail:
    """What the client told of its program."""
    row = ARCHS.get(arch) if arch is not None else None
    told = (
        (ARCH, row.name if row is not None else str(arch) if arch is not None else ""),
        (VENDOR_CLASS, vendor_class),
        (USER_CLASS, " ".join(c.decode("latin-1") for c in user_class)),
    )
    return tuple((name, text) for name, text in told if text)


def malformed(at: float, reason: Reason, text: str, arrival: Arrival) -> Event:
    """The event for a packet nobody could read."""
    detail = ((INTERFACE, arrival.interface), (PORT, str(arrival.port)))
    return Event(at, Kind.DHCP_DROP, reason, text, peer=f"{arrival.peer}:{arrival.peer_port}", detail=detail)
