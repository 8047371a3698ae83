"""What is looked at: the configuration as it is on disk, the state it names, and the host that serves it."""

from __future__ import annotations

import os
import re
import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from netprov.check.links import Link, links
from netprov.check.probe import Probed
from netprov.check.recorded import Recorded
from netprov.dhcp.classify import SERVER_PORT
from netprov.errors import ConfigError
from netprov.inventory.declared import Declarations
from netprov.inventory.load import Loaded, attempt
from netprov.inventory.model import Inventory, ServerSettings
from netprov.inventory.report import Report
from netprov.inventory.settings import SettingsReader
from netprov.state.failure import StateError
from netprov.state.leases import Lease
from netprov.state.lock import holder
from netprov.state.place import Place

EVERY = ("*",)
"""In place of the machines' names: any machine."""


class Severity(StrEnum):
    ERROR = "error"  # machines do not boot, or not with what is written
    WARNING = "warning"  # some may not, or soon
    NOTE = "note"  # could not be looked at, and why


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    `id` is stable, for programs. `advice` says what to do, `command` is what to type for it. `machines` are those that
    it stops: names of systems and profiles, EVERY, or none where no machine stops yet.
    """

    id: str
    severity: Severity
    text: str
    advice: str = ""
    machines: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True)
class Subject:
    """One configuration on this host. What is read of the host and of the state is read once, when a check asks.

    `server` is the process that serves its state now, 0 for none. `probing`: whether packets may be sent.
    """

    config: Path
    loaded: Loaded
    place: Place
    server: int
    probing: bool = True
    now: float = field(default_factory=time.time)

    @property
    def inventory(self) -> Inventory | None:
        """None where it has errors."""
        return self.loaded.inventory

    @property
    def declared(self) -> Inventory:
        """The inventory, for checks that run only where there is one."""
        assert self.loaded.inventory is not None
        return self.loaded.inventory

    @cached_property
    def links(self) -> Mapping[str, Link]:
        return links()

    @property
    def served(self) -> Sequence[Link]:
        """The interfaces to serve, as far as they are there; where none are named, all that have an address."""
        named = self.declared.settings.server.interfaces
        return [
            link for name, link in self.links.items()
            if (name in named if named else link.addresses and not link.loopback)
        ]  # fmt: skip

    @cached_property
    def own(self) -> frozenset[IPv4Address]:
        """Our own addresses."""
        return frozenset(address.ip for link in self.links.values() for address in link.addresses)

    @cached_property
    def recorded(self) -> Recorded | None:
        """What the journal has to say; None where it cannot be read."""
        try:
            return Recorded.read(self.place.journal, self.now)
        except ConfigError:
            return None

    @cached_property
    def leases(self) -> Sequence[Lease]:
        """Every lease; none where the state cannot be read, which is another check's to tell."""
        from netprov.check.state import leases

        try:
            return leases(self.place)
        except StateError:
            return ()

    @cached_property
    def archs(self) -> Mapping[str, int]:
        """The client architecture of each MAC, as it last told."""
        from netprov.check.state import archs

        try:
            return archs(self.place)
        except StateError:
            return {}

    @property
    def may_probe(self) -> bool:
        """Whether this process may send as a client without an address does."""
        return os.geteuid() == 0

    @cached_property
    def probed(self) -> Sequence[Probed]:
        """What a client met at each interface that is named; nowhere else is anything sent."""
        from netprov.check.answers import errand_at
        from netprov.check.probe import probe

        named = self.declared.settings.server.interfaces
        if not self.probing or not self.may_probe or self.declared.settings.dhcp.port != SERVER_PORT:
            return ()
        links = (self.links[name] for name in named if name in self.links)
        return probe([errand_at(self, link.name) for link in links if link.up and not link.loopback])

    @cached_property
    def _by_ip(self) -> Sequence[tuple[int, str]]:
        return sorted((int(ip), system.name) for ip, system in self.declared.addresses())

    def systems_in(self, network: IPv4Network) -> tuple[str, ...]:
        """The systems with an address in `network`; EVERY where none has: then nobody can say whose it is."""
        first = bisect_left(self._by_ip, (int(network.network_address), ""))
        last = bisect_left(self._by_ip, (int(network.broadcast_address) + 1, ""))
        return tuple(dict.fromkeys(name for _, name in self._by_ip[first:last])) or EVERY

    def systems_at(self, link: Link) -> tuple[str, ...]:
        """Likewise, in the networks of an interface."""
        found = [self.systems_in(address.network) for address in link.addresses]
        named = [names for names in found if names != EVERY]
        return tuple(dict.fromkeys(name for names in named for name in names)) or EVERY


def shortened(names: Iterable[str], most: int = 4) -> str:
    """`names` for a sentence: the first few, and how many more."""
    every = list(dict.fromkeys(names))
    more = f" and {len(every) - most:,} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def look(config: Path, probing: bool = True) -> Subject:
    """Reads the configuration, and who serves it. Changes nothing."""
    loaded = attempt(config)
    inventory = loaded.inventory
    place = Place(inventory.settings.server.state if inventory is not None else _state(config))
    return Subject(config, loaded, place, holder(place.folder), probing)


_STATE = re.compile(r"^[^#]*\bstate:\s*[\"']?([^\s,}\"'#]+)", re.MULTILINE)


def _state(config: Path) -> str:
    """server.state of a configuration with errors: its server goes on serving the generation before.

    Where it is no YAML at all, what looks like the setting.
    """
    report = Report()
    path = config.absolute()
    root = Declarations(report).document(path)
    if root is not None:
        return SettingsReader(root, path.parent, report).settings()[0].server.state
    try:
        match = _STATE.search(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        match = None
    written = match[1] if match is not None else ServerSettings().state
    return written if "://" in written else str(path.parent / written)
