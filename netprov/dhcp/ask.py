"""Runs the DHCP client on an interface that needs no address, by packet socket; also for another machine's MAC."""

from __future__ import annotations

import math
import secrets
import select
import socket
import time
from dataclasses import dataclass
from ipaddress import IPv4Address

from netprov.datagram import datagram, parse_datagram
from netprov.dhcp.classify import CLIENT_PORT, PROXY_PORT
from netprov.dhcp.client import BROADCAST, UNHEARD, Ask, Bound, DhcpClient, Sending
from netprov.dhcp.packet import ANY
from netprov.errors import PeerError

_ETHERTYPE_ALL = 0x0003  # Linux's: also what says nothing to us, so that a dead wire is told from a deaf server
_ETHERTYPE_IP = 0x0800
_ETHERTYPE_ARP = 0x0806
_OUTGOING = 4  # PACKET_OUTGOING: our own
_EVERYBODY = b"\xff" * 6
_LONGEST = 4096


@dataclass(slots=True)
class _Seen:
    """What came in meanwhile, whatever it was."""

    packets: int = 0
    arps: int = 0

    def __str__(self) -> str:
        if not self.packets:
            return "nothing at all came"
        return f"{self.packets} packets of others came, {self.arps} of them ARP"


def ask(interface: str, who: Ask, until: float = math.inf) -> Bound:
    """What the DHCP servers on `interface` give to `who`. Raises PeerError when none does, or not `until` then (of the
    monotonic clock), with what was seen on the wire; OSError where the kernel does not allow packet sockets
    (CAP_NET_RAW) or there is no such interface."""
    seen = _Seen()
    client = DhcpClient(who, secrets.randbits(32))
    neighbours: dict[IPv4Address, bytes] = {}
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETHERTYPE_ALL)) as sock:
        sock.bind((interface, _ETHERTYPE_ALL))
        _send(sock, interface, client.start(time.monotonic()), neighbours, client)
        while client.deadline is not None and time.monotonic() < until:
            left = max(0.0, min(client.deadline, until) - time.monotonic())
            if select.select([sock], [], [], left)[0]:
                packet, sender = sock.recvfrom(_LONGEST)
                if sender[2] == _OUTGOING:
                    continue
                seen.packets += 1
                seen.arps += sender[1] == _ETHERTYPE_ARP
                got = parse_datagram(packet) if sender[1] == _ETHERTYPE_IP else None
                if got is not None and got.to_port in (CLIENT_PORT, PROXY_PORT):
                    neighbours[got.source] = sender[4]  # who must be told apart from everybody, later
                    replies = client.receive(got.payload, got.port, time.monotonic())
                    _send(sock, interface, replies, neighbours, client)
            _send(sock, interface, client.tick(time.monotonic()), neighbours, client)
    if client.bound is None:
        raise PeerError(f"{client.failure or UNHEARD} ({seen})")
    return client.bound


def _send(
    sock: socket.socket,
    interface: str,
    sendings: list[Sending],
    neighbours: dict[IPv4Address, bytes],
    client: DhcpClient,
) -> None:
    for sending in sendings:
        source = client.address or ANY if sending.server != BROADCAST else ANY
        packet = datagram(source, CLIENT_PORT, sending.server, sending.port, sending.data)
        hardware = neighbours.get(sending.server, _EVERYBODY)
        sock.sendto(packet, (interface, _ETHERTYPE_IP, 0, 1, hardware))
