"""The packet that answers: header fields, and options in the order clients want them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address

from netprov.dhcp.answer import NOTHING, BootFields
from netprov.dhcp.packet import ACK, ANY, BOOTREPLY, BROADCAST_FLAG, NAK, OFFER, Packet
from netprov.dhcpoptions.table import encode_option
from netprov.inventory.model import Subnet, Target
from netprov.inventory.options import FOR_CLIENTS
from netprov.quick import quick

V6ONLY_MIN = 300  # seconds, RFC 8925 §3.4

_ALWAYS = (1, 3)
"""Sent whether asked for or not: a client with an address but no mask guesses it."""
_UNASKED = (1, 3, 6, 15, 28)  # for a client without a parameter request list
_REMEMBERED = 16  # parameter request lists whose answer is known without looking


class Offered:
    """The options a client may get, its subnet's and its own, encoded. `forced`: which of them go out unasked; `firm`:
    which of these stand where the server has a value for booting too."""

    def __init__(
        self,
        options: Mapping[int, bytes],
        forced: frozenset[int] = frozenset(),
        firm: frozenset[int] = frozenset(),
    ) -> None:
        self.options = options
        self.forced = forced
        self.firm = firm
        self._chosen: dict[bytes, dict[int, bytes]] = {}

    def to(self, wanted: bytes) -> dict[int, bytes]:
        """What is sent to who asks for the options `wanted` (option 55), in that order (RFC 2132 §9.8), and what it
        gets anyway. Remembered: a hall's machines ask for the same. Not to be changed."""
        chosen = self._chosen.get(wanted)
        if chosen is None:
            codes = dict.fromkeys((*(wanted or _UNASKED), *_ALWAYS, *self.forced))
            order = [code for code in codes if code in self.options]
            if 1 in order and 3 in order and order.index(3) < order.index(1):  # RFC 2132 §3.3: whatever the client says
                order.remove(1)
                order.insert(order.index(3), 1)
            chosen = {code: self.options[code] for code in order}
            if len(self._chosen) >= _REMEMBERED:
                self._chosen.clear()
            self._chosen[wanted] = chosen
        return chosen


NO_OPTIONS = Offered({})


@quick
@dataclass(frozen=True, slots=True)
class Terms:
    """What a reply gives beside booting. `lease` in seconds; None: no lease (INFORM, BOOTP, a ProxyOFFER)."""

    yiaddr: IPv4Address = ANY
    lease: int | None = None
    offered: Offered = field(default_factory=lambda: NO_OPTIONS)
    message: str = ""  # why not, in a NAK


def build(query: Packet, kind: int | None, server: IPv4Address, terms: Terms, boot: BootFields = NOTHING) -> Packet:
    """The reply of type `kind` (None: BOOTP) to `query`.

    xid, secs, flags, giaddr, chaddr come from the query, ciaddr for all but a NAK and an OFFER; its client-id is echoed
    (RFC 6842), the relay's option 82 too, untouched and last (RFC 3046 §2.2), also where giaddr is 0: a switch that
    snoops adds it without being a relay, and drops a reply that lacks it. Option 67 stands last before it.
    """
    options: dict[int, bytes] = {}
    if kind is not None:
        options[53] = bytes((kind,))
        options[54] = server.packed
    if terms.lease is not None:
        options.update(_times(terms.lease))
    if kind == NAK:
        options[56] = terms.message.encode()[:255]
    else:
        options.update(terms.offered.to(query.options.get(55, b"")))
    client_id = query.options.get(61)
    if client_id and kind is not None:
        options[61] = client_id
    options.update(boot.options)
    for code in terms.offered.firm:
        options[code] = terms.offered.options[code]
    if 67 in boot.options:
        options[67] = options.pop(67)
    relay = query.options.get(82)
    if relay is not None:
        options[82] = relay
    # RFC 2131 §4.3.2: the relay is to broadcast a NAK, as the client's address is not right; likewise an answer to an
    # INFORM that names no address
    unaddressed = kind == NAK or (kind == ACK and not (int(terms.yiaddr) or int(query.ciaddr)))
    return Packet(
        op=BOOTREPLY,
        htype=query.htype,
        hlen=query.hlen,
        xid=query.xid,
        secs=query.secs,  # RFC 2131 table 3 has 0; ISC's server and dnsmasq copy it, and ROMs are tested against those
        flags=query.flags | BROADCAST_FLAG if unaddressed and int(query.giaddr) else query.flags,
        ciaddr=query.ciaddr if kind not in (NAK, OFFER) else ANY,
        yiaddr=terms.yiaddr,
        siaddr=boot.siaddr,
        giaddr=query.giaddr,
        chaddr=query.chaddr,
        sname=boot.sname,
        file=boot.file,
        options=options,
        forced=terms.offered.forced,
    )


@lru_cache(maxsize=256)
def _times(lease: int) -> dict[int, bytes]:
    """The options that say how long a lease is, when to renew and when to rebind (RFC 2131 §4.4.5)."""
    return {code: seconds.to_bytes(4, "big") for code, seconds in ((51, lease), (58, lease // 2), (59, lease * 7 // 8))}


def subnet_options(subnet: Subnet) -> dict[int, bytes]:
    """The options every client of the subnet may get, encoded. The operator's own options come first of all."""
    net = subnet.subnet
    values: dict[int, object] = {
        1: net.netmask,
        3: subnet.router,
        6: subnet.dns,
        15: subnet.domain,
        26: subnet.mtu,
        28: net.broadcast_address,
        42: subnet.ntp,
        108: max(subnet.v6only, V6ONLY_MIN) if subnet.v6only is not None else None,
        119: subnet.search,
    }
    encoded = {code: encode_option(code, value) for code, value in values.items() if value not in (None, "", ())}
    return encoded | dict(subnet.options)


def offer_of(subnet: Subnet, target: Target | None, ip: IPv4Address, vendor_class: str) -> Offered:
    """The options of a client at `ip` that boots `target`. What the operator wrote as an option goes out unasked:
    whoever wrote it wants it sent (PXELINUX asks for none)."""
    options, own, firm = subnet_options(subnet), dict(subnet.options), frozenset(subnet.options)
    if target is not None:
        if target.kind == "system":
            options |= target_options(target, ip)
        theirs, theirs_firm = client_options(target, vendor_class)
        own |= theirs
        options |= theirs
        firm |= theirs_firm
    return Offered(options, frozenset(own), firm)


def client_options(target: Target, vendor_class: str) -> tuple[dict[int, bytes], frozenset[int]]:
    """The operator's own options for clients of this class that boot `target`, and which of them are firm: those for
    this class alone, which come before those for every client, and any that does not say what to boot."""
    options: dict[int, bytes] = {}
    firm: set[int] = set()
    for row in sorted(target.dhcp_options, key=lambda row: bool(row.vendor_class)):
        if vendor_class.startswith(row.vendor_class):
            options.update(row.options)
            firm.update(code for code, _ in row.options if row.vendor_class or code not in FOR_CLIENTS)
    return options, frozenset(firm)


def target_options(target: Target, ip: IPv4Address | None) -> dict[int, bytes]:
    """The options of one declared machine, which replace its subnet's."""
    interface = next((i for i in target.interfaces if i.ip is not None and i.ip.ip == ip), None)
    gateway = (interface.gateway if interface is not None else None) or target.gateway
    values: dict[int, object] = {
        3: (gateway,) if gateway is not None else (),
        6: target.name_servers,
        12: (interface.dns_name if interface is not None else "") or target.hostname,
        26: interface.mtu if interface is not None else None,
        119: target.name_servers_search,
    }
    return {code: encode_option(code, value) for code, value in values.items() if value not in (None, "", ())}
