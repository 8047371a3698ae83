"""Fetch a file by TFTP and wait for it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from ipaddress import ip_address

from netprov.tftp.client import Fetch, FetchError, Wish, stranger
from netprov.tftp.sockets import SockAddr

PORT = 69
RECEIVE_BUFFER = 1 << 20  # octets: a window is on its way while we write the one before
DATAGRAM_MAX = 65536


def fetch(server: str, name: str, *, port: int = PORT, blksize: int = 1468, windowsize: int = 16) -> bytes:
    """The octets of `name` from `server` (an address). Raises NotFoundError, and FetchError for all else."""
    parts: list[bytes] = []
    download(server, Wish(name, blksize, windowsize), parts.append, port)
    return b"".join(parts)


def download(server: str, wish: Wish, write: Callable[[bytes], object], port: int = PORT) -> Fetch:
    """Fetch what `wish` says; `write` gets the octets in order as they come.

    Returns the finished Fetch, for its numbers. Raises as `fetch`; what `write` raises goes through.
    """
    try:
        family = socket.AF_INET6 if ip_address(server.split("%")[0]).version == 6 else socket.AF_INET
        address: SockAddr = socket.getaddrinfo(server, port, family, socket.SOCK_DGRAM)[0][4]  # type: ignore[assignment]
        sock = socket.socket(family, socket.SOCK_DGRAM)
    except (OSError, ValueError) as problem:
        raise FetchError(f"{server}: {problem}") from None
    with sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        return _converse(sock, address, Fetch(wish, write))


def _converse(sock: socket.socket, address: SockAddr, transfer: Fetch) -> Fetch:
    peer = address
    packets = transfer.start(time.monotonic())
    while True:
        for packet in packets:
            try:
                sock.sendto(packet, peer if transfer.answered else address)
            except OSError as problem:
                raise FetchError(f"{address[0]}: {problem.strerror}") from None
        if transfer.done:
            return transfer
        now = time.monotonic()
        sock.settimeout(max(0.001, transfer.deadline() - now))
        try:
            datagram, sender = sock.recvfrom(DATAGRAM_MAX)
        except TimeoutError:
            packets = transfer.timeout(time.monotonic())
            continue
        except OSError as problem:
            raise FetchError(f"{address[0]}: {problem.strerror}") from None
        packets = []
        if sender[0] != address[0]:
            continue
        if not transfer.answered:
            peer = sender
        if sender[1] == peer[1]:
            packets = transfer.receive(datagram, time.monotonic())
        else:
            sock.sendto(stranger(), sender)
