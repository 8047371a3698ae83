"""From nothing to an address and a boot file: DISCOVER, OFFER, REQUEST, ACK, and what a ProxyDHCP server adds."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network

from netprov.boot.programs import Runs
from netprov.simulate import packets
from netprov.simulate.machine import Address, Machine, dhcp_options
from netprov.simulate.packets import Answer
from netprov.simulate.stop import Stop
from netprov.simulate.wire import Wire

PROXY_WAIT = 2.0
"""Seconds to listen on for a ProxyOFFER once there is an address without a boot file. ROMs take up to 4 (PXE 2.1)."""

_TEXTS, _ADDRESSES = (12, 15, 17, 43, 66, 67, 209, 210), (6, 7, 42, 54)  # options that loaders' scripts ask for
_REPEATS = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before each repetition of a question
_RELEASED = 0.1  # seconds for ARP: the packet leaves after it, and the interface goes with this process
_FIRMWARE = (Runs.ROM, Runs.UEFI, Runs.UEFI_HTTP, Runs.IPXE, Runs.XEN)


@dataclass(frozen=True, slots=True)
class Bound:
    """What the machine was given. `boot` says what to boot: the ACK, a ProxyOFFER, or port 4011's ACK; None: nothing
    does. `others`: the servers that offered an address and were not chosen."""

    ack: Answer
    boot: Answer | None
    others: tuple[IPv4Address, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def address(self) -> Address:
        ack, boot = self.ack, self.boot
        mask = ack.address(1)
        prefix = IPv4Network(f"0.0.0.0/{mask}").prefixlen if mask is not None else 24
        return Address(
            ip=ack.yiaddr, prefix=prefix, answered_by=ack.server_id, router=ack.address(3), dns=ack.addresses(6),
            lease=ack.number(51), server=boot.boot_server if boot is not None else None,
            boot_file=boot.boot_file if boot is not None else "",
            config_file=ack.text(209), path_prefix=ack.text(210),
            options=_for_scripts(ack),
        )  # fmt: skip


def _for_scripts(ack: Answer) -> dict[int, bytes]:
    found = {code: ack.octets(code) for code in _TEXTS}
    found |= {code: b"".join(address.packed for address in ack.addresses(code)) for code in _ADDRESSES}
    return {code: octets for code, octets in found.items() if octets}


def ask(machine: Machine, runs: Runs, wire: Wire, timeout: float) -> Bound:
    """Asks as `runs` does on the machine, and leaves the address on the wire's interface.

    `timeout` in seconds counts for each question. Raises PeerError: nobody answered, or not to the end.
    """
    wire.take()
    with wire.packets() as sock:
        talk = _Talk(machine, runs, sock, timeout)
        offer, proxy = talk.discover()
        ack = talk.request(offer)
    told = Bound(ack, None, tuple(sorted(talk.heard - {ack.server_id})))
    address = told.address
    wire.give(address.ip, address.prefix, address.router)
    return _with_boot(told, proxy, machine, runs, timeout)


def release(machine: Machine, address: Address) -> None:
    """Gives the address back: for machines that never were."""
    xid = secrets.randbits(32)
    told = [(54, address.answered_by.packed)]
    payload = packets.question(machine.mac, xid, "release", told, ciaddr=address.ip, broadcast=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((str(address.ip), packets.CLIENT_PORT))
        sock.sendto(payload, (str(address.answered_by), packets.SERVER_PORT))
    time.sleep(_RELEASED)


class _Talk:
    """One conversation over a raw socket. `heard`: who offered an address."""

    def __init__(self, machine: Machine, runs: Runs, sock: socket.socket, timeout: float) -> None:
        self._machine = machine
        self._runs = runs
        self._sock = sock
        self._timeout = timeout
        self._xid = secrets.randbits(32)
        self._began = time.monotonic()
        self._options = dhcp_options(machine, runs)
        self._until: float | None = None  # when there is enough to go on with, the end of listening for more
        self.heard: set[IPv4Address] = set()

    def discover(self) -> tuple[Answer, Answer | None]:
        """The OFFER to take, and the ProxyOFFER heard beside it."""
        offer: Answer | None = None
        proxy: Answer | None = None
        for answer in self._answers("discover", []):
            if answer.kind != packets.OFFER:
                continue
            if int(answer.yiaddr):
                self.heard.add(answer.server_id)
                if offer is None or (answer.boot_file and not offer.boot_file):
                    offer = answer
            elif proxy is None and answer.vendor_class.startswith(("PXEClient", "HTTPClient")):
                proxy = answer
            if offer is not None:
                if self._runs not in _FIRMWARE or offer.boot_file or proxy is not None:
                    return offer, proxy
                self._until = self._until or time.monotonic() + PROXY_WAIT
        if offer is not None:
            return offer, proxy
        beside = f"; {proxy.server_id} answers as a ProxyDHCP server only, which gives no addresses" if proxy else ""
        raise Stop(
            f"no DHCP server offered {self._machine.mac} an address within {self._timeout:g} s: is one running on "
            f"this network, does it know this subnet, and does a firewall let UDP 67 and 68 pass?{beside}",
            "G1" if proxy is not None else "G16",
        )

    def request(self, offer: Answer) -> Answer:
        """The ACK."""
        told = [(50, offer.yiaddr.packed), (54, offer.server_id.packed)]
        self._until = None
        for answer in self._answers("request", told):
            if answer.kind == packets.NAK:
                why = answer.text(56)
                raise Stop(
                    f"{answer.server_id} refused the address {offer.yiaddr} that {offer.server_id} had offered"
                    + (f": {why}" if why else ""),
                    "G15" if answer.server_id != offer.server_id else "G24",
                )
            if answer.kind == packets.ACK and answer.server_id == offer.server_id:
                return answer
        raise Stop(f"{offer.server_id} offered {offer.yiaddr} but never confirmed it (no DHCPACK)", "G24")

    def _answers(self, kind: str, told: list[tuple[int, bytes]]) -> Iterator[Answer]:
        """Asks, repeats itself until there is enough, and yields what servers say to it."""
        end = time.monotonic() + self._timeout
        repeats = iter(_REPEATS)
        again = 0.0
        while (now := time.monotonic()) < (self._until or end):
            if now >= again and self._until is None:
                payload = packets.question(
                    self._machine.mac, self._xid, kind, [*told, *self._options], secs=int(now - self._began),
                    broadcast=self._runs is not Runs.KERNEL,  # firmware wants broadcasts, kernels' clients do not
                )  # fmt: skip
                self._sock.send(packets.frame(self._machine.mac, payload))
                again = now + next(repeats, _REPEATS[-1])
            self._sock.settimeout(max(0.001, (self._until or min(again, end)) - now))
            try:
                data = self._sock.recv(4096)
            except TimeoutError:
                continue
            answer = packets.read_frame(data)
            if answer is not None and answer.xid == self._xid and answer.port == packets.SERVER_PORT:
                yield answer


def _with_boot(told: Bound, proxy: Answer | None, machine: Machine, runs: Runs, timeout: float) -> Bound:
    """`told`, with the packet that says what to boot. Raises PeerError where firmware would find none of use."""
    ack = told.ack
    if runs is Runs.KERNEL:
        return told
    if runs is Runs.UEFI_HTTP:
        return _http(told, proxy)
    if ack.boot_file and not (runs is Runs.UEFI and _sends_on(ack)):
        return replace(told, boot=ack)
    offering = proxy if proxy is not None and not ack.boot_file else ack if _sends_on(ack) else None
    if offering is None:
        return told
    # iPXE and our own bootloader take the file of a ProxyOFFER as it is
    if offering.boot_file and (offering.uses_bootfile or runs in (Runs.IPXE, Runs.XEN)):
        return replace(told, boot=offering)
    found = _boot_server(machine, runs, ack.yiaddr, offering.server_id, timeout)
    return replace(told, boot=found, notes=(f"{offering.server_id} port 4011 said what to boot",))


def _sends_on(answer: Answer) -> bool:
    """Class PXEClient without discovery control sends UEFI firmware to port 4011, file or not (edk2 PxeBcDhcp4.c)."""
    return answer.vendor_class.startswith("PXEClient") and not answer.uses_bootfile


def _http(told: Bound, proxy: Answer | None) -> Bound:
    """UEFI HTTP Boot takes an offer of class HTTPClient with a URL in it, and no other."""
    for answer in (told.ack, proxy):
        if answer is None or not answer.boot_file:
            continue
        if not answer.vendor_class.startswith("HTTPClient"):
            raise Stop(
                f"{answer.server_id} offers {answer.boot_file!r} without option 60 HTTPClient, so UEFI HTTP Boot "
                "ignores the offer",
                "G17",
            )
        if not answer.boot_file.startswith(("http://", "https://")):
            raise Stop(
                f"{answer.server_id} offers {answer.boot_file!r} for HTTP Boot, which is not a URL: "
                "option 67 must be one",
                "G17",
            )
        return replace(told, boot=answer)
    return told


def _boot_server(machine: Machine, runs: Runs, ip: IPv4Address, server: IPv4Address, timeout: float) -> Answer:
    """The ACK of the boot server's port 4011. Raises PeerError."""
    xid = secrets.randbits(32)
    told = [(54, server.packed), *dhcp_options(machine, runs)]
    payload = packets.question(machine.mac, xid, "request", told, ciaddr=ip, broadcast=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((str(ip), packets.CLIENT_PORT))
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            sock.sendto(payload, (str(server), packets.BOOT_SERVER_PORT))
            sock.settimeout(min(left, 1.0))
            try:
                data, (source, port) = sock.recvfrom(4096)
            except OSError:
                continue
            answer = packets.read_payload(data, IPv4Address(source), port)
            if answer is not None and answer.xid == xid and answer.kind == packets.ACK and answer.boot_file:
                return answer
    raise Stop(
        f"the ProxyDHCP server {server} sends the machine to its port 4011, which did not answer within "
        f"{timeout:g} s: does a firewall let UDP 4011 pass?",
        "G2",
    )
