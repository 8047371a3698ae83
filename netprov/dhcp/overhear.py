"""Other DHCP servers, overheard: what they answer is broadcast to everybody on the wire.

The kernel hands over DHCP replies alone (a filter on a packet socket), and a thread of its own looks at a few of them
every PAUSE seconds: answering machines waits for none of it.
"""

from __future__ import annotations

import ctypes
import logging
import socket
import struct
import time
from collections.abc import Callable, Collection, Iterable
from ipaddress import IPv4Address

from netprov.boot.reason import Reason
from netprov.datagram import parse_datagram
from netprov.dhcp.classify import CLIENT_PORT
from netprov.dhcp.interfaces import interfaces
from netprov.dhcp.packet import ACK, ANY, BOOTREPLY, NAK, OFFER, TYPE_NAMES, parse
from netprov.errors import PeerError
from netprov.journal.event import Event, Kind
from netprov.journal.fact import CLIENT, FILE, INTERFACE, SERVER, SERVER_MAC, TYPE
from netprov.mac import mac_of
from netprov.recent import Recent

PAUSE = 5.0
"""Seconds between two looks; what does not fit into the small buffer meanwhile is not missed: servers repeat."""

AGAIN = 6 * 3600.0
"""Seconds after which a server that is still heard is told of again. In proxy mode there is one, for good."""

_SERVERS = 256  # remembered: who sends with ever new addresses fills the journal at a bounded rate all the same
_EACH_LOOK = 16  # packets
_BUFFER = 16 << 10  # octets
_LONGEST = 2048
_SO_ATTACH_FILTER = 26  # socket(7)
_ETHERTYPE_IP = 0x0800

_FILTER: tuple[tuple[int, int, int, int], ...] = (
    (0x30, 0, 0, 9),  # the protocol
    (0x15, 0, 8, socket.IPPROTO_UDP),
    (0x28, 0, 0, 6),  # a fragment has no ports
    (0x45, 6, 0, 0x1FFF),
    (0xB1, 0, 0, 0),  # X: the header's length
    (0x48, 0, 0, 2),  # the port it is sent to
    (0x15, 0, 3, CLIENT_PORT),
    (0x50, 0, 0, 8),  # BOOTP's op
    (0x15, 0, 1, BOOTREPLY),
    (0x06, 0, 0, _LONGEST),
    (0x06, 0, 0, 0),
)
"""Classic BPF over the IPv4 packet: (code, jump if true, jump if false, k); bpf(4)."""

log = logging.getLogger("netprov.dhcp")


def replies() -> socket.socket | None:
    """A socket that gets every DHCP reply to come in by any interface, and nothing else; None where the kernel does
    not allow it. What this host sends itself does not come in.
    """
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETHERTYPE_IP))
    except OSError:
        return None
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *row) for row in _FILTER))
    try:
        sock.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(_FILTER), ctypes.addressof(program))
        )
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    except OSError:
        sock.close()
        return None
    return sock


def listen(sock: socket.socket, only: Collection[str], record: Callable[[Event], None]) -> None:
    """Tells of other servers heard on the interfaces `only` (empty: on all), until the process ends."""
    overheard = Overheard()
    while True:
        try:
            data, (interface, _protocol, _kind, _hatype, hardware) = sock.recvfrom(_LONGEST)
            for _ in range(_EACH_LOOK):
                if interface != "lo" and (not only or interface in only):
                    own = [address.ip for one in interfaces().values() for address in one.addresses]
                    event = overheard.receive(data, interface, hardware, own, time.time())
                    if event is not None:
                        log.info("%s", event.text)
                        record(event)
                data, (interface, _protocol, _kind, _hatype, hardware) = sock.recvfrom(_LONGEST, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
        except OSError as error:  # ENETDOWN: an interface went away
            log.debug("listening for other servers: %s", error)
        time.sleep(PAUSE)


class Overheard:
    """The servers heard so far. It does no I/O and knows no clock."""

    def __init__(self) -> None:
        self._told: Recent[tuple[str, str, str], float] = Recent(_SERVERS)

    def receive(
        self, packet: bytes, interface: str, hardware: bytes, own: Iterable[IPv4Address], now: float
    ) -> Event | None:
        """The event that tells of the server which sent `packet`, an IPv4 packet from the Ethernet address `hardware`;
        None for our own, for one told of lately, and for what is no server's answer.
        """
        datagram = parse_datagram(packet)
        if datagram is None or datagram.to_port != CLIENT_PORT:  # from before the filter was there
            return None
        try:
            reply = parse(datagram.payload)
        except PeerError:
            return None
        if reply.op != BOOTREPLY or reply.type not in (None, OFFER, ACK, NAK):
            return None
        server = reply.address(54) or (datagram.source if datagram.source != ANY else reply.siaddr)
        if server in own or datagram.source in own:
            return None
        kind = TYPE_NAMES[reply.type]
        if reply.type in (OFFER, ACK) and not int(reply.yiaddr):
            if not reply.options.get(60, b"").startswith((b"PXEClient", b"HTTPClient")):
                return None  # the answer to an INFORM
            kind = "proxy"
        key = (str(server), interface, "proxy" if kind == "proxy" else "")
        before = self._told.get(key)
        if before is not None and 0 <= now - before < AGAIN:
            return None
        self._told.put(key, now)
        said = {"proxy": "told a machine what to boot", "nak": "refused a machine its address",
                "offer": f"offered {reply.yiaddr}"}  # fmt: skip
        text = f"another DHCP server, {server}, {said.get(kind, f'gave {reply.yiaddr}')} on {interface}"
        boot_file = (reply.options.get(67, b"") or reply.file).rstrip(b"\0").decode("utf-8", "replace")
        detail = (
            (SERVER, str(server)),
            (SERVER_MAC, mac_of(hardware)),
            (INTERFACE, interface),
            (TYPE, kind),
            (CLIENT, reply.hardware),
            *(((FILE, boot_file),) if boot_file else ()),
        )
        return Event(now, Kind.SERVER, Reason.DHCP_RIVAL, text, detail=detail)
