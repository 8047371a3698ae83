"""Subnets, and the addresses that are reserved in them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address

from netprov.errors import Origin
from netprov.inventory.declared import Declared
from netprov.inventory.model import DhcpMode, Range, Settings, Subnet
from netprov.inventory.read import Layer
from netprov.inventory.report import Report

_ALSO_FIELDS = {26: "mtu", 42: "ntp"}
_GIVES_ADDRESSES = (DhcpMode.FULL, DhcpMode.RESERVED)


class Subnets:
    """The declared subnets, checked; finds the one an address is in by bisection, as no two overlap."""

    def __init__(self, layers: Iterable[Layer], settings: Settings, report: Report) -> None:
        self.settings = settings
        self.report = report
        self.declared = [subnet for layer in layers if (subnet := self._build(layer)) is not None]
        self._sorted = sorted(self.declared, key=lambda subnet: subnet.subnet)
        self._starts = [int(subnet.subnet.network_address) for subnet in self._sorted]
        self._check_disjoint()
        if not self.declared and settings.dhcp.mode in _GIVES_ADDRESSES:
            report.warn(None, "dhcp", "no subnets are declared, so no machine will get an address")

    def of(self, ip: IPv4Address) -> Subnet | None:
        at = bisect_right(self._starts, int(ip)) - 1
        return self._sorted[at] if at >= 0 and ip in self._sorted[at].subnet else None

    def _build(self, layer: Layer) -> Subnet | None:
        if "subnet" not in layer.values:
            self.report.error(layer.origin, "dhcp.subnets", "lacks subnet:, like subnet: 192.168.77.0/24")
            return None
        fields = dict(layer.values)
        subnet = Subnet(ranges=fields.pop("range", ()), origin=layer.origin, **fields)
        for code, field in _ALSO_FIELDS.items():
            if code in subnet.options and field in fields:
                text = f"option {code} and {field}: say the same; keep one"
                self.report.error(layer.origins["options"], f"subnet {subnet.subnet}, field options", text)
        self._check_ranges(subnet, layer.origins.get("range", layer.origin))
        return subnet

    def _check_ranges(self, subnet: Subnet, origin: Origin | None) -> None:
        where = f"subnet {subnet.subnet}"
        edges = _edges(subnet)
        before: Range | None = None
        for range_ in sorted(subnet.ranges, key=lambda r: r.first):
            spelled = f"{range_.first}-{range_.last}"
            if range_.first not in subnet.subnet or range_.last not in subnet.subnet:
                self.report.error(origin, f"{where}, field range", f"{spelled} is not within {subnet.subnet}")
            elif edge := next((name for ip, name in edges.items() if ip in range_), ""):
                self.report.error(
                    origin, f"{where}, field range", f"{spelled} holds the {edge}, which no machine can have"
                )
            for taken in (*subnet.router, self.settings.server.address):
                if taken in range_:
                    text = f"{spelled} holds {taken}, a router or this server: it is not given to clients"
                    self.report.warn(origin, f"{where}, field range", text)
            if before is not None and range_.first <= before.last:
                self.report.error(origin, f"{where}, field range", f"{spelled} overlaps {before.first}-{before.last}")
            before = range_ if before is None or range_.last > before.last else before

    def _check_disjoint(self) -> None:
        widest: Subnet | None = None  # networks are disjoint or nested: to ask the last outermost one is enough
        for subnet in self._sorted:
            if widest is not None and widest.subnet.overlaps(subnet.subnet):
                text = f"overlaps subnet {widest.subnet} ({widest.origin}); split them so that none holds another"
                self.report.error(subnet.origin, f"subnet {subnet.subnet}", text)
            else:
                widest = subnet

    def check_profiles(self, profiles: Mapping[str, Declared]) -> None:
        for subnet in self.declared:
            if subnet.profile and subnet.profile not in profiles:
                near = self.report.nearest(subnet.profile, profiles)
                text = f"no such profile: {subnet.profile}{near}"
                self.report.error(subnet.origin, f"subnet {subnet.subnet}, field profile", text)

    def check_reserved(self, ip: IPv4Address, origin: Origin, where: str) -> None:
        """Whether a system can have this address."""
        subnet = self.of(ip)
        if ip == self.settings.server.address:
            self.report.error(origin, where, f"{ip} is this server's address")
        elif subnet is None:
            if self.settings.dhcp.mode in _GIVES_ADDRESSES:
                known = ", ".join(str(s.subnet) for s in self.declared[:4]) or "none is declared"
                self.report.error(origin, where, f"{ip} is not in any of dhcp.subnets ({known})")
        elif ip in subnet.router:
            self.report.error(origin, where, f"{ip} is the router of {subnet.subnet}")
        elif edge := _edges(subnet).get(ip):
            self.report.error(origin, where, f"{ip} is the {edge} of {subnet.subnet}")


def _edges(subnet: Subnet) -> dict[IPv4Address, str]:
    """The addresses that no machine of the subnet can have; a /31 (RFC 3021) and a /32 have none."""
    if subnet.subnet.prefixlen >= 31:
        return {}
    return {subnet.subnet.network_address: "network address", subnet.subnet.broadcast_address: "broadcast address"}
