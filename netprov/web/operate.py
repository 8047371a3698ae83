"""Arming an install, and booting locally: by the page and by the API alike."""

from __future__ import annotations

from flask import Request

from netprov.boot.install import Arm, GoLocal, InstallRecord, next_boot
from netprov.errors import PeerError
from netprov.journal.changes import change_installs
from netprov.web.services import Services

Operated = tuple[InstallRecord, str]


def operate(services: Services, request: Request, name: str, event: Arm | GoLocal, by: str) -> Operated:
    """The system's install record after `event`, which `by` wants, and what its next boot does, in words.

    Raises PeerError (404: no such system; 409: its install cannot be changed so), StateError.
    """
    target = services.inventory().system(name)
    if target is None:
        raise PeerError(f"no system is called {name!r}", 404)
    ip = str(request.environ.get("REMOTE_ADDR", ""))
    (changed,) = change_installs(services.state.installs, {name: target}, event, services.clock(), ip=ip, by=by)
    if changed.event is not None:
        services.record(changed.event)
    return changed.record, next_boot(changed.record, target)
