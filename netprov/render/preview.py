"""What a machine would get, for people who look: nothing is changed by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from netprov.boot.install import Change, InstallEvent, InstallRecord, InstallState
from netprov.boot.names import Name
from netprov.boot.owner import PREVIEW_TOKEN, first_mac, token_of
from netprov.boot.request import BootRequest, Loader, Via
from netprov.inventory.model import Inventory, Target
from netprov.journal.changes import Installs
from netprov.mac import Mac
from netprov.render.arguments import command_line
from netprov.render.compose import Rendered, answers_for
from netprov.render.context import Subject
from netprov.render.domu import SumOf, no_sum
from netprov.render.generation import Generation
from netprov.render.quoting import kernel_word
from netprov.render.scripts import Scripts
from netprov.render.server import Server
from netprov.state.records import Sighting


class ReadOnly(Exception):
    """A preview was about to change the state: a mistake of ours."""


class Unchanging:
    """Install records that nobody ends by a token, nor changes."""

    __slots__ = ()

    def by_token(self, token: str) -> str | None:
        return None

    def apply(self, owners: Mapping[str, Target], event: InstallEvent, now: float) -> tuple[Change, ...]:
        raise ReadOnly(*owners)


@dataclass(frozen=True, slots=True)
class Records(Unchanging):
    """The install records as they are, or (`armed`) as if an install of every machine were armed."""

    real: Installs | None
    armed: bool = False

    def get(self, system: str) -> InstallRecord | None:
        record = self.real.get(system) if self.real is not None else None
        if self.armed and (record is None or not record.state.installs):
            return InstallRecord(InstallState.ARMED, token=PREVIEW_TOKEN)
        return record


def nobody_seen(ip: IPv4Address) -> Sighting | None:
    """A preview is of a machine that is named, not of an address."""
    return None


@dataclass(frozen=True, slots=True)
class Preview:
    """Renders without a server. `server` is our address that machines would ask, where none is declared; `sum_of` the
    checksum of a file that we serve."""

    generation: Generation
    records: Records
    server: IPv4Address | None = None
    sum_of: SumOf = no_sum

    @property
    def inventory(self) -> Inventory:
        return self.generation.inventory

    def script(self, loader: Loader, asking: BootRequest) -> Rendered | None:
        """The script of the machine that `asking` describes, by what it asks over: TFTP, HTTP, or else as the loader
        usually does. Raises ConfigError, StateError."""
        usual = Via.HTTP if loader in (Loader.IPXE, Loader.XEN) else Via.TFTP
        via = asking.via if asking.via in (Via.HTTP, Via.TFTP) else usual
        request = replace(asking, via=via, loader=loader, server=self.server)
        scripts = Scripts(self.records, nobody_seen, sum_of=lambda root, name: self.sum_of(name))
        return scripts.script(self.generation, request, Name(loader, mac=asking.mac, uuid=asking.uuid), preview=True)

    def answers(self, target: Target, mac: Mac | None) -> Rendered:
        """The answers of the target's installer. Raises PeerError where it has none, ConfigError, StateError."""
        return answers_for(self._subject(target, mac), self.generation.templates, target.name)

    def arguments(self, target: Target, mac: Mac | None) -> str:
        """The kernel command line the target is installed with. Raises ConfigError, StateError."""
        facts = self._subject(target, mac).facts(autoinstall=bool(target.autoinstall))
        return " ".join(map(kernel_word, command_line(target, target.kernel_options, facts)))

    def _subject(self, target: Target, mac: Mac | None) -> Subject:
        token = ""
        if target.kind == "system":
            token = token_of(self.records.get(target.name))
        interface = mac or first_mac(target)
        server = Server.of(self.inventory, BootRequest(Via.HTTP, Loader.OS, server=self.server))
        subnet = next((s for i in target.interfaces if i.ip and (s := self.inventory.subnet_of(i.ip.ip))), None)
        return Subject(target, server, interface, token, subnet)
