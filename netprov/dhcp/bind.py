"""The sockets of the DHCP server: made while we may, before privileges are given up."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from netprov.dhcp.overhear import replies
from netprov.dhcp.solicit import SOLICITATION
from netprov.errors import ConfigError, Origin, Problem
from netprov.inventory.model import DhcpMode, Settings

IP_PKTINFO = 8  # ip(7); Python has no name for it before 3.12
SO_RCVBUFFORCE = 33  # socket(7)
ICMP6_FILTER = 1  # RFC 3542 §3.2

RECEIVE_BUFFER = 8 << 20
"""Octets. The default of 208 KiB holds about 200 packets: Kea and ISC's server lose half of 1,000 machines switched on
at once; this holds them all."""


@dataclass(frozen=True, slots=True)
class DhcpSockets:
    """`listeners` on 67 and 4011; `raw` sends to Ethernet addresses, `icmp6` hears router solicitations, `replies` what
    other servers answer: None where the kernel does not allow it."""

    listeners: tuple[socket.socket, ...]
    raw: socket.socket | None = None
    icmp6: socket.socket | None = None
    replies: socket.socket | None = None

    def close(self) -> None:
        for sock in (*self.listeners, self.raw, self.icmp6, self.replies):
            if sock is not None:
                sock.close()


def bind(settings: Settings) -> DhcpSockets:
    """The sockets that `dhcp.mode` and `server.interfaces` ask for; none in mode off.

    With interfaces named there is a socket for each, which leaves the others to other servers (libvirt's dnsmasq on
    virbr0); else one for all. Raises ConfigError with all that could not be bound.
    """
    if settings.dhcp.mode is DhcpMode.OFF:
        return DhcpSockets(())
    listeners: list[socket.socket] = []
    problems: list[Problem] = []
    for port in (settings.dhcp.port, settings.dhcp.proxy_port):
        for interface in settings.server.interfaces or ("",):
            try:
                listeners.append(_listen(port, interface))
            except OSError as error:
                problems.append(_problem(port, interface, error))
    if problems:
        for sock in listeners:
            sock.close()
        raise ConfigError(*problems)
    return DhcpSockets(tuple(listeners), _raw(), _icmp6(), replies())


def _listen(port: int, interface: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        if interface:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
        try:
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)  # as far as net.core.rmem_max goes
        sock.bind(("0.0.0.0", port))
    except BaseException:  # whatever ends it: nobody else has the socket yet
        sock.close()
        raise
    return sock


def _raw() -> socket.socket | None:
    try:
        # protocol 0: it sends and receives nothing
        return socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, 0)
    except OSError:
        return None


def _icmp6() -> socket.socket | None:
    try:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_ICMPV6)
    except OSError:
        return None
    passed = bytearray(b"\xff" * 32)  # a bit set blocks its type
    word, bit = SOLICITATION // 32, SOLICITATION % 32
    struct.pack_into("=I", passed, word * 4, 0xFFFFFFFF ^ 1 << bit)
    sock.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, bytes(passed))
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)  # RFC 4861 §6.1.2: less is not believed
    return sock


def _problem(port: int, interface: str, error: OSError) -> Problem:
    where = f"UDP port {port}" + (f" on {interface}" if interface else "")
    advice = {
        13: "netprov must be started as root, or with the capabilities CAP_NET_BIND_SERVICE and CAP_NET_RAW",
        1: "netprov must be started as root, or with the capabilities CAP_NET_BIND_SERVICE and CAP_NET_RAW",
        19: f"there is no interface {interface}; ip link lists them",
        98: f"another DHCP server has it (ss -ulpn 'sport = {port}' shows which); stop it, or name interfaces that it "
        "does not use under server.interfaces",
    }.get(error.errno or 0, "")
    text = f"{where} cannot be opened: {error.strerror}" + (f". {advice[0].upper()}{advice[1:]}" if advice else "")
    return Problem(Origin("netprov.yaml"), "dhcp", text)
