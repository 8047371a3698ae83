"""No boot has a verdict but those that its test declares: for every test that starts a server."""

from __future__ import annotations

import time
from collections.abc import Mapping, Set
from pathlib import Path

from netprov.inventory.load import load
from netprov.journal.timeline import Timeline
from netprov.journal.verdicts import Context, Judged, judge
from netprov.state.place import Place

HOUR = 3600.0
"""Later than any rule waits for more to come: a boot that stands still has its verdict by then."""

MOST = 10_000  # boots


def judged_in(config: Path, after: float = HOUR) -> list[Judged]:
    """Every boot in the server's journal, with its verdicts `after` seconds from now."""
    inventory = load(config)
    with Timeline(Place(inventory.settings.server.state).journal) as journal:
        return judge(journal.recent(MOST), Context.of(inventory, time.time() + after))


def assert_verdicts(config: Path, troubled: Mapping[str, Set[str]] = {}, after: float = HOUR) -> None:
    """The boots in the server's journal have, `after` seconds from now, no verdicts but those in `troubled`.

    `troubled`: the ids by system, MAC or "ip ADDRESS". That they are there is the tests' own to see: one may have been
    left out, or its machine was booted again and got further.
    """
    wrong = [
        f"{boot.system or boot.machine}, boot {boot.number}: {verdict.id} {verdict.sentence}"
        for boot, verdicts in judged_in(config, after)
        for verdict in verdicts
        if verdict.id not in {*troubled.get(boot.system, ()), *troubled.get(boot.machine, ())}
    ]
    assert not wrong, "verdicts that no test declares:\n" + "\n".join(wrong)
