"""A DHCP client that boots: DISCOVER to ACK, and what a ProxyDHCP or a boot server adds (RFC 2131 §4.4, PXE 2.1 §2.2).

Sans-IO: bytes and the time in, datagrams and the next deadline out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import IPv4Address

from netprov.dhcp import packet as packets
from netprov.dhcp import pxe
from netprov.dhcp.classify import PROXY_PORT, SERVER_PORT
from netprov.dhcp.packet import BOOTREPLY, BROADCAST_FLAG, DISCOVER, MAX_MESSAGE, REQUEST, Packet, encode, parse
from netprov.errors import PeerError
from netprov.mac import Mac, octets_of

BROADCAST = IPv4Address("255.255.255.255")
RETRIES = (1.0, 2.0, 4.0, 8.0)  # seconds before each repetition; PXE ROMs wait 4, 8, 16, 32
BOOT_SERVER_TRIES = 2  # a ProxyOFFER mostly says all there is to know
PROXY_WAIT = 1.0
"""Seconds to wait for a ProxyOFFER after an OFFER without a boot file."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks. `options` are those beside 50, 53, 54 and 57: 55, 60, 61, 77, 93 …"""

    mac: Mac
    options: Mapping[int, bytes] = field(default_factory=dict)
    boots: bool = True  # wants a boot file; without one an address is enough


@dataclass(frozen=True, slots=True)
class Sending:
    """A datagram to send from port 68: to everybody, or to `server`."""

    data: bytes
    server: IPv4Address = BROADCAST
    port: int = SERVER_PORT


@dataclass(frozen=True, slots=True)
class Bound:
    """What the client got: the ACK, and the packet that says what to boot (the ACK again, a ProxyOFFER, or the ACK from
    port 4011), None where none does."""

    ack: Packet
    boot: Packet | None = None

    @property
    def ip(self) -> IPv4Address:
        return self.ack.yiaddr

    @property
    def boot_file(self) -> str:
        return _boot_file(self.boot).decode("utf-8", "replace") if self.boot is not None else ""

    @property
    def next_server(self) -> IPv4Address | None:
        """Where the boot file is: siaddr, else who answered."""
        if self.boot is None:
            return None
        return self.boot.siaddr if int(self.boot.siaddr) else self.boot.address(54)


class Stage(StrEnum):
    DISCOVER = "discover"
    REQUEST = "request"
    BOOT_SERVER = "boot-server"
    BOUND = "bound"
    FAILED = "failed"


class DhcpClient:
    """One run of the client. `xid` is drawn by the caller. `deadline`: when `tick` wants to be called, None at the end.

    After `bound` is set or `failure` says why not, it is over.
    """

    def __init__(self, ask: Ask, xid: int) -> None:
        self.stage = Stage.DISCOVER
        self.bound: Bound | None = None
        self.failure = ""
        self.deadline: float | None = None
        self._ask = ask
        self._xid = xid
        self._began = 0.0
        self._tries = 0
        self._offer: Packet | None = None
        self._offered_at = 0.0
        self._proxy: Packet | None = None
        self._ack: Packet | None = None
        self._last: Sending | None = None

    @property
    def address(self) -> IPv4Address | None:
        """The address that was acknowledged."""
        return self._ack.yiaddr if self._ack is not None else None

    def start(self, now: float) -> list[Sending]:
        """Begins: the DISCOVER."""
        self._began = now
        return self._send(Stage.DISCOVER, Sending(self._packet(DISCOVER, {}, now)), now)

    def receive(self, data: bytes, port: int, now: float) -> list[Sending]:
        """A datagram came to port 68 (or 4011) from a server's `port`. What is not an answer to us is passed over."""
        try:
            packet = parse(data)
        except PeerError:
            return []
        ours = packet.op == BOOTREPLY and packet.xid == self._xid and packet.mac == self._ask.mac
        if not ours or self.deadline is None:
            return []
        match self.stage, packet.type:
            case Stage.DISCOVER, packets.OFFER:
                return self._offered(packet, now)
            case Stage.REQUEST, packets.ACK if port == SERVER_PORT:
                return self._acknowledged(packet, now)
            case Stage.REQUEST, packets.NAK:  # begin anew (RFC 2131 §3.1)
                self._offer = self._proxy = None
                return self.start(now)
            case Stage.BOOT_SERVER, packets.ACK if port == PROXY_PORT and _boot_file(packet):
                return self._finish(packet)
        return []

    def tick(self, now: float) -> list[Sending]:
        """The deadline has come: repeats the question, or goes on with what there is."""
        if self.deadline is None or now < self.deadline:
            return []
        if self.stage is Stage.DISCOVER and self._offer is not None:
            return self._request(now)
        if self._tries >= (BOOT_SERVER_TRIES if self.stage is Stage.BOOT_SERVER else len(RETRIES)):
            return self._give_up()
        assert self._last is not None
        if self.stage is Stage.DISCOVER:  # secs grows, for servers and relays that wait for it
            self._last = Sending(self._packet(DISCOVER, {}, now))
        return self._send(self.stage, self._last, now)

    def _offered(self, packet: Packet, now: float) -> list[Sending]:
        if not int(packet.yiaddr):
            if pxe.is_pxe(packet) or pxe.is_http(packet):
                self._proxy = self._proxy or packet
        elif self._offer is None or (self._ask.boots and not _boot_file(self._offer) and _boot_file(packet)):
            self._offer, self._offered_at = packet, self._offered_at if self._offer is not None else now
        if self._offer is None:
            return []
        if not self._ask.boots or _boot_file(self._offer) or self._proxy is not None:
            return self._request(now)
        self.deadline = self._offered_at + PROXY_WAIT
        return []

    def _request(self, now: float) -> list[Sending]:
        offer = self._offer
        assert offer is not None
        options = {50: offer.yiaddr.packed}
        if 54 in offer.options:
            options[54] = offer.options[54]
        self._tries = 0
        return self._send(Stage.REQUEST, Sending(self._packet(REQUEST, options, now)), now)

    def _acknowledged(self, ack: Packet, now: float) -> list[Sending]:
        offer = self._offer
        if offer is None or ack.options.get(54) != offer.options.get(54):
            return []
        self._ack = ack
        if not self._ask.boots or _boot_file(ack) or self._proxy is None:
            return self._finish(ack if _boot_file(ack) else None)
        if _boot_file(self._proxy) and (pxe.is_http(self._proxy) or 43 in self._proxy.options):
            return self._finish(self._proxy)
        server = self._proxy.address(54) or self._proxy.siaddr
        data = self._packet(REQUEST, {54: server.packed}, now, ack.yiaddr)
        self._tries = 0
        return self._send(Stage.BOOT_SERVER, Sending(data, server, PROXY_PORT), now)

    def _give_up(self) -> list[Sending]:
        if self.stage is Stage.BOOT_SERVER and self._proxy is not None and _boot_file(self._proxy):
            return self._finish(self._proxy)  # it did say what to boot
        waited = {
            Stage.DISCOVER: "no DHCP server answered",
            Stage.REQUEST: "the DHCP server offered an address, but did not confirm it",
            Stage.BOOT_SERVER: "an address, but no answer from the boot server's port 4011",
        }
        self.failure = waited[self.stage]
        self.stage, self.deadline = Stage.FAILED, None
        return []

    def _finish(self, boot: Packet | None) -> list[Sending]:
        assert self._ack is not None
        self.bound = Bound(self._ack, boot)
        self.stage, self.deadline = Stage.BOUND, None
        return []

    def _send(self, stage: Stage, sending: Sending, now: float) -> list[Sending]:
        if stage is not self.stage or self._last is None:
            self._tries = 0
        self.stage, self._last = stage, sending
        self.deadline = now + RETRIES[min(self._tries, len(RETRIES) - 1)]
        self._tries += 1
        return [sending]

    def _packet(self, kind: int, options: Mapping[int, bytes], now: float, ciaddr: IPv4Address | None = None) -> bytes:
        octets = octets_of(self._ask.mac)
        packet = Packet(
            xid=self._xid,
            secs=min(0xFFFF, int(now - self._began)),
            flags=BROADCAST_FLAG,  # whoever asks for another machine hears only broadcasts
            chaddr=octets.ljust(16, b"\0"),
            options={
                53: bytes((kind,)),
                57: (MAX_MESSAGE + 28).to_bytes(2, "big"),
                **options,
                **self._ask.options,
            },
        )
        return encode(packet if ciaddr is None else replace(packet, ciaddr=ciaddr, flags=0), MAX_MESSAGE)


def _boot_file(packet: Packet) -> bytes:
    """Option 67, else the field `file`; without NULs that are no part of the name."""
    return packet.options.get(67, b"").rstrip(b"\0") or packet.file
