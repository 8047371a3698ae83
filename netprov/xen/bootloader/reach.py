"""Which hosts are asked where dom0 itself asks (--server): a script could name dom0's own services."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from netprov.errors import PeerError
from netprov.xen.bootloader.messages import Message

_PORTS = (69, 80, 443)  # of a server that is named without one


@dataclass(frozen=True, slots=True)
class Reach:
    """The server that was named, and whether scripts may lead to `others`; to dom0 itself they never do."""

    host: str
    ports: tuple[int, ...] = _PORTS
    others: bool = False

    def address(self, host: str, port: int) -> str:
        """The address to ask for `host`, as nothing but that may be asked. Raises PeerError where it may not be."""
        named = host.lower() == self.host.lower()
        if not (named or self.others):
            raise PeerError(Message.OTHER_HOST.said(host=host, server=self.host))
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except (OSError, ValueError) as error:
            raise PeerError(Message.UNKNOWN_HOST.said(host=host, why=getattr(error, "strerror", "") or error)) from None
        if not (named and port in self.ports) and _is_own(family, address):
            raise PeerError(Message.OWN_HOST.said(host=host, port=port))
        return str(address[0])


def _is_own(family: int, address: tuple[Any, ...]) -> bool:
    """Whether it is this host's, or none: the kernel would ask it from that very address. Nothing is sent."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(address)
        except OSError:
            return False  # unreachable: asking it says why
        peer, own = (ip_address(end[0].partition("%")[0]) for end in (probe.getpeername(), probe.getsockname()))
    mapped = getattr(peer, "ipv4_mapped", None)
    return peer == own or peer.is_loopback or peer.is_unspecified or bool(mapped and mapped.is_loopback)


def reach_of(server: str, others: bool) -> Reach:
    """`server`: an address, a name or a URL, as --server has it. Raises PeerError for what is none."""
    try:
        parts = urlsplit(server if "://" in server else f"//{server}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host:
        raise PeerError(Message.BAD_SERVER.said(value=repr(server)))
    return Reach(host, _PORTS if port is None else (port,), others)
