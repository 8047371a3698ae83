"""Arming an install, and booting locally: by the page and by the API alike."""

from __future__ import annotations

from flask import Request

from netprov.boot.install import Arm, GoLocal, InstallRecord
from netprov.errors import PeerError
from netprov.inventory.model import InstallMode
from netprov.journal.changes import change_event
from netprov.web.services import Services


def operate(services: Services, request: Request, name: str, event: Arm | GoLocal, by: str) -> InstallRecord:
    """The system's install record after `event`, which `by` wants.

    Raises PeerError (404: no such system; 409: it has no install).
    """
    target = services.inventory().system(name)
    if target is None:
        raise PeerError(f"no system is called {name!r}", 404)
    if isinstance(event, Arm) and target.install is InstallMode.ALWAYS:
        raise PeerError(f"{name} has install: always: it boots its kernel every time", 409)
    now = services.clock()
    change = services.state.installs.apply(name, event, mode=target.install, attempts=target.install_attempts, now=now)
    if change[0] != change[1]:
        ip = str(request.environ.get("REMOTE_ADDR", ""))
        services.record(change_event(now, name, change, stage="", ip=ip, by=by))
    return change[1]
