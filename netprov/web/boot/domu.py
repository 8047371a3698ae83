"""What dom0 tells of a domU's boot: that Xen has its kernel, or why not. Its answer is a script (scripts.py)."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request

from netprov.boot.reason import Reason
from netprov.errors import PeerError
from netprov.http.outcome import Outcome
from netprov.mac import parse_mac
from netprov.web.boot.asker import TEXT
from netprov.web.services import Services
from netprov.web.turn import tell

STAGE = "handed-over"
MAX_NOTE = 500  # characters of dom0's own words that are kept


def blueprint(services: Services) -> Blueprint:
    routes = Blueprint("domu", __name__)

    @routes.post("/xen/<written>/report")
    def report(written: str) -> Response:
        """status=handed-over, or status=refused with a note. It goes into the journal, and changes nothing."""
        try:
            mac = parse_mac(written)
        except ValueError:
            abort(404, "no such page")
        target = services.inventory().system_by_mac(mac)
        system = target.name if target is not None else ""
        tell(Outcome(stage=STAGE, mac=mac, system=system))
        match request.values.get("status"):
            case "handed-over":
                text, reason = "kernel and initrd handed to Xen", Reason.XEN_HANDED_OVER
            case "refused":
                note = request.values.get("note", "")[:MAX_NOTE]
                text, reason = f"not handed to Xen: {note}", Reason.XEN_REFUSED
            case _:
                raise PeerError("say status=handed-over or status=refused", 400)
        tell(Outcome(stage=STAGE, reason=reason, text=text, mac=mac, system=system))
        return Response("noted\n", content_type=TEXT)

    return routes
