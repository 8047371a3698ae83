"""Runs the DHCP client on an interface that needs no address, by packet socket; also for another machine's MAC."""

from __future__ import annotations

import secrets
import select
import socket
import time
from ipaddress import IPv4Address

from netprov.datagram import datagram, parse_datagram
from netprov.dhcp.classify import CLIENT_PORT, PROXY_PORT
from netprov.dhcp.client import BROADCAST, Ask, Bound, DhcpClient, Sending
from netprov.dhcp.packet import ANY
from netprov.errors import PeerError

_ETHERTYPE_IP = 0x0800
_EVERYBODY = b"\xff" * 6
_LONGEST = 4096


def ask(interface: str, who: Ask) -> Bound:
    """What the DHCP servers on `interface` give to `who`. Raises PeerError when none does, OSError where the kernel
    does not allow packet sockets (CAP_NET_RAW) or there is no such interface."""
    client = DhcpClient(who, secrets.randbits(32))
    neighbours: dict[IPv4Address, bytes] = {}
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETHERTYPE_IP)) as sock:
        sock.bind((interface, _ETHERTYPE_IP))
        _send(sock, interface, client.start(time.monotonic()), neighbours, client)
        while client.deadline is not None:
            left = max(0.0, client.deadline - time.monotonic())
            if select.select([sock], [], [], left)[0]:
                packet, sender = sock.recvfrom(_LONGEST)
                got = parse_datagram(packet)
                if got is not None and got.to_port in (CLIENT_PORT, PROXY_PORT):
                    neighbours[got.source] = sender[4]  # who must be told apart from everybody, later
                    replies = client.receive(got.payload, got.port, time.monotonic())
                    _send(sock, interface, replies, neighbours, client)
            _send(sock, interface, client.tick(time.monotonic()), neighbours, client)
    if client.bound is None:
        raise PeerError(client.failure)
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
