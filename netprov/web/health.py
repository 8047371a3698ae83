"""Whether the server answers."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from netprov.http.outcome import Outcome
from netprov.web.services import Services
from netprov.web.turn import tell


def blueprint(services: Services) -> Blueprint:
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        """200 and the inventory's generation where the state can be read; 503 where it cannot."""
        tell(Outcome(quiet=True))
        installs = services.state.installs.all()
        under_way = sum(1 for record in installs.values() if record.state.installs)
        return jsonify(status="ok", generation=services.inventory().generation, installs_under_way=under_way)

    return routes
