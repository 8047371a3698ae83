"""What Linux' UDP sockets need for TFTP: who was asked (PKTINFO), link MTU, many packets in one write (GSO)."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from netprov.tftp.negotiate import DEFAULT_BLKSIZE, HEADERS
from netprov.tftp.source import Address
from netprov.tftp.transfer import Run

IP_PKTINFO = 8  # <linux/in.h>; not in Python's socket module
SO_RCVBUFFORCE = 33
SOL_UDP = 17
UDP_SEGMENT = 103
SIOCGIFMTU = 0x8921

RECEIVE_BUFFER = 8 << 20  # octets: the first packets of a thousand machines switched on together
DATAGRAM_MAX = 2048  # a request has 512 octets (RFC 1350), a little more with options; the rest is cut
GSO_SEGMENTS = 64  # UDP_MAX_SEGMENTS of Linux before 6.9
GSO_OCTETS = 65487  # 65535 less the IPv6 and UDP headers
MTU_MIN = 576  # where the link's MTU cannot be had
MTU_AGE = 10.0  # seconds an MTU is believed

SockAddr = tuple[str, int] | tuple[str, int, int, int]
Key = tuple[SockAddr, Address | None]
"""A client's address and port, and our address it asked: RFC 1350's pair of TIDs as it stands before ours is chosen."""

Ancillary = list[tuple[int, int, bytes]]
_PKTINFO4 = struct.Struct("=i4s4s")  # ifindex, our address, the address the packet went to
_PKTINFO6 = struct.Struct("=16si")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One datagram. `local` is our address that was asked; `interface` its index, 0 unknown; `group`: sent to many."""

    datagram: bytes
    peer: SockAddr
    local: Address | None
    interface: int
    group: bool

    @property
    def key(self) -> Key:
        return (self.peer, self.local)


def plain(address: Address) -> Address:
    """An IPv4 address that an IPv6 socket shows as ::ffff:a.b.c.d, as what it is."""
    return getattr(address, "ipv4_mapped", None) or address


def peer_ip(peer: SockAddr) -> Address:
    return plain(ip_address(peer[0].split("%")[0]))


def prepare(sock: socket.socket) -> None:
    """Make a bound socket ready for `receive`."""
    sock.setblocking(False)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def receive(sock: socket.socket) -> Arrival | None:
    """The next datagram; None when there is none."""
    try:
        datagram, ancillary, _, peer = sock.recvmsg(DATAGRAM_MAX, 64)
    except OSError:  # EAGAIN, or an ICMP error that names nobody
        return None
    for level, kind, value in ancillary:
        if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
            interface, ours, aimed = _PKTINFO4.unpack_from(value)
            return Arrival(datagram, peer, IPv4Address(ours), interface, ours != aimed)
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
            raw, interface = _PKTINFO6.unpack_from(value)
            aimed6 = IPv6Address(raw)
            return Arrival(datagram, peer, plain(aimed6), interface, aimed6.is_multicast)
    return Arrival(datagram, peer, None, 0, False)


def from_address(family: int, local: Address | None, interface: int) -> Ancillary:
    """The ancillary data that makes a packet leave from `local`."""
    if local is None:
        return []
    if family == socket.AF_INET:
        return [(socket.IPPROTO_IP, IP_PKTINFO, _PKTINFO4.pack(0, local.packed, bytes(4)))]
    ours = local if isinstance(local, IPv6Address) else IPv6Address(f"::ffff:{local}")
    scope = interface if ours.is_link_local else 0
    return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, _PKTINFO6.pack(ours.packed, scope))]


def bind_address(family: int, local: Address, port: int, interface: int) -> SockAddr:
    if family == socket.AF_INET:
        return (str(local), port)
    ours = local if isinstance(local, IPv6Address) else IPv6Address(f"::ffff:{local}")
    return (str(ours), port, 0, interface if ours.is_link_local else 0)


class MtuTable:
    """The MTU of each interface in octets, asked again when it is MTU_AGE old."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, int]] = {}

    def of(self, sock: socket.socket, interface: int, now: float) -> int:
        until, mtu = self._known.get(interface, (now, 0))
        if until <= now:
            mtu = self._ask(sock, interface)
            self._known[interface] = (now + MTU_AGE, mtu)
        return mtu

    def _ask(self, sock: socket.socket, interface: int) -> int:
        try:
            name = socket.if_indextoname(interface).encode()
            answer = fcntl.ioctl(sock.fileno(), SIOCGIFMTU, struct.pack("16si12x", name, 0))
        except OSError:  # no interface index, or it is gone
            return MTU_MIN
        return max(MTU_MIN, int(struct.unpack_from("16si", answer)[1]))


def gso_batch(stride: int, windowsize: int, mtu: int, ip: int) -> int:
    """How many octets of frames may go in one write; 0: none, each frame goes alone.

    The kernel wants each segment to fit the MTU with its headers. On a socket that cuts what is written into segments
    an OACK or ERROR must fit one: so not for a smaller blksize than RFC 1350's.
    """
    if windowsize < 2 or stride < 4 + DEFAULT_BLKSIZE or stride - 4 + HEADERS[ip] > mtu:
        return 0
    return min(GSO_SEGMENTS, GSO_OCTETS // stride) * stride


GSO_REFUSED = (errno.EINVAL, errno.EIO, errno.EMSGSIZE, errno.EOPNOTSUPP)  # EIO: the device computes no checksums


class ConnectedWire:
    """One transfer's own socket: only its client's packets arrive there, and to read and write is cheapest."""

    def __init__(self, sock: socket.socket, stride: int, batch: int) -> None:
        self.sock = sock
        self._fd = sock.fileno()
        self._stride = stride
        self._batch = batch
        if batch:
            try:
                sock.setsockopt(SOL_UDP, UDP_SEGMENT, stride)
            except OSError:  # before Linux 4.18
                self._batch = 0

    def send(self, runs: Sequence[Run]) -> None:
        """Raises ConnectionRefusedError where the client's port is closed; every other failure is a lost packet."""
        for run in runs:
            try:
                if len(run) <= self._stride or isinstance(run, bytes):
                    os.write(self._fd, run)
                elif not self._batch or not self._send_batches(run):
                    for at in range(0, len(run), self._stride):
                        os.write(self._fd, run[at : at + self._stride])
            except ConnectionRefusedError:
                raise
            except OSError:
                return

    def _send_batches(self, run: memoryview) -> bool:
        try:
            for at in range(0, len(run), self._batch):
                os.write(self._fd, run[at : at + self._batch])
        except OSError as problem:
            if problem.errno not in GSO_REFUSED:
                raise
            self._batch = 0
            with contextlib.suppress(OSError):
                self.sock.setsockopt(SOL_UDP, UDP_SEGMENT, 0)
            return False
        return True

    def close(self) -> None:
        self.sock.close()


class SharedWire:
    """A transfer's part of a socket it shares: the peer is named with each packet, and our address that it asked."""

    def __init__(self, sock: socket.socket, peer: SockAddr, source: Ancillary, stride: int, batch: int) -> None:
        self._sock = sock
        self._peer = peer
        self._source = source
        self._stride = stride
        self._batch = batch
        self._segmented = [*source, (SOL_UDP, UDP_SEGMENT, struct.pack("=H", stride))] if batch else source

    def send(self, runs: Sequence[Run]) -> None:
        """Every failure is a lost packet."""
        for run in runs:
            try:
                if len(run) <= self._stride or isinstance(run, bytes):
                    self._sock.sendmsg([run], self._source, 0, self._peer)
                elif not self._batch or not self._send_batches(run):
                    for at in range(0, len(run), self._stride):
                        self._sock.sendmsg([run[at : at + self._stride]], self._source, 0, self._peer)
            except OSError:
                return

    def _send_batches(self, run: memoryview) -> bool:
        try:
            for at in range(0, len(run), self._batch):
                self._sock.sendmsg([run[at : at + self._batch]], self._segmented, 0, self._peer)
        except OSError as problem:
            if problem.errno not in GSO_REFUSED:
                raise
            self._batch = 0
            return False
        return True

    def close(self) -> None:
        """The socket is not ours."""


Wire = ConnectedWire | SharedWire
