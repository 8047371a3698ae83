"""Who is who: each MAC, address, UUID… belongs to one system."""

from __future__ import annotations

from collections.abc import Hashable
from ipaddress import IPv4Address
from typing import Generic, TypeVar

from netprov.errors import Origin
from netprov.inventory.report import Report
from netprov.mac import Mac

K = TypeVar("K", bound=Hashable)


class Index(Generic[K]):
    """One kind of mark → the system that has it."""

    def __init__(self, what: str, report: Report) -> None:
        self.what = what
        self.report = report
        self.systems: dict[K, str] = {}
        self.origins: dict[K, Origin] = {}

    def claim(self, key: K, system: str, origin: Origin, where: str) -> None:
        """Notes that `system` has it; an error where another, or the same one twice, has."""
        other = self.systems.setdefault(key, system)
        first = self.origins.setdefault(key, origin)
        if first is not origin:
            shown = key.hex(":") if isinstance(key, bytes) else key
            whose = "this system too" if other == system else f"system {other} too"
            self.report.error(origin, where, f"the {self.what} {shown} is that of {whose} ({first})")


class Identities:
    """Every index that a request is looked up in."""

    def __init__(self, report: Report) -> None:
        self.by_mac: Index[Mac] = Index("MAC", report)
        self.by_ip: Index[IPv4Address] = Index("address", report)
        self.by_hostname: Index[str] = Index("hostname", report)
        self.by_uuid: Index[str] = Index("UUID", report)
        self.by_client_id: Index[bytes] = Index("client-id", report)
        self.by_serial: Index[str] = Index("serial number", report)
        self.by_circuit_id: Index[bytes] = Index("circuit-id", report)
        self.by_remote_id: Index[bytes] = Index("remote-id", report)
