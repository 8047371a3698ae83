"""A machine's standing as an object: a line of the page's list, and the API's status."""

from __future__ import annotations

from collections.abc import Mapping

from netprov.http.services import Services
from netprov.inventory.model import Inventory
from netprov.journal.verdicts import Verdict
from netprov.web.judged import verdicts_of
from netprov.web.lanes import title_of
from netprov.web.machines import Standing
from netprov.web.words import shown

Json = dict[str, object]


def status_object(standing: Standing, inventory: Inventory, now: float) -> Json:
    """What clients sent stands in it as it came."""
    target, boot, last = standing.machine.target, standing.boot, standing.last
    names = standing.machine.names
    return {
        "machine": standing.machine.name,
        "system": target.name if target is not None else "",
        "macs": [name for name in names[1:] if target is not None] or [mac for mac in [standing.machine.mac] if mac],
        "hostname": target.hostname if target is not None else "",
        "profile": (target.profile or target.image) if target is not None else "",
        "install": standing.record.state.value if standing.record is not None else None,
        "says": standing.install,
        "boot": boot.number if boot is not None else None,
        "started": boot.started if boot is not None else None,
        "at": last.at if last is not None else None,
        "stage": standing.stage,
        "state": standing.state,
        "text": title_of(last) if last is not None else "",
        "verdicts": [verdict_object(verdict) for verdict in verdicts_of(boot, inventory, now)],
    }


def verdict_object(verdict: Verdict) -> Json:
    return {
        "id": verdict.id,
        "name": verdict.name,
        "severity": verdict.severity,
        "sentence": verdict.sentence,
        "advice": verdict.advice,
        "at": verdict.at,
    }


def row_of(standing: Standing, services: Services) -> Json:
    """The same, safe to show as it is."""
    row = safe(status_object(standing, services.inventory(), services.clock()))
    assert isinstance(row, dict)
    return row


def safe(value: object) -> object:
    """`value` with every text in it spelled out where it is not seen as itself."""
    if isinstance(value, Mapping):
        return {key: safe(item) for key, item in value.items()}
    if isinstance(value, list):
        return [safe(item) for item in value]
    return shown(value)
