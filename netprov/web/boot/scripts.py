"""Loaders' scripts: every name that parse_name knows, at the top or beneath /files/ (iPXE looks beside itself)."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request

from netprov.boot.names import parse_name
from netprov.http.application import File
from netprov.http.outcome import Outcome
from netprov.journal.promise import promised
from netprov.render.compose import Rendered
from netprov.web.boot.asker import TEXT, boot_request, previews
from netprov.web.services import Services
from netprov.web.turn import leave_to, tell


def blueprint(services: Services) -> Blueprint:
    routes = Blueprint("scripts", __name__)

    @routes.get("/<path:path>")
    def script(path: str) -> Response:
        name = parse_name(path.removeprefix("files/"))
        if name is None:
            abort(404, "no such page")
        generation = services.generation()
        asked = boot_request(request, name.loader, generation.inventory)
        tell(Outcome(stage="script", mac=name.mac or asked.mac or "", uuid=name.uuid or asked.uuid))
        rendered = services.scripts.script(generation, asked, name, preview=previews(request))
        if rendered is None:
            # the operator may keep a script of this name among the files, as TFTP takes it too
            tell(Outcome(stage="script"))
            leave_to(File(path.removeprefix("files/"), generation.root.open))
            return Response("", 404)
        return respond(services, rendered, name.mac or asked.mac or "", name.uuid or asked.uuid)

    return routes


def respond(services: Services, rendered: Rendered, mac: str, uuid: str) -> Response:
    """The response with what was rendered; its event says for whom, from which template and why."""
    decision = rendered.decision
    if rendered.told is not None:
        services.record(rendered.told)
    target = decision.target
    system = target.name if target is not None and target.kind == "system" else ""
    made = (("action", decision.action.value), ("why", decision.reason.label), ("template", rendered.template))
    detail = (*made, *promised(decision))
    tell(
        Outcome(
            rendered.stage,
            mac=mac,
            uuid=uuid,
            system=system,
            token=rendered.token,
            detail=detail,
            script=rendered.stage == "script",
        )
    )
    return Response(rendered.body, content_type=rendered.content_type or TEXT)
