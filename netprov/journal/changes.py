"""What the journal is told when the state of an install changes."""

from __future__ import annotations

from collections.abc import Mapping

from netprov.boot.install import InstallRecord, InstallState
from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind
from netprov.mac import parse_mac

_REASONS: Mapping[InstallState, Reason] = {
    InstallState.LOCAL: Reason.INSTALL_LOCAL,
    InstallState.ARMED: Reason.INSTALL_ARMED,
    InstallState.BOOTING: Reason.INSTALL_RUNNING,
    InstallState.INSTALLING: Reason.INSTALL_RUNNING,
    InstallState.INSTALLED: Reason.INSTALL_DONE,
    InstallState.FAILED: Reason.INSTALL_FAILED,
}


def change_event(
    now: float, owner: str, change: tuple[InstallRecord | None, InstallRecord], *, stage: str, ip: str, by: str = ""
) -> Event:
    """The INSTALL event of a record's change. `owner`: a system, or the MAC of a machine that nothing declares.

    `by`: who changed it, where a person or a program did.
    """
    before, after = change
    was = f"{before.state} → " if before is not None and before.state is not after.state else ""
    attempt = f" (attempt {after.attempts})" if after.state is InstallState.BOOTING else ""
    note = f": {after.note}" if after.note else ""
    attempts = (("attempt", str(after.attempts)),) if after.attempts else ()
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
        detail=(("state", str(after.state)), *attempts, *((("by", by),) if by else ())),
    )


def _mac(owner: str) -> str:
    try:
        return parse_mac(owner)
    except ValueError:
        return ""
