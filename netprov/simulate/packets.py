"""DHCP packets put together and taken apart by scapy. Import it late: scapy takes its time."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from scapy.error import Scapy_Exception
from scapy.layers.dhcp import BOOTP, DHCP, DHCPRevOptions
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from netprov.mac import Mac, octets_of

OFFER, ACK, NAK = 2, 5, 6
SERVER_PORT, CLIENT_PORT, BOOT_SERVER_PORT = 67, 68, 4011
NOBODY = IPv4Address(0)

_MAX_SIZE = 1472
_MALFORMED = (struct.error, ValueError, IndexError, TypeError, AttributeError, Scapy_Exception)
"""What scapy's fields raise on packets that are cut short."""
_DOTTED = re.compile(r"\d{1,3}(\.\d{1,3}){3}", re.ASCII)
_USE_BOOTFILE = 8  # PXE 2.1 table 2-1, tag 6: bit 3 loads the file of this packet

Options = Sequence[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's packet. `options` by their numbers, as scapy reads them: text is bytes, several values are a tuple."""

    kind: int
    xid: int
    yiaddr: IPv4Address
    siaddr: IPv4Address
    sname: str
    file: str
    options: Mapping[int, Any]
    source: IPv4Address
    port: int

    @property
    def server_id(self) -> IPv4Address:
        return self.address(54) or self.source

    @property
    def boot_file(self) -> str:
        """Option 67, else the field `file`."""
        return self.text(67) or self.file

    @property
    def boot_server(self) -> IPv4Address:
        """Where the boot file is: siaddr, else option 66 where it is an address, else who answers."""
        if int(self.siaddr):
            return self.siaddr
        for name in (self.text(66), self.sname):
            try:
                return IPv4Address(name)
            except ValueError:
                continue
        return self.server_id

    @property
    def vendor_class(self) -> str:
        return self.text(60)

    @property
    def uses_bootfile(self) -> bool:
        """Whether option 43 tells a PXE client to take the file of this packet, without a menu or a search."""
        control = _sub_options(self.octets(43)).get(6, b"")
        return bool(control) and bool(control[0] & _USE_BOOTFILE)

    def octets(self, code: int) -> bytes:
        value = self.options.get(code, b"")
        return value if isinstance(value, bytes) else b""

    def text(self, code: int) -> str:
        return self.octets(code).rstrip(b"\0").decode("utf-8", "replace")

    def addresses(self, code: int) -> tuple[IPv4Address, ...]:
        value = self.options.get(code, ())
        return tuple(
            IPv4Address(one)
            for one in (value if isinstance(value, tuple) else (value,))
            if isinstance(one, str) and _DOTTED.fullmatch(one)
        )

    def address(self, code: int) -> IPv4Address | None:
        return next(iter(self.addresses(code)), None)

    def number(self, code: int) -> int:
        value = self.options.get(code, 0)
        return value if isinstance(value, int) else 0


def question(
    mac: Mac,
    xid: int,
    kind: str,
    options: Options,
    *,
    secs: int = 0,
    ciaddr: IPv4Address = NOBODY,
    broadcast: bool = True,
) -> bytes:
    """What the machine asks, as a UDP payload. `kind` is scapy's name: "discover", "request", "release"."""
    boot = BOOTP(
        chaddr=octets_of(mac), xid=xid, secs=min(secs, 0xFFFF), ciaddr=str(ciaddr),
        flags=0x8000 if broadcast else 0,
    )  # fmt: skip
    told = [("message-type", kind), ("max_dhcp_size", _MAX_SIZE), *options, "end"]
    return bytes(boot / DHCP(options=told))


def frame(mac: Mac, payload: bytes) -> bytes:
    """The broadcast that carries `payload` from a machine without an address."""
    ether = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff")
    return bytes(ether / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=CLIENT_PORT, dport=SERVER_PORT) / payload)


def read_frame(data: bytes) -> Answer | None:
    """The server's packet in an Ethernet frame; None for all else."""
    try:
        packet = Ether(data)
        if IP not in packet or UDP not in packet or packet[UDP].dport not in (CLIENT_PORT, BOOT_SERVER_PORT):
            return None
        return _answer(packet, IPv4Address(packet[IP].src), packet[UDP].sport)
    except _MALFORMED:
        return None


def read_payload(data: bytes, source: IPv4Address, port: int) -> Answer | None:
    """The server's packet in a UDP payload; None for all else."""
    try:
        return _answer(BOOTP(data), source, port)
    except _MALFORMED:
        return None


def _answer(packet: Any, source: IPv4Address, port: int) -> Answer | None:
    if BOOTP not in packet or packet[BOOTP].op != 2 or DHCP not in packet:
        return None
    boot = packet[BOOTP]
    options: dict[int, Any] = {}
    for option in packet[DHCP].options:
        if isinstance(option, tuple):
            name, *values = option
            code = name if isinstance(name, int) else DHCPRevOptions[name][0]
            options.setdefault(code, values[0] if len(values) == 1 else tuple(values))
    return Answer(
        kind=options.get(53, 0), xid=boot.xid, yiaddr=IPv4Address(boot.yiaddr), siaddr=IPv4Address(boot.siaddr),
        sname=_text(boot.sname), file=_text(boot.file), options=options, source=source, port=port,
    )  # fmt: skip


def _text(octets: bytes) -> str:
    return octets.partition(b"\0")[0].decode("utf-8", "replace")


def _sub_options(data: bytes) -> dict[int, bytes]:
    """PXE's sub-options of option 43."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 1 < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        found[data[at]] = data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return found
