"""Why a boot went wrong, by the catalogue of netprov.journal.verdicts."""

from __future__ import annotations

from netprov.inventory.model import Inventory
from netprov.journal.boots import Boot
from netprov.journal.verdicts import verdicts
from netprov.journal.verdicts.verdict import Context, Verdict


def verdicts_of(boot: Boot | None, inventory: Inventory, now: float) -> tuple[Verdict, ...]:
    """The verdicts on a machine's latest boot; none where there is no boot."""
    return verdicts(boot, Context.of(inventory, now)) if boot is not None else ()
