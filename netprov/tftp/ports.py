"""The ports that transfers have besides 69, their TIDs.

A few ports are shared by many transfers: on each, one socket that is not connected takes what is none of them (RFC 1350
wants ERROR 5 said to it), carries the files of a single block, and beside it each longer transfer has its own connected
socket. The kernel gives a packet to the socket connected with its sender first.
"""

from __future__ import annotations

import socket
from collections import OrderedDict

from netprov.tftp.sockets import Key, SockAddr, bind_address, prepare
from netprov.tftp.source import Address

CROWDED = 8  # transfers on one port before another is opened: the kernel looks through them with each packet
PORTS_MAX = 256
ENDED_AGE = 5.0  # seconds in which late packets of a transfer that ended are not strangers'
ENDED_MAX = 1024


class SharedPort:
    """A socket that is not connected, whose transfers are on it, and whose lately were."""

    def __init__(self, sock: socket.socket) -> None:
        prepare(sock)
        self.sock = sock
        self.port = int(sock.getsockname()[1])
        self.load = 0  # transfers that have this port, with their own socket or without
        self.carried: set[Key] = set()  # those of them without a socket of their own
        self._ended: OrderedDict[Key, float] = OrderedDict()

    def forget(self, key: Key, now: float) -> None:
        """The transfer with `key` has ended; what it still sends (a repeated last ACK) is no stranger's."""
        self.load -= 1
        self.carried.discard(key)
        self._ended[key] = now
        self._ended.move_to_end(key)
        if len(self._ended) > ENDED_MAX:
            self._ended.popitem(last=False)

    def knew(self, key: Key, now: float) -> bool:
        return now - self._ended.get(key, -ENDED_AGE) < ENDED_AGE


class PortPool:
    """Data ports beside one listening socket: of its family, address and device."""

    def __init__(self, listening: socket.socket, ports: tuple[int, int] | None) -> None:
        self._family = listening.family
        self._name = listening.getsockname()
        self._device = listening.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0")
        self._v6only = self._family == socket.AF_INET6 and listening.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        self._range = range(ports[0], ports[1] + 1) if ports else None
        self._untried = iter(self._range or ())
        self.ports: list[SharedPort] = []

    def take(self) -> SharedPort:
        """A port with few transfers on it; `load` is the caller's to count. Raises OSError: none can be had."""
        best = min(self.ports, key=lambda port: port.load, default=None)
        if best is None or (best.load >= CROWDED and len(self.ports) < PORTS_MAX):
            opened = self._open(shared=best is None)
            if opened is not None:
                self.ports.append(opened)
                return opened
        if best is None:
            raise OSError("no data port is free")
        return best

    def _open(self, shared: bool) -> SharedPort | None:
        """Another port. Those that other workers hold are left to them, unless we have none (`shared`)."""
        if self._range is None:
            return SharedPort(self._bound(0, reuse=False))
        for port in self._untried:
            try:
                return SharedPort(self._bound(port, reuse=False))
            except OSError:
                continue
        return SharedPort(self._bound(self._range[0], reuse=True)) if shared else None

    def _bound(self, port: int, reuse: bool) -> socket.socket:
        sock = self._socket(reuse)
        try:
            sock.bind((self._name[0], port, *self._name[2:]))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # for the connected ones to come
        except OSError:
            sock.close()
            raise
        return sock

    def _socket(self, reuse: bool) -> socket.socket:
        sock = socket.socket(self._family, socket.SOCK_DGRAM)
        try:
            if reuse:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if self._device:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._device + b"\0")
            if self._family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(self._v6only))
        except OSError:
            sock.close()
            raise
        return sock

    def connect(self, port: SharedPort, local: Address | None, interface: int, peer: SockAddr) -> socket.socket:
        """A transfer's own socket on `port`, leaving from `local`. Raises OSError."""
        sock = self._socket(reuse=True)
        try:
            sock.setblocking(False)
            own = self._name if local is None else bind_address(sock.family, local, 0, interface)
            sock.bind((own[0], port.port, *own[2:]))
            sock.connect(peer)
        except OSError:
            sock.close()
            raise
        return sock

    def close(self) -> None:
        for port in self.ports:
            port.sock.close()
        self.ports.clear()
