"""Inheritance: defaults → distro → profile → sub-profile → system, and defaults → image → system.

An unset field always inherits, at every level. Dictionaries merge key by key, lists concatenate, scalars override;
`!key` and `!item` take an inherited one out. (Cobbler's sub-profiles store defaults as if they had been written, and
so cut the chain: cobbler#2688, #2707, #2737, #3354, #3557.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from netprov.inventory.declared import Declared
from netprov.inventory.fields import MERGES, Kind, Merge
from netprov.inventory.read import Layer
from netprov.inventory.report import Report
from netprov.inventory.types import Removal

EMPTY = Layer({}, {})


class Resolved(NamedTuple):
    """What an object passes on: its inheritable fields, all merged, and the names of what it is made of."""

    layer: Layer
    profile: str = ""
    distro: str = ""
    image: str = ""


def inherit(inherited: Layer, own: Layer) -> Layer:
    """The inheritable fields of an object: `own` where set, merged with or else those it inherits."""
    values, origins = dict(inherited.values), dict(inherited.origins)
    for name, value in own.values.items():
        how = MERGES.get(name)
        if how is None:
            continue
        if how is Merge.DICT:
            value = merge_dicts(values.get(name, {}), value)
        elif how is Merge.LIST:
            value = merge_lists(values.get(name, ()), value)
        values[name] = value
        origins[name] = own.origins[name]
    return Layer(values, origins, own.origin)


def merge_dicts(inherited: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Key by key; an overridden key keeps its place in the order, as kernel command lines are read in order."""
    merged = dict(inherited)
    for key, value in own.items():
        if key.startswith("!"):
            merged.pop(key[1:], None)
        else:
            merged[key] = value
    return merged


def merge_lists(inherited: tuple[object, ...], own: tuple[object, ...]) -> tuple[object, ...]:
    """The inherited items, then one's own, each once."""
    removed = {item.value for item in own if isinstance(item, Removal)}
    kept = [item for item in inherited if item not in removed]
    return tuple(dict.fromkeys((*kept, *(item for item in own if not isinstance(item, Removal)))))


class Resolver:
    """Resolves each object once. What cannot be resolved is in the report, and resolves to None."""

    def __init__(self, objects: Mapping[Kind, Mapping[str, Declared]], defaults: Layer, report: Report) -> None:
        self.objects = objects
        self.report = report
        self.defaults = inherit(EMPTY, defaults)
        self._done: dict[tuple[Kind, str], Resolved | None] = {}

    def distro(self, name: str) -> Resolved:
        return Resolved(inherit(self.defaults, self.objects[Kind.DISTRO][name].layer), distro=name)

    def image(self, name: str) -> Resolved:
        return Resolved(inherit(self.defaults, self.objects[Kind.IMAGE][name].layer), image=name)

    def resolve(self, kind: Kind, name: str) -> Resolved | None:
        key = (kind, name)
        if key not in self._done:
            if kind is Kind.PROFILE:
                self._resolve_profiles(name)
            else:
                self._done[key] = self.distro(name) if kind is Kind.DISTRO else self.image(name)
        return self._done[key]

    def referred(self, declared: Declared, field: str, kind: Kind) -> Resolved | None:
        """What `field`, which names an object of `kind`, resolves to."""
        name = declared.layer.values[field]
        if name not in self.objects[kind]:
            origin, where = declared.field(field)
            near = self.report.nearest(name, self.objects[kind])
            self.report.error(origin, where, f"no such {kind}: {name}{near}")
            return None
        return self.resolve(kind, name)

    def _resolve_profiles(self, name: str) -> None:
        """The profile and its ancestors, the eldest first; without recursion, as a chain may be of any length."""
        chain = {name: None}
        profiles = self.objects[Kind.PROFILE]
        parent: str = profiles[name].layer.values.get("parent", "")
        while parent in profiles and (Kind.PROFILE, parent) not in self._done:
            if parent in chain:
                names = list(chain)
                self._refuse_cycle(names[names.index(parent) :])
                self._done.update(((Kind.PROFILE, caught), None) for caught in names)
                return
            chain[parent] = None
            parent = profiles[parent].layer.values.get("parent", "")
        for link in reversed(chain):
            self._done[Kind.PROFILE, link] = self._profile(profiles[link])

    def _refuse_cycle(self, cycle: list[str]) -> None:
        origin, where = self.objects[Kind.PROFILE][cycle[0]].field("parent")
        self.report.error(origin, where, f"inherits from itself: {' → '.join((*cycle, cycle[0]))}")

    def _profile(self, declared: Declared) -> Resolved | None:
        """Needs the parent resolved."""
        base = self._base(declared, "distro", Kind.DISTRO, "parent", Kind.PROFILE)
        if base is None:
            return None
        return Resolved(inherit(base.layer, declared.layer), profile=declared.name, distro=base.distro)

    def system(self, declared: Declared) -> Resolved | None:
        """What the system boots."""
        return self._base(declared, "profile", Kind.PROFILE, "image", Kind.IMAGE)

    def _base(self, declared: Declared, one: str, of: Kind, other: str, of_other: Kind) -> Resolved | None:
        """What it inherits from: that which field `one` names, or else field `other`."""
        values = declared.layer.values
        if (one in values) == (other in values):
            what = f"both {one}: and {other}:" if one in values else f"neither {one}: nor {other}:"
            self.report.error(declared.origin, declared.where, f"has {what}; a {declared.kind} has one of them")
            return None
        if one in values:
            return self.referred(declared, one, of)
        return self.referred(declared, other, of_other)
