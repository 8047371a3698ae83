"""A client that asks for an address on the wire, to see who answers: at a bridge plugged in as a machine would be, at a
network card by raw packets, which reach all the wire but not this host itself.

It takes no lease: what it is offered it uses for a moment at most, while the server holds the address for it.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import struct
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from netprov.check.client import Reply, tftp_read, unheard
from netprov.errors import PeerError
from netprov.mac import Mac, mac_of

LISTENS = 2.5
"""Seconds to listen for servers, once one has answered: all that there are were asked at once."""

LONGEST = 4.0
"""Seconds to listen where none has: dnsmasq and others ping an address before they offer it, for two or three."""

_ASKS = (0.0, 1.0, 3.0)  # seconds after which it asks
_VENDOR_CLASS = b"netprov-check"  # not PXEClient: to no server this is a machine that boots
_PARAMETERS = bytes((1, 3, 6, 51, 54, 66, 67))
_SOL_PACKET, _ADD_MEMBERSHIP, _PROMISC = 263, 1, 1  # packet(7)
_ETHERTYPE_IP = 0x0800


@dataclass(frozen=True, slots=True)
class Errand:
    """Where to ask. `server`: our address as machines are told it, "" where none of our services is to be asked."""

    interface: str
    bridge: bool
    server: str = ""
    tftp_port: int = 0  # 0: not to be asked
    http_port: int = 0
    proxy_port: int = 0
    file: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """`file`: what the server would have the client boot."""

    server: str
    server_mac: str
    ip: str
    prefix: int
    file: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One of our services, as a client met it. `problem`: "" where it answered."""

    service: str  # "tftp", "http"
    port: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of an errand. `plugged`: it was asked as a machine on that wire; `problem`: why it was not."""

    interface: str
    mac: str
    plugged: bool = False
    offers: tuple[Offer, ...] = ()
    asked: tuple[Asked, ...] = ()
    problem: str = ""

    @classmethod
    def of(cls, row: dict[str, Any]) -> Probed:
        offers = tuple(Offer(**offer) for offer in row["offers"])
        return cls(**{**row, "offers": offers, "asked": tuple(Asked(**asked) for asked in row["asked"])})


def probe(errands: Sequence[Errand]) -> tuple[Probed, ...]:
    """Runs all errands side by side, each in a process of its own. Nothing is left of them on the host."""
    from netprov.simulate import packets  # noqa: F401 - scapy takes a while, and a fork has it for nothing

    running = [_start(errand) for errand in errands]
    return tuple(_result(*one) for one in running)


def _start(errand: Errand) -> tuple[Errand, str, int, int]:
    mac = mac_of(b"\x02" + secrets.token_bytes(5))
    read_end, write_end = os.pipe()
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        os.close(write_end)
        return errand, mac, pid, read_end
    try:
        os.close(read_end)
        with os.fdopen(write_end, "wb") as pipe:
            pipe.write(json.dumps(asdict(_run(errand, mac, parent))).encode())
    except BaseException:  # a forked child: nothing may go on in its parent's code
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(0)


def _result(errand: Errand, mac: str, pid: int, read_end: int) -> Probed:
    with os.fdopen(read_end, "rb") as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    if not said:
        return Probed(errand.interface, mac, problem="the client ended unexpectedly")
    return Probed.of(json.loads(said))


def _run(errand: Errand, mac: Mac, parent: int) -> Probed:
    from netprov.simulate.wire import Wire, end_with_parent

    end_with_parent(parent)
    try:
        if not errand.bridge:
            with _at_card(errand.interface) as sock:
                return Probed(errand.interface, mac, False, _discover(sock, mac))
        wire = Wire.lay(errand.interface, mac)
        with wire.packets() as sock:
            offers = _discover(sock, mac)
        asked: tuple[Asked, ...] = ()
        chosen = next((offer for offer in offers if _near(offer, errand.server)), None)
        if chosen is not None:
            wire.give(IPv4Address(chosen.ip), chosen.prefix, None)
            asked = _ask(errand, mac, IPv4Address(chosen.ip))
        wire.unplug()
    except PeerError as error:
        return Probed(errand.interface, mac, problem=error.text)
    except OSError as error:
        return Probed(errand.interface, mac, problem=error.strerror or str(error))
    return Probed(errand.interface, mac, True, offers, asked)


def _near(offer: Offer, server: str) -> bool:
    """Whether a client with this offer has our address in its network: a rival's network may be another."""
    return bool(server) and IPv4Address(server) in IPv4Network(f"{offer.ip}/{offer.prefix}", strict=False)


def _at_card(interface: str) -> socket.socket:
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETHERTYPE_IP))
    try:
        sock.bind((interface, _ETHERTYPE_IP))
        # a server may answer to the MAC that asks, which is not the card's
        member = struct.pack("@iHH8s", socket.if_nametoindex(interface), _PROMISC, 0, b"")
        sock.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, member)
    except OSError:
        sock.close()
        raise
    return sock


def _discover(sock: socket.socket, mac: Mac) -> tuple[Offer, ...]:
    """Every server's first offer."""
    from netprov.simulate import packets

    xid = secrets.randbits(32)
    question = packets.question(mac, xid, "discover", [(60, _VENDOR_CLASS), (55, _PARAMETERS)])
    began = time.monotonic()
    asks = [began + after for after in _ASKS]
    found: dict[str, Offer] = {}
    while (now := time.monotonic()) < began + (LISTENS if found else LONGEST):
        if asks and now >= asks[0]:
            asks.pop(0)
            sock.send(packets.frame(mac, question))
        sock.settimeout(0.1)
        try:
            data = sock.recv(4096)
        except TimeoutError:
            continue
        answer = packets.read_frame(data)
        if answer is None or answer.xid != xid or answer.kind != packets.OFFER or not int(answer.yiaddr):
            continue
        server = str(answer.server_id)
        mask = answer.address(1)
        prefix = IPv4Network(f"0.0.0.0/{mask}").prefixlen if mask is not None else 24
        found.setdefault(server, Offer(server, mac_of(data[6:12]), str(answer.yiaddr), prefix, answer.boot_file))
    return tuple(found.values())


def _ask(errand: Errand, mac: Mac, ip: IPv4Address) -> tuple[Asked, ...]:
    """Our services, from the address `ip` on that wire. Port 4011 answers only whom it knows: our journal says whether
    it heard."""
    from netprov.simulate import packets

    if errand.proxy_port:
        question = packets.question(mac, secrets.randbits(32), "request", [(60, _VENDOR_CLASS)], ciaddr=ip)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for _ in range(2):
                sock.sendto(question, (errand.server, errand.proxy_port))
    return tuple(ask(errand))


def ask(errand: Errand) -> list[Asked]:
    """Our TFTP and HTTP, from wherever this process is."""
    found = []
    if errand.tftp_port:
        reply = tftp_read(errand.server, errand.tftp_port, errand.file)
        problem = "" if reply in (Reply.DATA, Reply.ERROR) else reply.value
        found.append(Asked("tftp", errand.tftp_port, problem))
    if errand.http_port:
        found.append(Asked("http", errand.http_port, unheard(errand.server, errand.http_port)))
    return found
