"""Resolved objects → Targets."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface
from typing import Any

from netprov.inventory.declared import Declared
from netprov.inventory.fields import MERGES, Kind, fields_of
from netprov.inventory.identity import Claims
from netprov.inventory.marks import FIELDS
from netprov.inventory.model import Disk, Interface, Target, Virt
from netprov.inventory.read import Layer
from netprov.inventory.report import Report
from netprov.inventory.resolve import Resolved, Resolver, inherit
from netprov.inventory.subnets import Subnets

_OWN = {
    kind: frozenset(field.name for field in fields_of(kind) if field.name not in MERGES) - {"parent", "interfaces"}
    for kind in (Kind.PROFILE, Kind.SYSTEM, Kind.IMAGE)
}


class Targets:
    """Builds every Target, and sees that no two systems claim the same mark."""

    def __init__(self, resolver: Resolver, subnets: Subnets, report: Report) -> None:
        self.resolver = resolver
        self.subnets = subnets
        self.report = report
        self._claims = Claims(report)
        self._virts: dict[tuple[Kind, str], Virt] = {}

    def of_kind(self, kind: Kind) -> Iterator[Target]:
        """Every profile or image, as it boots for a machine that is no declared system."""
        for declared in self.resolver.objects[kind].values():
            resolved = self.resolver.resolve(kind, declared.name)
            if resolved is not None:
                yield self._target(declared, resolved, resolved.layer, {})

    def systems(self) -> Iterator[Target]:
        for declared in self.resolver.objects[Kind.SYSTEM].values():
            own = {"interfaces": self._interfaces(declared)}
            self._identify(declared)
            resolved = self.resolver.system(declared)
            if resolved is not None:
                layer = inherit(resolved.layer, declared.layer)
                yield self._target(declared, resolved, layer, own)

    def _target(self, declared: Declared, resolved: Resolved, layer: Layer, own: dict[str, Any]) -> Target:
        kind, written = declared.kind, declared.layer
        fields = dict(layer.values)
        fields.update((name, value) for name, value in written.values.items() if name in _OWN[kind])
        if "virt" in fields:
            fields["virt"] = self._virt(declared, resolved, fields["virt"])
        names = {"profile": resolved.profile, "distro": resolved.distro, "image": resolved.image}
        origins = layer.origins | written.origins
        fields |= own | names
        return Target(kind=kind.value, name=declared.name, origin=declared.origin, origins=origins, **fields)

    def _virt(self, declared: Declared, resolved: Resolved, fields: dict[str, Any]) -> Virt:
        """Shared by all that inherit it unchanged."""
        inherited = "virt" not in declared.layer.values
        key = (Kind.PROFILE, resolved.profile) if resolved.profile else (Kind.IMAGE, resolved.image)
        if not inherited:
            key = (declared.kind, declared.name)
        if key not in self._virts:
            disks = (d if isinstance(d, Disk) else Disk(**d.values) for d in fields.get("disks", ()))
            self._virts[key] = Virt(**fields | {"disks": tuple(disks)})
        return self._virts[key]

    def _identify(self, declared: Declared) -> None:
        values = declared.layer.values
        for field, what in FIELDS.items():
            if field in values:
                mark = values[field].lower() if field == "hostname" else values[field]
                self._claims.claim(what, mark, declared.name, *declared.field(field))

    def _interfaces(self, declared: Declared) -> tuple[Interface, ...]:
        layers: dict[str, Layer] = declared.layer.values.get("interfaces", {})
        built = []
        for name, layer in layers.items():
            fields = {key: value for key, value in layer.values.items() if key != "netmask"}
            where = f"{declared.where}, field interfaces.{name}"
            if "mac" in fields and not _rides(name, fields["mac"], layers):
                self._claims.claim("MAC", fields["mac"], declared.name, layer.origins["mac"], f"{where}.mac")
            if "ip" in fields:
                fields["ip"] = self._address(layer, f"{where}.ip")
                self._claims.claim("address", fields["ip"].ip, declared.name, layer.origins["ip"], f"{where}.ip")
                self.subnets.check_reserved(fields["ip"].ip, layer.origins["ip"], f"{where}.ip")
            built.append(Interface(name=name, **fields))
        return tuple(built)

    def _address(self, layer: Layer, where: str) -> IPv4Interface:
        """The address with its prefix: as written, from netmask:, or of its subnet."""
        ip: IPv4Interface | IPv4Address = layer.values["ip"]
        netmask: int | None = layer.values.get("netmask")
        if isinstance(ip, IPv4Interface):
            if netmask is not None and netmask != ip.network.prefixlen:
                self.report.error(layer.origins["netmask"], where, f"{ip} has another prefix than netmask: says")
            return ip
        if netmask is None:
            subnet = self.subnets.of(ip)
            if subnet is None:
                text = f"no prefix, and no subnet to take it from; write it like {ip}/24"
                self.report.warn(layer.origins["ip"], where, text)
            netmask = subnet.subnet.prefixlen if subnet is not None else 32
        return IPv4Interface((int(ip), netmask))


def _rides(name: str, mac: str, layers: dict[str, Layer]) -> bool:
    """Whether it is a VLAN (`eth0.5`) or alias (`eth0:1`) of an interface whose MAC it shares."""
    base = name.partition(":")[0].rpartition(".")[0] or name.partition(":")[0]
    return base != name and base in layers and layers[base].values.get("mac") == mac
