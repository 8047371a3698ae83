"""A machine's standing as an object: a line of the page's list, and the API's status."""

from __future__ import annotations

from collections.abc import Mapping

from netprov.journal.boots import STAGES, Boot
from netprov.journal.running import Transfer
from netprov.journal.verdicts import Verdict
from netprov.text import size
from netprov.web.lanes import title_of
from netprov.web.machines import Standing
from netprov.web.words import rate, shown

Json = dict[str, object]


def status_object(standing: Standing) -> Json:
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
        "reached": reached(boot, standing.transfer),
        "text": title_of(last) if last is not None else "",
        "progress": progress_object(standing.transfer) if standing.transfer is not None else None,
        "verdicts": [verdict_object(verdict) for verdict in standing.verdicts],
    }


def reached(boot: Boot | None, transfer: Transfer | None) -> Json:
    """Each stage that the boot has come to, and how it is: "done", "started" or "failed"."""
    stages = boot.stages if boot is not None else ()
    states: Json = {stage.name: stage.state for stage in stages if stage.name in STAGES}
    if transfer is not None and transfer.stage in STAGES:
        states[transfer.stage] = "started"
    return states


def progress_object(transfer: Transfer) -> Json:
    """A transfer under way: `sent` of `size` octets after `seconds`, `rate` octets in the last one."""
    return {
        "name": transfer.name,
        "stage": transfer.stage,
        "at": transfer.at,
        "size": transfer.size,
        "sent": transfer.sent,
        "seconds": round(transfer.seconds, 3),
        "rate": transfer.rate,
        "percent": transfer.percent,
        "text": progress_text(transfer),
    }


def progress_text(transfer: Transfer) -> str:
    """ "initrd.img: 34 % of 58.1 MB, 11.2 MB/s"."""
    pace = rate(round(transfer.rate), 1.0) if transfer.rate >= 1000 else "it has stalled"
    return f"{transfer.name.rpartition('/')[2]}: {transfer.percent} % of {size(transfer.size)}, {pace}"


def verdict_object(verdict: Verdict) -> Json:
    return {
        "id": verdict.id,
        "name": verdict.name,
        "severity": verdict.severity,
        "sentence": verdict.sentence,
        "advice": verdict.advice,
        "at": verdict.at,
    }


def row_of(standing: Standing) -> Json:
    """The same, safe to show as it is."""
    row = safe(status_object(standing))
    assert isinstance(row, dict)
    return row


def safe(value: object) -> object:
    """`value` with every text in it spelled out where it is not seen as itself."""
    if isinstance(value, Mapping):
        return {key: safe(item) for key, item in value.items()}
    if isinstance(value, list):
        return [safe(item) for item in value]
    return shown(value)
