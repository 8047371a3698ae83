"""Loaders' scripts: every name that parse_name knows, at the top or beneath /files/ (iPXE looks beside itself)."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, abort, request

from netprov.boot.names import parse_name
from netprov.boot.request import BootRequest
from netprov.http.outcome import Outcome
from netprov.journal.decided import event_of_decision
from netprov.journal.fact import TEMPLATE
from netprov.web.boot.asker import TEXT, boot_request, previews, tell
from netprov.web.services import Rendered, Services


def blueprint(services: Services) -> Blueprint:
    routes = Blueprint("scripts", __name__)

    @routes.get("/<path:path>")
    def script(path: str) -> Response:
        name = parse_name(path.removeprefix("files/"))
        if name is None:
            abort(404, "no such page")
        said = boot_request(request, name.loader, services.inventory())
        asked = replace(said, mac=name.mac or said.mac, uuid=name.uuid or said.uuid)
        tell(request, Outcome(stage="script", mac=asked.mac or "", uuid=asked.uuid))
        rendered = services.scripts.script(asked, name, preview=previews(request))
        if rendered is None:
            # the operator may keep a script of this name among the files, as TFTP takes it too
            tell(request, Outcome(stage="script", file=path.removeprefix("files/")))
            return Response("", 404)
        return respond(services, asked, rendered)

    return routes


def respond(services: Services, asked: BootRequest, rendered: Rendered) -> Response:
    """The response with what was rendered; its event says for whom, from which template and why."""
    decision = rendered.decision
    if rendered.told is not None:
        services.record(rendered.told)
    system, mac, uuid, trace, decided = event_of_decision(asked, decision)
    about = Outcome(rendered.stage, mac=mac, uuid=uuid, system=system, token=rendered.token, trace=trace)
    tell(request, replace(about, detail=((TEMPLATE, rendered.template), *decided)))
    return Response(rendered.body, content_type=rendered.content_type or TEXT)
