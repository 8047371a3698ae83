"""What this server would have answered to the DHCP packets of a capture, and why."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path

from netprov.boot.identify import identify
from netprov.boot.request import BootRequest
from netprov.boot.who import who
from netprov.dhcp.classify import Arrival
from netprov.dhcp.interfaces import interfaces
from netprov.dhcp.packet import BOOTREPLY, TYPE_NAMES, Packet, parse
from netprov.errors import PeerError
from netprov.explain.capture import Captured, Tally, read
from netprov.explain.paper import Heard, Paper
from netprov.explain.server import arrival, our_address
from netprov.explain.state import Kept
from netprov.explain.walked import Imagined
from netprov.inventory.model import DhcpMode, Inventory, Target

MOST = 5_000
"""Questions of one capture that are answered: a hall switched on at once asks some thousand."""

_EVERYBODY = IPv4Address("255.255.255.255")


@dataclass(frozen=True, slots=True)
class Answer:
    """A machine's packet and what becomes of it. `heard`: None where it would not be heard at all, `words` says why.
    `like`: the number of the packet before it that was the same question and has the same answer."""

    captured: Captured
    kind: str  # "discover", "request" …
    mac: str
    heard: Heard | None
    words: str = ""
    like: int = 0


@dataclass(slots=True)
class Answers:
    """What a capture came to. `servers`: the replies of DHCP servers in it, by who sent them."""

    file: str
    answers: list[Answer] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    servers: Counter[str] = field(default_factory=Counter)
    left_out: int = 0  # questions of other machines
    full: bool = False  # there were more than MOST


def answered(file: Path, machine: str, inventory: Inventory, kept: Kept, imagined: Imagined) -> Answers:
    """Each question in the capture, as if it came now; of `machine` alone, where that is not "".

    What others ask is heard all the same: it takes addresses. Raises CaptureError, UnknownName, StateError.
    """
    wanted = who(machine, inventory) if machine else None
    found = Answers(str(file))
    listener = _Listener(inventory, kept, imagined)
    known: dict[tuple[object, ...], int] = {}
    for captured in read(file, found.tally):
        query = _parsed(captured)
        if query is not None and query.op == BOOTREPLY:
            server = query.address(54) or captured.datagram.source
            found.servers[str(server)] += 1
            continue
        if captured.datagram.to_port == 68:
            found.tally.others += 1
            continue
        if len(found.answers) + found.left_out >= MOST:
            found.full = True
            break
        answer = listener.answer(captured, query)
        if wanted is not None and not _of(wanted, answer, query, inventory):
            found.left_out += 1
            continue
        key = _key(answer, query)
        found.answers.append(replace(answer, like=known.get(key, 0)))
        known.setdefault(key, captured.number)
    return found


class _Listener:
    """The server, as far as packets of a capture reach it."""

    def __init__(self, inventory: Inventory, kept: Kept, imagined: Imagined) -> None:
        self._inventory = inventory
        self._given = imagined.server
        self._held = frozenset(a.ip for i in interfaces().values() for a in i.addresses)
        mode = inventory.settings.dhcp.mode
        leases = () if mode in (DhcpMode.OFF, DhcpMode.PROXY) else kept.leases.all()
        self._now = time.time()
        self._first: float | None = None
        self._paper = Paper(inventory, kept.records, leases, self._now, self._held)

    def answer(self, captured: Captured, query: Packet | None) -> Answer:
        kind = TYPE_NAMES.get(query.type, f"type {query.type}") if query is not None else "?"
        mac = query.hardware if query is not None else ""
        if captured.cut:
            words = f"the capture left out {captured.cut} octets of it: capture whole packets (tcpdump -s 0)"
            return Answer(captured, kind, mac, None, words)
        came = self._arrival(captured, query)
        if isinstance(came, str):
            return Answer(captured, kind, mac, None, came)
        if self._first is None:
            self._first = captured.at
        heard = self._paper.hear(captured.datagram.payload, came, self._now + captured.at - self._first)
        return Answer(captured, kind, mac, heard)

    def _arrival(self, captured: Captured, query: Packet | None) -> Arrival | str:
        """How the packet would have come to us; why it would not."""
        datagram = captured.datagram
        target = self._target(query)
        relay = query.giaddr if query is not None and int(query.giaddr) else None
        server = self._given or our_address(self._inventory, target)
        if server is None:
            return "it is not known which of our addresses it asks: name it with --server"
        alone = datagram.destination != _EVERYBODY and relay is None
        ours = self._held | {server, self._inventory.settings.server.address}
        if alone and datagram.destination not in ours and not self._broadcast(datagram.destination):
            return f"sent to {datagram.destination} alone, which is not this server: it would not have heard it"
        if relay is None and datagram.destination in ours:
            server = datagram.destination
        came = arrival(self._inventory, server, target, relay, told=self._given is not None)
        assert came is not None  # an address of ours is known
        settings = self._inventory.settings.dhcp
        to_boot_server = datagram.to_port in (4011, settings.proxy_port)
        return replace(
            came,
            unicast=relay is not None or datagram.destination in ours,
            port=settings.proxy_port if to_boot_server else settings.port,
            peer=datagram.source,
            peer_port=datagram.port,
        )

    def _broadcast(self, ip: IPv4Address) -> bool:
        subnet = self._inventory.subnet_of(ip)
        return subnet is not None and ip == subnet.subnet.broadcast_address

    def _target(self, query: Packet | None) -> Target | None:
        return self._inventory.system_by_mac(query.mac) if query is not None and query.mac is not None else None


def _parsed(captured: Captured) -> Packet | None:
    try:
        return parse(captured.datagram.payload)
    except PeerError:
        return None


def _of(wanted: BootRequest, answer: Answer, query: Packet | None, inventory: Inventory) -> bool:
    """Whether the packet is of the machine asked about: by its MAC, or by what it was recognised by."""
    if query is not None and wanted.mac is not None and query.mac == wanted.mac:
        return True
    decision = answer.heard.decision if answer.heard is not None else None
    match = identify(wanted, inventory)
    if decision is not None and match is not None:
        return decision.target is match.target
    event = answer.heard.event if answer.heard is not None else None
    if event is None:
        return False
    return bool(wanted.uuid and event.uuid == wanted.uuid) or bool(wanted.ip and event.ip == str(wanted.ip))


def _key(answer: Answer, query: Packet | None) -> tuple[object, ...]:
    """What makes two answers one: of the same machine, to the same question, and what is sent."""
    heard = answer.heard
    reply = heard.reply.packet if heard is not None and heard.reply is not None else None
    sent = (reply.yiaddr, reply.siaddr, reply.file, tuple(reply.options.items())) if reply is not None else ()
    text = heard.event.text if heard is not None else answer.words
    asked = tuple(query.options.items()) if query is not None else answer.captured.number
    return answer.mac, answer.kind, answer.captured.vlans, text, sent, asked
