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
from netprov.mac import Mac
from netprov.render.arguments import command_line
from netprov.render.compose import Rendered, answers_for
from netprov.render.context import Subject
from netprov.render.domu import SumOf, no_sum
from netprov.render.environment import Templates
from netprov.render.quoting import kernel_word
from netprov.render.scripts import Installs, Scripts, Sighting
from netprov.render.server import Server


class ReadOnly(Exception):
    """A preview was about to change the state: a mistake of ours."""


@dataclass(frozen=True, slots=True)
class Records:
    """The install records as they are, or (`armed`) as if an install of every machine were armed."""

    real: Installs | None
    armed: bool = False

    def get(self, system: str) -> InstallRecord | None:
        record = self.real.get(system) if self.real is not None else None
        if self.armed and (record is None or not record.state.installs):
            return InstallRecord(InstallState.ARMED, token=PREVIEW_TOKEN)
        return record

    def by_token(self, token: str) -> str | None:
        return None

    def apply(self, owners: Mapping[str, Target], event: InstallEvent, now: float) -> tuple[Change, ...]:
        raise ReadOnly(*owners)


class NobodySeen:
    """No address was seen yet: a preview is of a machine that is named, not of an address."""

    def at(self, ip: IPv4Address) -> Sighting | None:
        return None


@dataclass(frozen=True, slots=True)
class _PreviewState:
    installs: Records
    sightings: NobodySeen


@dataclass(frozen=True, slots=True)
class Preview:
    """Renders without a server. `server` is our address that machines would ask, where none is declared; `sum_of` the
    checksum of a file that we serve."""

    inventory: Inventory
    records: Records
    server: IPv4Address | None = None
    sum_of: SumOf = no_sum

    def script(self, loader: Loader, asking: BootRequest) -> Rendered | None:
        """The script of the machine that `asking` describes, by what it asks over: TFTP, HTTP, or else as the loader
        usually does. Raises ConfigError, StateError."""
        usual = Via.HTTP if loader in (Loader.IPXE, Loader.XEN) else Via.TFTP
        via = asking.via if asking.via in (Via.HTTP, Via.TFTP) else usual
        request = replace(asking, via=via, loader=loader, server=self.server)
        state = _PreviewState(self.records, NobodySeen())
        scripts = Scripts(lambda: self.inventory, state, sum_of=self.sum_of)
        return scripts.script(request, Name(loader, mac=asking.mac, uuid=asking.uuid), preview=True)

    def answers(self, target: Target, mac: Mac | None) -> Rendered:
        """The answers of the target's installer. Raises PeerError where it has none, ConfigError, StateError."""
        return answers_for(self._subject(target, mac), Templates.of(self.inventory), target.name)

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
