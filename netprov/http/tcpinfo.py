"""What the kernel knows of a connection (struct tcp_info, linux/tcp.h)."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass

_LAYOUT = struct.Struct("=BxB117xQ")  # tcpi_state, tcpi_retransmits, tcpi_bytes_acked
_CLOSE = 7  # TCP_CLOSE


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """`in_vain`: what is waited for was sent again, once at least; `acknowledged`: octets, since it was made."""

    closed: bool = False
    in_vain: bool = False
    acknowledged: int = 0


def tcp_info(transport: asyncio.BaseTransport) -> TcpInfo:
    """Of `transport`'s connection; nothing of one that we have closed."""
    try:
        data = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAYOUT.size)
    except (AttributeError, OSError):
        return TcpInfo()
    if len(data) < _LAYOUT.size:  # before Linux 4.1
        return TcpInfo()
    state, retransmits, acknowledged = _LAYOUT.unpack(data)
    return TcpInfo(state == _CLOSE, retransmits > 0, acknowledged)
