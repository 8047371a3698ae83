"""The one way to change installs, and what the journal is told of it.

The page, the API, every command, an installer's report and a loader's question for its script all come here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from netprov.boot.install import Change, InstallEvent, InstallRecord, InstallState
from netprov.boot.reason import Reason
from netprov.inventory.model import Target
from netprov.journal.event import Event, Kind
from netprov.journal.fact import ATTEMPT, BY, STATE
from netprov.mac import parse_mac

_REASONS: Mapping[InstallState, Reason] = {
    InstallState.LOCAL: Reason.INSTALL_LOCAL,
    InstallState.ARMED: Reason.INSTALL_ARMED,
    InstallState.BOOTING: Reason.INSTALL_RUNNING,
    InstallState.INSTALLING: Reason.INSTALL_RUNNING,
    InstallState.INSTALLED: Reason.INSTALL_DONE,
    InstallState.FAILED: Reason.INSTALL_FAILED,
}


class Installs(Protocol):
    """Where the install records are."""

    def apply(self, owners: Mapping[str, Target], event: InstallEvent, now: float) -> tuple[Change, ...]: ...


@dataclass(frozen=True, slots=True)
class Changed:
    """The install record of one machine, and what the journal is to be told: None where nothing changed."""

    record: InstallRecord
    event: Event | None


def change_installs(
    installs: Installs,
    owners: Mapping[str, Target],
    event: InstallEvent,
    now: float,
    *,
    stage: str = "",
    ip: str = "",
    by: str = "",
) -> tuple[Changed, ...]:
    """What `event` makes of the installs of `owners`, of all of them or of none, in their order.

    An owner is a system's name, or the MAC of a machine that nothing declares; its target says how it is installed.
    `stage` and `ip` are of the request that brought it; `by`: who wants it, where a person or a program does. Raises
    InstallRefused, which is for whoever asked; StateError.
    """
    changes = installs.apply(owners, event, now)
    return tuple(
        Changed(after, _event(now, owner, before, after, stage, ip, by) if after != before else None)
        for owner, (before, after) in zip(owners, changes, strict=True)
    )


def _event(
    now: float, owner: str, before: InstallRecord | None, after: InstallRecord, stage: str, ip: str, by: str
) -> Event:
    was = f"{before.state} → " if before is not None and before.state is not after.state else ""
    attempt = f" (attempt {after.attempts})" if after.state is InstallState.BOOTING else ""
    note = f": {after.note}" if after.note else ""
    attempts = ((ATTEMPT, str(after.attempts)),) if after.attempts else ()
    mac = _mac(owner)
    return Event(
        at=now,
        kind=Kind.INSTALL,
        reason=_REASONS[after.state],
        text=f"{owner}: {was}{after.state}{attempt}{note}",
        stage=stage,
        mac=mac,
        ip=ip,
        system="" if mac else owner,
        token=after.token,
        detail=((STATE, str(after.state)), *attempts, *(((BY, by),) if by else ())),
    )


def _mac(owner: str) -> str:
    try:
        return parse_mac(owner)
    except ValueError:
        return ""
