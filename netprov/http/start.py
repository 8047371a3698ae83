"""The start page: the declared systems and where their installs stand."""

from __future__ import annotations

import base64
import hashlib

from flask import Blueprint, Response, render_template, request

from netprov.boot.install import DESCRIBED, InstallRecord
from netprov.http.asker import tell
from netprov.http.outcome import Outcome
from netprov.http.services import Services
from netprov.inventory.model import InstallMode, Target

STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .8rem .3rem 0;"
    "border-bottom:1px solid #ccc}td.mac{font-family:monospace}"
)
_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing but this one style sheet: no script, whatever a machine may have called itself."""


def blueprint(services: Services) -> Blueprint:
    routes = Blueprint("start", __name__)

    @routes.get("/")
    def start() -> Response:
        tell(request, Outcome(quiet=True))
        inventory = services.inventory()
        records = services.state.installs.all()
        rows = [
            (system, [str(i.mac) for i in system.interfaces if i.mac], standing(system, records.get(system.name)))
            for system in inventory.systems.values()
        ]
        page = render_template("start.html", rows=rows, style=STYLE, generation=inventory.generation)
        response = Response(page, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return routes


def standing(system: Target, record: InstallRecord | None) -> str:
    """What the machine does at its next network boot, in words."""
    if system.install is InstallMode.ALWAYS:
        return "boots its kernel every time"
    if record is not None:
        return DESCRIBED[record.state] + (f": {record.note}" if record.note else "")
    return "will be installed at its next network boot" if system.install is InstallMode.ONCE else "boots its own disk"
