"""The server's own verdicts on simulated boots that stopped, where its journal is on this host."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from netprov.errors import ConfigError
from netprov.inventory.model import Inventory
from netprov.journal.timeline import Timeline
from netprov.journal.verdicts import Context, verdicts
from netprov.simulate.stage import Boot, Ending
from netprov.simulate.stop import UNHEARD
from netprov.state.place import Place

_SETTLED = 0.4  # seconds without a new event: workers hand theirs to the journal a few times a second
_PATIENCE = 3.0  # seconds, in a network where others boot all the time


def judged(boots: Sequence[Boot], began: float, inventory: Inventory) -> list[Boot]:
    """`boots`, those that stopped with the verdicts on what the server saw of them since `began` (this host's clock).

    A simulated machine is over when it stops: no rule waits for more to come. Where the journal cannot be read, or saw
    nothing of a boot, that stays as it is.
    """
    stopped = {boot.mac: boot for boot in boots if boot.ending is Ending.STOPPED}
    path = Place(inventory.settings.server.state).journal
    if not stopped or not path.exists():
        return list(boots)
    try:
        with Timeline(path) as journal:
            _settle(journal)
            seen = [boot for boot in journal.latest_boots(list(stopped)) if boot.started >= began]
    except ConfigError:
        return list(boots)
    over = replace(Context.of(inventory, time.time()), ended=True)
    found = {}
    for boot in seen:
        unheard = stopped[boot.machine].last.verdict == UNHEARD
        found[boot.machine] = verdicts(boot, replace(over, unheard=unheard))
    return [replace(boot, verdicts=found.get(boot.mac, ())) for boot in boots]


def _settle(journal: Timeline) -> None:
    """Until the journal has all that happened."""
    end = time.monotonic() + _PATIENCE
    newest, since = journal.newest(), time.monotonic()
    while (now := time.monotonic()) < end and now - since < _SETTLED:
        time.sleep(0.05)
        if (latest := journal.newest()) != newest:
            newest, since = latest, now
