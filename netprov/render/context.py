"""What a template sees: plain frozen values by the names of the field table, and Cobbler's names beside them.

Precedence, the later wins: the target's fields, its interfaces by Cobbler's names (`ip_address_eth0`), the keys of
`autoinstall_meta`, and what is made for this request (`server`, `autoinstall_url`, `token` …).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from enum import Enum
from ipaddress import IPv4Address
from types import MappingProxyType

from netprov.inventory.model import Interface, Subnet, Target
from netprov.mac import Mac, bootif
from netprov.render.arguments import Facts
from netprov.render.breeds import release_of
from netprov.render.quoting import Words
from netprov.render.server import Server

_HIDDEN = frozenset({"origin", "origins", "autoinstall_meta"})


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """Whom a text is rendered for. `mac` is the interface that boots; `token` the install's, "" where it has none."""

    target: Target
    server: Server
    mac: Mac | None = None
    token: str = ""
    subnet: Subnet | None = None

    @property
    def where(self) -> str:
        return f"{self.target.kind} {self.target.name}"

    @property
    def interface(self) -> Interface | None:
        """The interface that boots, else the first with an address, else the first."""
        interfaces = self.target.interfaces
        booting = [i for i in interfaces if i.mac is not None and i.mac == self.mac]
        addressed = [i for i in interfaces if i.ip is not None]
        return next(iter((*booting, *addressed, *interfaces)), None)

    @property
    def tree(self) -> str:
        """The install tree's URL; one under tftp.root is reached through our HTTP server."""
        meta = self.target.autoinstall_meta.get("tree")  # where Cobbler's import keeps it
        tree = meta if isinstance(meta, str) else self.target.tree
        return tree if not tree or ":" in tree else self.server.file_url(tree)

    @property
    def hostname(self) -> str:
        return self.target.hostname or (self.target.name if self.target.kind == "system" else "")

    @property
    def domain(self) -> str:
        return self.hostname.partition(".")[2] or (self.subnet.domain if self.subnet is not None else "")

    @property
    def autoinstall_url(self) -> str:
        """ "" where nothing is to be fetched."""
        declared = self.target.autoinstall
        if not declared or "://" in declared:
            return declared
        return self.server.autoinstall_url(self.target.kind, self.target.name, self.token)

    def facts(self, *, autoinstall: bool) -> Facts:
        """What the kernel's arguments are made of; without the installer's answers unless `autoinstall`."""
        target, url, seed = self.target, "", ""
        if autoinstall and self.autoinstall_url:
            url = self.autoinstall_url
            own = url != target.autoinstall
            seed = self.server.seed_url(target.kind, target.name, self.token) if own else url
        return Facts(
            url=url,
            seed=seed,
            tree=self.tree,
            hostname=self.hostname.partition(".")[0] if url else "",
            domain=self.domain if url else "",
            suite=release_of(target).codename if url else "",
            iso=self.tree if self.tree.lower().endswith(".iso") else "",
            bootif=bootif(self.mac) if self.mac is not None else "",
            syslog=self.server.syslog,
            syslog_host=self.server.host if self.server.syslog else "",
            syslog_port=str(self.server.syslog_port) if self.server.syslog else "",
            loghost=self.server.host if self.server.syslog_port == 514 else "",
        )


def values(subject: Subject) -> dict[str, object]:
    """What a template for `subject` sees."""
    target = subject.target
    seen: dict[str, object] = {
        field.name: plain(getattr(target, field.name))
        for field in dataclasses.fields(target)
        if field.name not in _HIDDEN
    }
    fields = MappingProxyType(dict(seen))
    for interface in target.interfaces:
        seen.update(_flattened(interface))
    seen.update({key: plain(value) for key, value in target.autoinstall_meta.items()})
    seen.update(_made(subject))
    seen["target"] = fields
    return seen


def plain(value: object) -> object:
    """`value` as a template may see it: text, numbers, and frozen lists and mappings of such."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bytes):
        return value.hex(":")
    if isinstance(value, Interface):
        return MappingProxyType(_interface(value))
    if dataclasses.is_dataclass(value):
        return MappingProxyType({f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)})
    if isinstance(value, Mapping):
        return MappingProxyType({str(key): plain(part) for key, part in value.items()})
    if isinstance(value, tuple | list):
        return tuple(plain(part) for part in value)
    return str(value)


def _interface(interface: Interface) -> dict[str, object]:
    return {
        "name": interface.name,
        "mac": str(interface.mac or ""),
        "ip": str(interface.ip.ip) if interface.ip else "",
        "netmask": str(interface.ip.netmask) if interface.ip else "",
        "prefix": interface.ip.network.prefixlen if interface.ip else None,
        "gateway": str(interface.gateway or ""),
        "dns_name": interface.dns_name,
        "mtu": interface.mtu,
        "bridge": interface.bridge,
        "management": interface.management,
    }


_COBBLER = (
    ("mac_address", "mac"),
    ("ip_address", "ip"),
    ("netmask", "netmask"),
    ("if_gateway", "gateway"),
    ("dns_name", "dns_name"),
    ("mtu", "mtu"),
    ("virt_bridge", "bridge"),
)


def _flattened(interface: Interface) -> Iterator[tuple[str, object]]:
    parts = _interface(interface)
    for cobbler, ours in _COBBLER:
        yield f"{cobbler}_{interface.name}", parts[ours]


def _made(subject: Subject) -> dict[str, object]:
    target, server, interface = subject.target, subject.server, subject.interface
    ip = interface.ip if interface is not None else None
    mac = subject.mac or (interface.mac if interface is not None else None)
    release = release_of(target)
    return {
        "system_name": target.name if target.kind == "system" else "",
        "profile_name": target.name if target.kind == "profile" else target.profile,
        "distro_name": target.distro,
        "os_family": str(release.family),
        "os_major": release.version[0],
        "title": subject.where,
        "hostname": subject.hostname,
        "short_hostname": subject.hostname.partition(".")[0],
        "domain": subject.domain,
        "mac_address": str(mac or ""),
        "ip_address": str(ip.ip) if ip is not None else "",
        "netmask": str(ip.netmask) if ip is not None else "",
        "name_servers": plain(target.name_servers or (subject.subnet.dns if subject.subnet is not None else ())),
        "gateway": _first(interface.gateway if interface else None, target.gateway, subject.subnet),
        "server": server.host,
        "http_server": server.authority,
        "server_url": server.url,
        "scripts_url": server.scripts_url,
        "syslog": server.syslog,
        "tree": subject.tree,
        "kernel_options": Words(_option_words(target)),
        "autoinstall_url": subject.autoinstall_url,
        "callback_url": server.callback_url(subject.token, "done"),
        "callback_failed_url": server.callback_url(subject.token, "failed"),
        "token": subject.token,
    }


def _first(interface: IPv4Address | None, target: IPv4Address | None, subnet: Subnet | None) -> str:
    router = subnet.router[0] if subnet is not None and subnet.router else None
    return str(interface or target or router or "")


def _option_words(target: Target) -> Iterator[str]:
    for key, options in target.kernel_options.items():
        yield from (key,) if options is None else (f"{key}={option}" for option in options)
