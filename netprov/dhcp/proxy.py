"""ProxyDHCP (PXE 2.1 §2.2): boot answers beside another server's addresses, and the boot server on port 4011.

Nobody but network-boot firmware and loaders is ever answered here.
"""

from __future__ import annotations

from netprov.boot.reason import Reason
from netprov.boot.request import Loader
from netprov.boot.state import LoaderLoop
from netprov.dhcp import packet
from netprov.dhcp.answer import BOOT_SERVER, PROXY_OFFER, Place
from netprov.dhcp.destination import Unicast
from netprov.dhcp.exchange import Exchange, Outcome
from netprov.dhcp.packet import ACK, INFORM, OFFER, REQUEST, TYPE_NAMES
from netprov.dhcp.reply import Terms, build
from netprov.journal.event import Kind


def receive(exchange: Exchange, loops: LoaderLoop) -> Outcome:
    """What a packet to port 67 leads to in proxy mode."""
    match exchange.query.type:
        case packet.DISCOVER:
            return _offer(exchange)
        case packet.REQUEST:
            return _watch(exchange, loops)
        case packet.INFORM:
            return _tell(exchange, PROXY_OFFER)
        case other:
            text = f"a {TYPE_NAMES.get(other, other)} is for the server that gives the addresses"
            return exchange.drop(Reason.MODE_PROXY, text)


def boot_server(exchange: Exchange) -> Outcome:
    """What a packet to port 4011 leads to, in every mode."""
    kind = exchange.query.type
    if kind not in (REQUEST, INFORM):
        text = f"a {TYPE_NAMES.get(kind, kind)} does not belong on port {exchange.arrival.port}"
        return exchange.drop(Reason.DHCP_UNSUPPORTED, text)
    if exchange.request.loader is Loader.OS or not exchange.client:
        text = "neither a boot client's vendor class nor a client architecture"
        return exchange.drop(Reason.PROXY_INCOMPLETE, text)
    return _tell(exchange, BOOT_SERVER)


def _offer(exchange: Exchange) -> Outcome:
    boot = exchange.boot(PROXY_OFFER)
    if not boot:
        return exchange.ignore()
    reply = build(exchange.query, OFFER, exchange.server_id, Terms(), boot)
    return exchange.answer(reply, f"offers {boot.told} beside another server's address", boot)


def _watch(exchange: Exchange, loops: LoaderLoop) -> Outcome:
    """The client asks another server for its address: who will be where, and that it was given a loader."""
    query, request, decision = exchange.query, exchange.request, exchange.decision
    if request.loader is Loader.OS and decision.target is None:
        return exchange.ignore()
    exchange.given(loops)
    ip = query.address(50) or (query.ciaddr if int(query.ciaddr) else None)
    server = query.address(54)
    text = f"asks {server or 'its server'} for {ip or 'an address'}"
    return exchange.seen(Reason.MODE_PROXY, text, Kind.DHCP_REQUEST, ip)


def _tell(exchange: Exchange, place: Place) -> Outcome:
    boot = exchange.boot(place)
    if not boot:
        return exchange.ignore()
    reply = build(exchange.query, ACK, exchange.server_id, Terms(), boot)
    arrival, ciaddr = exchange.arrival, exchange.query.ciaddr
    to = None
    if place.boot_server:
        # firmware asks from port 68 or from 4011, and listens where it asked from
        to = Unicast(arrival.peer if int(arrival.peer) else ciaddr, arrival.peer_port)
    return exchange.answer(reply, f"sends {boot.told}", boot, to=to)
