"""Sending a reply to where RFC 2131 wants it: by UDP, by an ARP entry, by a frame of our own."""

from __future__ import annotations

import fcntl
import socket
import struct

from netprov.datagram import datagram
from netprov.dhcp.bind import IP_PKTINFO
from netprov.dhcp.classify import Arrival
from netprov.dhcp.destination import Broadcast, ToHardware, Unicast
from netprov.dhcp.exchange import Outgoing
from netprov.dhcp.packet import dotted
from netprov.mac import octets_of

_PKTINFO = struct.Struct("=i4s4s")  # in_pktinfo: interface, source address, -
_ARPREQ = struct.Struct("=H2x4s8xH6s8xiH14x16s")  # arpreq: protocol address, hardware address, flags, netmask, device
_SIOCSARP, _ATF_COM, _ARPHRD_ETHER = 0x8955, 2, 1
_ETHERTYPE_IP = 0x0800


class Transmitter:
    """Sends replies through the socket their question came by."""

    def __init__(self, raw: socket.socket | None) -> None:
        self._raw = raw
        self._may_arp = True

    def send(self, sock: socket.socket, reply: Outgoing) -> None:
        """Sends `reply`. Raises OSError."""
        arrival, to = reply.arrival, reply.destination
        match to:
            case Unicast(ip, port):
                # no interface: the way to a relay, or to a renewing client behind a router, is the routing table's
                _udp(sock, reply.data, arrival, 0, dotted(ip), port)
            case Broadcast(port):
                _udp(sock, reply.data, arrival, arrival.index, "255.255.255.255", port)
            case ToHardware(_, _, port):
                if self._by_arp(sock, to, arrival):
                    _udp(sock, reply.data, arrival, arrival.index, dotted(to.ip), port)
                elif not self._by_frame(to, reply):
                    _udp(sock, reply.data, arrival, arrival.index, "255.255.255.255", port)

    def _by_arp(self, sock: socket.socket, to: ToHardware, arrival: Arrival) -> bool:
        """Tells the kernel the client's Ethernet address; whether it may be told (it takes CAP_NET_ADMIN)."""
        if not self._may_arp or not arrival.interface:
            return False
        octets = octets_of(to.mac)
        entry = _ARPREQ.pack(
            socket.AF_INET, to.ip.packed, _ARPHRD_ETHER, octets, _ATF_COM, 0, arrival.interface.encode()
        )  # fmt: skip
        try:
            fcntl.ioctl(sock, _SIOCSARP, entry)
        except PermissionError:
            self._may_arp = False
            return False
        except OSError:
            return False
        return True

    def _by_frame(self, to: ToHardware, reply: Outgoing) -> bool:
        if self._raw is None or not reply.arrival.interface:
            return False
        packet = datagram(reply.arrival.server, reply.arrival.port, to.ip, to.port, reply.data)
        octets = octets_of(to.mac)
        try:
            self._raw.sendto(packet, (reply.arrival.interface, _ETHERTYPE_IP, 0, _ARPHRD_ETHER, octets))
        except OSError:
            return False
        return True


def _udp(sock: socket.socket, data: bytes, arrival: Arrival, index: int, ip: str, port: int) -> None:
    info = _PKTINFO.pack(index, arrival.server.packed, b"")
    sock.sendmsg((data,), ((socket.IPPROTO_IP, IP_PKTINFO, info),), 0, (ip, port))
