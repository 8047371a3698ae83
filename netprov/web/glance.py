"""Where machines stand at one moment: what one answer looks up, each part of it read when it is first asked for."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from types import TracebackType

from netprov.boot.install import InstallRecord
from netprov.inventory.model import Inventory
from netprov.journal.boots import Boot
from netprov.journal.running import STALE, Transfer
from netprov.journal.timeline import Timeline
from netprov.journal.verdicts import Context, Heard, Judged, Verdict, absence, verdicts
from netprov.mac import Mac
from netprov.web.machines import Machine, Standing
from netprov.web.services import Services


class Glance:
    """For one thread. Every method raises ConfigError where the journal cannot be read.

    `journal`: one that is open already, and stays so; without it the server's, until the end of the `with`.
    """

    def __init__(self, services: Services, journal: Timeline | None = None) -> None:
        self._services = services
        self._own = journal is None
        self.journal = journal if journal is not None else Timeline(services.journal)
        self.inventory: Inventory = services.inventory()
        self.now = services.clock()
        self._context = Context.of(self.inventory, self.now)

    def __enter__(self) -> Glance:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own:
            self.journal.close()

    def standing(self, machine: Machine, boot: Boot | None = None) -> Standing:
        """Where `machine` stands. `boot`: its latest, where that is known already."""
        if boot is None:
            boot = self.journal.latest_of(machine.names)
        record: InstallRecord | None = self._services.state.installs.get(machine.name)
        return Standing(machine, record, boot, self._transfer(machine), self._verdicts(machine, boot))

    def judged(self, boot: Boot, *, ended: bool) -> Judged:
        """`boot` with its verdicts. `ended`: the machine has begun another since."""
        return boot, verdicts(boot, replace(self._context, ended=ended))

    @cached_property
    def transfers(self) -> tuple[Transfer, ...]:
        """Those under way."""
        return self.journal.running(self.now - STALE)

    def name_of(self, transfer: Transfer) -> str:
        """The name that the machine's page has."""
        system = self.inventory.system(transfer.system) or self.inventory.system_by_mac(Mac(transfer.machine))
        return system.name if system is not None else transfer.machine

    @cached_property
    def _by_name(self) -> dict[str, Transfer]:
        """The largest transfer of each machine."""
        found: dict[str, Transfer] = {}
        for transfer in sorted(self.transfers, key=lambda transfer: transfer.size):
            for name in (transfer.machine, transfer.system):
                found[name] = transfer
        found.pop("", None)
        return found

    def _transfer(self, machine: Machine) -> Transfer | None:
        return next((self._by_name[name] for name in machine.names if name in self._by_name), None)

    @cached_property
    def _heard(self) -> Heard:
        return Heard(self.journal.heard())

    def _verdicts(self, machine: Machine, boot: Boot | None) -> tuple[Verdict, ...]:
        if boot is not None:
            return verdicts(boot, self._context)
        if machine.target is None or not any(interface.ip for interface in machine.target.interfaces):
            return ()
        return absence(machine.target, self.inventory, self._heard, self._context)
