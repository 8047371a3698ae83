"""What the DHCP worker tells the recorder: each packet and its reply."""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import IPv4Address

from netprov.dhcp.classify import Arrival
from netprov.dhcp.destination import Broadcast
from netprov.dhcp.exchange import Outgoing
from netprov.journal.event import Event
from netprov.recorder.entry import Entry, What
from netprov.recorder.tap import Tap

_EVERYBODY = IPv4Address("255.255.255.255").packed


class DhcpTap:
    def __init__(self, tap: Tap, clock: Callable[[], float] = time.time) -> None:
        self._tap = tap
        self._clock = clock

    def heard(self, data: bytes, arrival: Arrival, event: Event) -> None:
        """A packet, and the event that came of it."""
        to = arrival.server.packed if arrival.unicast else _EVERYBODY
        self._tap.put(
            Entry(
                event.at, What.DHCP_HEARD, arrival.peer.packed, arrival.peer_port, to, arrival.port, data, len(data),
                0, event.mac, event.ip, "", bool(event.system),
            )
        )  # fmt: skip

    def sent(self, reply: Outgoing, event: Event) -> None:
        """The reply that went out for it."""
        to, arrival = reply.destination, reply.arrival
        ip = _EVERYBODY if isinstance(to, Broadcast) else to.ip.packed
        self._tap.put(
            Entry(
                self._clock(), What.DHCP_SENT, ip, to.port, arrival.server.packed, arrival.port, reply.data,
                len(reply.data), 0, event.mac, event.ip, "", bool(event.system),
            )
        )  # fmt: skip

    def flush(self) -> None:
        self._tap.flush()
