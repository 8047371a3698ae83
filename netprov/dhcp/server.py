"""The DHCP server core: bytes and the time in; a reply, leases to store and an event out (RFC 2131 §4.3).

It does no I/O. Its caller stores the leases of all packets read in one go, in one commit, and sends the replies after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address

from netprov.boot.decide import decide
from netprov.boot.decision import Action
from netprov.boot.reason import Reason
from netprov.boot.request import Via
from netprov.boot.state import BootState, InstallRecords, LoaderLoop
from netprov.dhcp import proxy
from netprov.dhcp.addresses import Addresses
from netprov.dhcp.answer import FULL, NOTHING, BootFields
from netprov.dhcp.classify import Arrival, classify
from netprov.dhcp.destination import Unicast
from netprov.dhcp.exchange import Exchange, Outcome
from netprov.dhcp.leases import Leases, client_of
from netprov.dhcp.offers import Source
from netprov.dhcp.packet import (
    ACK,
    BOOTREQUEST,
    DECLINE,
    DISCOVER,
    INFORM,
    NAK,
    OFFER,
    RELEASE,
    REQUEST,
    TYPE_NAMES,
    Packet,
    dotted,
    parse,
)
from netprov.dhcp.reply import Offered, Terms, build, offer_of
from netprov.dhcp.report import malformed
from netprov.errors import PeerError
from netprov.inventory.model import DhcpMode, Inventory, Subnet
from netprov.journal.event import Kind
from netprov.state.records import Lease

MIN_LEASE = 120
"""Seconds: the shortest lease that a client can ask for (dnsmasq's floor): each renewal is a commit."""

_REMEMBERED = 4096  # addresses whose subnet, and machines whose options, are known without looking

_HOSTNAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


_Key = str | tuple[str, str, str, int, str]


@dataclass(frozen=True, slots=True)
class _Home:
    """Where a client is: its subnet, the subnet's key, and the address declared for the client there."""

    subnet: Subnet
    key: str
    reserved: IPv4Address | None = None


class DhcpServer:
    """Answers on port 67 (or is a ProxyDHCP there, by dhcp.mode) and on port 4011."""

    def __init__(
        self,
        inventory: Inventory,
        installs: InstallRecords,
        leases: Iterable[Lease],
        now: float,
        own: Iterable[IPv4Address] = (),
    ) -> None:
        self._inventory = inventory
        self._installs = installs
        self._loops = LoaderLoop()
        self.addresses = Addresses(inventory, Leases(leases), now, own)
        self._offered: dict[_Key, Offered] = {}
        self._subnets: dict[int, _Home | None] = {}
        self._handlers: dict[int | None, Callable[[Exchange, _Home], Outcome]] = {
            DISCOVER: self._discover,
            REQUEST: self._request,
            DECLINE: self._decline,
            INFORM: self._inform,
            None: self._bootp,
        }

    def update(self, inventory: Inventory, now: float, own: Iterable[IPv4Address] = ()) -> None:
        """Another inventory generation answers from now on; leases and offers stay."""
        self._inventory = inventory
        self._offered.clear()
        self._subnets.clear()
        self.addresses.update(inventory, now, own)

    def clock_set(self, seconds: float, now: float) -> list[Lease]:
        """The clock was set by `seconds`: nothing ends early or late for it. The leases to store."""
        return self.addresses.shift(seconds, now)

    def receive(self, data: bytes, arrival: Arrival, now: float) -> Outcome:
        """What the packet `data` leads to, at `now` (seconds since the epoch). Raises nothing for what a peer sends."""
        try:
            query = parse(data)
            if query.op != BOOTREQUEST:
                return Outcome(malformed(now, Reason.DHCP_UNSUPPORTED, "another server's reply", arrival))
            client = client_of(query)
            if not client or (query.hlen == 6 and query.chaddr[0] & 1):
                raise PeerError(
                    f"the client address {query.chaddr[: query.hlen].hex(':') or '(none)'} is not a machine's"
                )
        except PeerError as error:
            return Outcome(malformed(now, Reason.DHCP_MALFORMED, error.text, arrival))
        boot_server = arrival.port == self._inventory.settings.dhcp.proxy_port
        exchange = self._exchange(query, client, arrival, now, boot_server)
        if boot_server:
            return proxy.boot_server(exchange)
        if self._inventory.settings.dhcp.mode is DhcpMode.PROXY:
            return proxy.receive(exchange, self._loops)
        return self._dispatch(exchange)

    def _exchange(self, query: Packet, client: str, arrival: Arrival, now: float, boot_server: bool) -> Exchange:
        settings = self._inventory.settings
        via = Via.PROXY if boot_server or settings.dhcp.mode is DhcpMode.PROXY else Via.DHCP
        request = classify(query, arrival, via)
        # at the boot server's port a machine asks again in the same boot
        state = BootState(self._installs, self._loops.given(request.mac, now, query.xid, again=boot_server))
        return Exchange(query, arrival, request, decide(request, self._inventory, state), client, now, settings)

    def _dispatch(self, exchange: Exchange) -> Outcome:
        kind = exchange.query.type
        if kind == RELEASE:
            return self._release(exchange)
        handler = self._handlers.get(kind)
        if handler is None:
            return exchange.drop(Reason.DHCP_UNSUPPORTED, f"a {TYPE_NAMES.get(kind, f'message of type {kind}')}")
        if exchange.decision.action is Action.IGNORE:
            return exchange.ignore()
        home = self._home(exchange)
        if home is None:
            came = f"relay {exchange.request.relay}" if exchange.request.relay else f"{exchange.arrival.interface}"
            return exchange.drop(Reason.DHCP_NO_SUBNET, f"no declared subnet fits {came}")
        return handler(exchange, home)

    def _home(self, exchange: Exchange) -> _Home | None:
        """The client's subnet: the relay's; a renewing client's own; that of the interface. A machine declared in
        another subnet of the same interface is at home there."""
        arrival, query, find = exchange.arrival, exchange.query, self._subnet_of
        relay, reserved = exchange.request.relay, exchange.decision.reserved_ip
        if relay is not None:
            link = find(relay)
        elif arrival.unicast and int(query.ciaddr):
            link = find(query.ciaddr)
        else:
            link = find(arrival.server) or next(filter(None, (find(a.ip) for a in arrival.addresses)), None)
        if reserved is not None and (link is None or reserved not in link.subnet.subnet):
            there = find(reserved) if relay is None else None
            if there is not None and any(a.ip in there.subnet.subnet for a in arrival.addresses):
                return _Home(there.subnet, there.key, reserved)
            return link
        return _Home(link.subnet, link.key, reserved) if link is not None and reserved is not None else link

    def _subnet_of(self, ip: IPv4Address) -> _Home | None:
        """The subnet of an address, remembered: the inventory looks through all, and the same few addresses ask."""
        number = int(ip)
        if number not in self._subnets:
            if len(self._subnets) >= _REMEMBERED:
                self._subnets.clear()
            subnet = self._inventory.subnet_of(ip)
            self._subnets[number] = _Home(subnet, str(subnet.subnet)) if subnet is not None else None
        return self._subnets[number]

    # the messages

    def _discover(self, exchange: Exchange, home: _Home) -> Outcome:
        query = exchange.query
        ip = self.addresses.offer(
            exchange.client,
            home.key,
            exchange.now,
            reserved=home.reserved,
            wanted=query.address(50),
            declared=exchange.declared,
            source=_source(exchange),
        )
        if ip is None:
            size = self.addresses.size(home.key)
            text = f"{home.subnet.subnet}: all {size} addresses of its ranges are in use" if size else (
                f"{home.subnet.subnet} has no range:, and no address is declared for the machine"
            )  # fmt: skip
            return exchange.drop(Reason.DHCP_POOL_EMPTY, text)
        boot = exchange.boot(FULL)
        reply = build(query, OFFER, exchange.server_id, self._terms(exchange, home, ip), boot)
        return exchange.answer(reply, f"offers {_gift(ip, home, boot)}", boot)

    def _request(self, exchange: Exchange, home: _Home) -> Outcome:
        query, client = exchange.query, exchange.client
        chosen = query.address(54)
        if chosen is not None and not exchange.is_ours(chosen):
            self.addresses.withdraw(client, home.key, exchange.now)
            return exchange.drop(Reason.DHCP_NOT_FOR_US, f"the client chose {chosen}", Kind.DHCP_REQUEST)
        ip = query.address(50) or (query.ciaddr if int(query.ciaddr) else None)
        if ip is None:
            return exchange.drop(Reason.DHCP_MALFORMED, "a REQUEST for no address")
        refusal = self._refusal(exchange, home, ip, selecting=chosen is not None)
        if refusal is not None:
            reason, text = refusal
            if reason is Reason.DHCP_NO_RECORD:
                return exchange.drop(reason, text)
            return self._refuse(exchange, reason, text, chosen is not None)
        return self._acknowledge(exchange, home, ip)

    def _refusal(
        self, exchange: Exchange, home: _Home, ip: IPv4Address, *, selecting: bool
    ) -> tuple[Reason, str] | None:
        """Why the client cannot have the address it asks for (RFC 2131 §4.3.2); None: it can."""
        client, now, addresses = exchange.client, exchange.now, self.addresses
        if ip not in home.subnet.subnet:
            return Reason.DHCP_WRONG_NET, f"{ip} is not in {home.subnet.subnet}"
        if home.reserved is not None and ip == home.reserved:
            free = addresses.nobody_elses(ip, client, now)
            return None if free else (Reason.DHCP_TAKEN, f"{ip} is declared for this machine, but another still has it")
        renewing = int(exchange.query.ciaddr) and not selecting
        if home.reserved is not None and not renewing and addresses.nobody_elses(home.reserved, client, now):
            return Reason.DHCP_OTHER_ADDRESS, f"asks for {ip}, its address is {home.reserved}"
        if addresses.reserved_for_other(ip, home.reserved) and (other := self._inventory.system_by_ip(ip)) is not None:
            return Reason.DHCP_TAKEN, f"{ip} is declared for {other.name}"
        held = addresses.leases.of(client, home.key)
        rebooting = not selecting and not renewing
        if rebooting and held is not None and held.ip != ip and addresses.leases.taken(held.ip, now):
            return Reason.DHCP_OTHER_ADDRESS, f"asks for {ip}, its address is {held.ip}"
        if not selecting and (held is None or held.ip != ip) and not exchange.settings.dhcp.authoritative:
            return Reason.DHCP_NO_RECORD, f"asks for {ip}, for which there is no record"
        if addresses.may_have(ip, client, home.key, exchange.declared, now):
            return None
        if selecting and addresses.recycled_to(ip, _source(exchange), now):
            return None
        return Reason.DHCP_TAKEN, f"{ip} belongs to another client, or is outside the ranges"

    def _refuse(self, exchange: Exchange, reason: Reason, text: str, selecting: bool) -> Outcome:
        """A NAK; silence where another server may know better, which it does not of a client that we have on record
        (RFC 2131 §4.3.2)."""
        ours = selecting or reason is Reason.DHCP_OTHER_ADDRESS
        if not ours and not exchange.settings.dhcp.authoritative:
            return exchange.drop(reason, text)
        reply = build(exchange.query, NAK, exchange.server_id, Terms(message=text))
        return exchange.answer(reply, text, NOTHING, reason=reason)

    def _acknowledge(self, exchange: Exchange, home: _Home, ip: IPv4Address, kind: int | None = ACK) -> Outcome:
        query, request = exchange.query, exchange.request
        terms = self._terms(exchange, home, ip)
        before = self.addresses.leases.at(ip)
        hardware = query.hardware
        same = before is not None and before.mac == hardware
        lease = Lease(
            ip=ip,
            mac=hardware,
            client_id=request.client_id,
            hostname=_hostname(query) or (before.hostname if before is not None and same else ""),
            expires=exchange.now + (terms.lease or home.subnet.lease),
            subnet=home.key,
            uuid=request.uuid or (before.uuid if before is not None and same else ""),
            arch=request.arch if request.arch is not None or before is None or not same else before.arch,
            circuit_id=request.circuit_id,
            remote_id=request.remote_id,
            system=exchange.system,
        )
        boot = exchange.boot(FULL)
        if boot.name:
            exchange.given(self._loops)
        reply = build(query, kind, exchange.server_id, terms if kind is not None else _for_bootp(terms), boot)
        text = f"gives {_gift(ip, home, boot)}"
        return exchange.answer(reply, text, boot, leases=self.addresses.grant(lease, exchange.now))

    def _decline(self, exchange: Exchange, home: _Home) -> Outcome:
        """RFC 2131 §4.3.3. Without our server-id, or from a client that never had the address, it says nothing."""
        query = exchange.query
        ip, server = query.address(50), query.address(54)
        if ip is None or server is None or not exchange.is_ours(server):
            return exchange.drop(Reason.DHCP_NOT_FOR_US, "a DECLINE without our server identifier or an address")
        changed = self.addresses.decline(ip, exchange.client, home.key, exchange.now)
        if changed is None:
            return exchange.drop(Reason.DHCP_NO_RECORD, f"declines {ip}, which it was never given")
        outcome = exchange.drop(Reason.DHCP_DECLINED, f"found {ip} in use by another machine", Kind.DHCP_DECLINE)
        return Outcome(outcome.event, leases=changed, decision=exchange.decision)

    def _release(self, exchange: Exchange) -> Outcome:
        """RFC 2131 §4.3.4."""
        query = exchange.query
        server = query.address(54)
        if server is None or not exchange.is_ours(server):
            return exchange.drop(Reason.DHCP_NOT_FOR_US, "a RELEASE without our server identifier")
        lease = self.addresses.release(query.ciaddr, exchange.client, exchange.now)
        if lease is None:
            return exchange.drop(Reason.DHCP_NO_RECORD, f"gives back {query.ciaddr}, which it does not have")
        outcome = exchange.drop(Reason.DHCP_OK, f"gives {query.ciaddr} back", Kind.DHCP_RELEASE)
        return Outcome(outcome.event, leases=(lease,), decision=exchange.decision)

    def _inform(self, exchange: Exchange, home: _Home) -> Outcome:
        """RFC 2131 §4.3.5: to ciaddr, without yiaddr and without a lease. Clients that leave ciaddr empty have an
        address all the same: it is the one they send from, but for a relay's, which is to pass the answer on."""
        query, peer = exchange.query, exchange.arrival.peer
        relayed = int(query.giaddr)
        if not (int(query.ciaddr) or relayed or int(peer)):
            return exchange.drop(Reason.DHCP_MALFORMED, "an INFORM without ciaddr, from no address")
        ip = query.ciaddr if int(query.ciaddr) or relayed else peer
        boot = exchange.boot(FULL)
        terms = self._terms(exchange, home, ip)
        reply = build(query, ACK, exchange.server_id, Terms(offered=terms.offered), boot)
        told = ip if int(ip) else f"{query.hardware} by its relay"
        to = None if relayed else Unicast(ip)
        return exchange.answer(reply, f"informs {told}", boot, kind=Kind.DHCP_INFORM, to=to)

    def _bootp(self, exchange: Exchange, home: _Home) -> Outcome:
        """RFC 1534: BOOTP addresses are for ever, so only a declared one is given."""
        ip = home.reserved
        if ip is None:
            return exchange.drop(Reason.DHCP_NO_RECORD, "a BOOTP client gets an address only if one is declared for it")
        if not self.addresses.nobody_elses(ip, exchange.client, exchange.now):
            return exchange.drop(Reason.DHCP_TAKEN, f"{ip} is declared for this machine, but another still has it")
        return self._acknowledge(exchange, home, ip, kind=None)

    def _terms(self, exchange: Exchange, home: _Home, ip: IPv4Address) -> Terms:
        subnet, target = home.subnet, exchange.decision.target
        if target is not None and target.kind != "system" and not target.dhcp_options:
            target = None
        key: _Key = home.key
        if target is not None:
            vendor_class = exchange.request.vendor_class if target.dhcp_options else ""
            key = home.key, target.kind, target.name, int(ip) if target.kind == "system" else 0, vendor_class
        offered = self._offered.get(key)
        if offered is None:
            if len(self._offered) >= _REMEMBERED:
                self._offered.clear()
            offered = self._offered[key] = offer_of(subnet, target, ip, exchange.request.vendor_class)
        asked = exchange.query.options.get(51, b"")
        lease = subnet.lease
        if len(asked) >= 4:
            lease = min(lease, max(int.from_bytes(asked[:4], "big"), MIN_LEASE))
        return Terms(ip, lease, offered)


def _for_bootp(terms: Terms) -> Terms:
    return Terms(terms.yiaddr, None, terms.offered)


def _source(exchange: Exchange) -> Source:
    request = exchange.request
    if int(exchange.query.giaddr):
        return int(exchange.query.giaddr), request.circuit_id  # by number: an IPv4Address is slow to hash
    return (exchange.arrival.interface,)


def _gift(ip: IPv4Address, home: _Home, boot: BootFields) -> str:
    declared = " (declared)" if home.reserved is not None and ip == home.reserved else ""
    return f"{dotted(ip)}{declared}" + (f" and {boot.told}" if boot else "")


def _hostname(query: Packet) -> str:
    """The name the client gives itself, without what no host name has: it goes into lists and templates."""
    text = query.options.get(12, b"")[:255].decode("latin-1")
    return "".join(c for c in text if c in _HOSTNAME).strip(".-")
