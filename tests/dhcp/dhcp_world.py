"""A DHCP server core in memory, and the questions to put to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

import pytest

from netprov.boot.install import InstallRecord
from netprov.dhcp.classify import Arrival
from netprov.dhcp.exchange import Outcome
from netprov.dhcp.packet import DISCOVER, REQUEST, Packet, encode, parse
from netprov.dhcp.server import DhcpServer
from netprov.inventory.model import (
    DhcpMode,
    DhcpSettings,
    InstallMode,
    Interface,
    Inventory,
    Range,
    ServerSettings,
    Settings,
    Subnet,
    Target,
    UnknownPolicy,
)
from netprov.mac import Mac
from netprov.state.leases import Lease

LADY = Mac("00:16:3e:11:11:11")
TRAMP = Mac("00:16:3e:22:22:22")
STRANGER = Mac("52:54:00:00:00:99")
SERVER = IPv4Address("10.77.0.1")
LADY_IP = IPv4Address("10.77.0.14")
RELAY = IPv4Address("10.88.0.1")
NOW = 1_800_000_000.0

PXE_BIOS = {60: b"PXEClient:Arch:00000:UNDI:002001", 93: b"\0\0", 94: b"\1\2\1", 97: b"\0" + bytes(range(16))}
PXE_UEFI = {60: b"PXEClient:Arch:00007:UNDI:003000", 93: b"\0\7", 94: b"\1\3\0", 97: b"\0" + bytes(range(16))}
HTTP_UEFI = {60: b"HTTPClient:Arch:00016:UNDI:003000", 93: b"\0\x10", 94: b"\1\3\0", 97: b"\0" + bytes(range(16))}
IPXE = {**PXE_BIOS, 77: b"iPXE", 175: b"\x13\1\1"}


def ip(text: str) -> IPv4Address:
    return IPv4Address(text)


def mac_number(n: int) -> Mac:
    return Mac("02:00:" + n.to_bytes(4, "big").hex(":"))


def subnet(net: str, first: str = "", last: str = "", **fields: Any) -> Subnet:
    ranges = (Range(ip(first), ip(last)),) if first else ()
    router = (IPv4Network(net)[1],)
    return Subnet(IPv4Network(net), **{"ranges": ranges, "router": router, "dns": router, "lease": 3600, **fields})


def system(name: str, mac: Mac | None, address: str = "", **fields: Any) -> Target:
    interface = Interface("eth0", mac=mac, ip=IPv4Interface(address) if address else None)
    defaults: dict[str, Any] = {
        "kernel": "scotland/vmlinuz",
        "install": InstallMode.ONCE,
        "hostname": f"{name}.example.org",
        "interfaces": (interface,),
    }
    return Target("system", name, **{**defaults, **fields})


SUBNETS = (
    subnet("10.77.0.0/24", "10.77.0.100", "10.77.0.109", domain="example.org"),
    subnet("10.88.0.0/24", "10.88.0.100", "10.88.0.109"),
)
SYSTEMS = (system("lady", LADY, f"{LADY_IP}/24"), system("tramp", TRAMP))


def inventory(
    mode: DhcpMode = DhcpMode.FULL,
    subnets: tuple[Subnet, ...] = SUBNETS,
    systems: tuple[Target, ...] = SYSTEMS,
    unknown: UnknownPolicy = UnknownPolicy.IGNORE,
    server: ServerSettings | None = None,
    **dhcp: Any,
) -> Inventory:
    return Inventory.of(
        *systems,
        settings=Settings(
            server=replace(server or ServerSettings(), unknown=unknown), dhcp=DhcpSettings(mode=mode, **dhcp)
        ),
        subnets=subnets,
    )


def named(names: str, rows: Sequence[tuple[Any, ...]]) -> pytest.MarkDecorator:
    """Parametrizes a test by a table whose first column names the row."""
    return pytest.mark.parametrize(names, [pytest.param(*row[1:], id=row[0]) for row in rows])


def question(
    kind: int | None, mac: Mac | None = LADY, options: Mapping[int, bytes] | None = None, **fields: Any
) -> bytes:
    """A client's packet. Fields by their names; `kind` None: BOOTP."""
    chaddr = bytes.fromhex(mac.replace(":", "")).ljust(16, b"\0") if mac else bytes(16)
    options = {**({53: bytes((kind,))} if kind is not None else {}), **(options or {})}
    return encode(Packet(**{"xid": 0x1234, "chaddr": chaddr, "options": options, **fields}), 1472)


class World:
    """`ask` puts one question; `boot` goes from DISCOVER to ACK. `stored` is what a commit would have kept."""

    def __init__(self, inv: Inventory | None = None, leases: tuple[Lease, ...] = (), now: float = NOW) -> None:
        self.inventory = inv or inventory()
        self.installs: dict[str, InstallRecord] = {}
        self.now = now
        self.stored: dict[IPv4Address, Lease] = {lease.ip: lease for lease in leases}
        self.arrival = Arrival(
            "eth0", SERVER, (IPv4Interface("10.77.0.1/24"),), 2, peer=IPv4Address(0), peer_port=68
        )  # fmt: skip
        self.server = DhcpServer(self.inventory, self.installs, leases, now, (SERVER,))

    def restart(self) -> None:
        """As after a crash: what is stored is all that is known."""
        self.server = DhcpServer(self.inventory, self.installs, self.stored.values(), self.now, (SERVER,))

    def send(self, data: bytes, **arrival: Any) -> Outcome:
        outcome = self.server.receive(data, replace(self.arrival, **arrival), self.now)
        self.stored.update((lease.ip, lease) for lease in outcome.leases)
        return outcome

    def ask(
        self,
        kind: int | None,
        mac: Mac | None = LADY,
        options: Mapping[int, bytes] | None = None,
        arrival: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Outcome:
        return self.send(question(kind, mac, options, **fields), **(arrival or {}))

    def discover(self, mac: Mac | None = LADY, options: Mapping[int, bytes] | None = None, **fields: Any) -> Outcome:
        return self.ask(DISCOVER, mac, options, **fields)

    def boot(self, mac: Mac | None = LADY, options: Mapping[int, bytes] | None = None, **fields: Any) -> Packet:
        """The ACK of a whole exchange."""
        offer = reply(self.discover(mac, options, **fields))
        asked = {50: offer.yiaddr.packed, 54: offer.options[54], **(options or {})}
        return reply(self.ask(REQUEST, mac, asked, **fields))


def reply(outcome: Outcome) -> Packet:
    assert outcome.reply is not None, outcome.event
    return parse(outcome.reply.data)
