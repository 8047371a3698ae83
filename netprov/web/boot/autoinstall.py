"""Installers' answers: kickstart, preseed, AutoYaST, and cloud-init's NoCloud seed."""

from __future__ import annotations

import json

from flask import Blueprint, Response, abort, request

from netprov.boot.request import Loader
from netprov.http.outcome import Outcome
from netprov.inventory.model import Target
from netprov.web.boot.asker import boot_request, previews
from netprov.web.boot.scripts import respond
from netprov.web.services import Services
from netprov.web.turn import tell

YAML = "application/yaml"


def blueprint(services: Services) -> Blueprint:
    """cloud-init appends `user-data` and the like to one URL, which therefore carries the token as its last folder."""
    routes = Blueprint("autoinstall", __name__, url_prefix="/autoinstall")

    @routes.get("/profile/<name>")
    @routes.get("/profile/<name>/user-data")
    @routes.get("/profile/<name>/<token>/user-data")
    def profile(name: str, token: str = "") -> Response:
        return answers("profile", name, token or request.args.get("token", ""))

    @routes.get("/profile/<name>/meta-data")
    @routes.get("/profile/<name>/<token>/meta-data")
    def profile_meta_data(name: str, token: str = "") -> Response:
        return meta_data(target("profile", name))

    @routes.get("/<name>")
    @routes.get("/<name>/user-data")
    @routes.get("/<name>/<token>/user-data")
    def system(name: str, token: str = "") -> Response:
        return answers("system", name, token or request.args.get("token", ""))

    @routes.get("/<name>/meta-data")
    @routes.get("/<name>/<token>/meta-data")
    def system_meta_data(name: str, token: str = "") -> Response:
        return meta_data(target("system", name))

    @routes.get("/<name>/vendor-data")
    @routes.get("/<name>/<token>/vendor-data")
    @routes.get("/profile/<name>/vendor-data")
    @routes.get("/profile/<name>/<token>/vendor-data")
    @routes.get("/<name>/network-config")
    @routes.get("/<name>/<token>/network-config")
    @routes.get("/profile/<name>/network-config")
    @routes.get("/profile/<name>/<token>/network-config")
    def nothing(name: str, token: str = "") -> Response:
        """There is none. cloud-init asks all the same (for the network's from 24.3 on), and again and again where it
        gets 404."""
        tell(Outcome(quiet=True))
        return Response(b"", content_type=YAML)

    def target(kind: str, name: str) -> Target:
        found = services.generation().target(kind, name)
        if found is None:
            abort(404, f"no {kind} is called {name!r}")
        return found

    def answers(kind: str, name: str, token: str) -> Response:
        tell(Outcome(stage="autoinstall"))
        target(kind, name)
        generation = services.generation()
        asked = boot_request(request, Loader.OS, generation.inventory)
        system = name if kind == "system" else ""
        about = Outcome(stage="autoinstall", mac=asked.mac or "", uuid=asked.uuid, system=system, token=token)
        tell(about)
        rendered = services.scripts.autoinstall(generation, kind, name, asked, token, preview=previews(request))
        return respond(services, asked, rendered)

    return routes


def meta_data(target: Target) -> Response:
    """What cloud-init calls the instance. JSON strings are YAML's, whatever stands in them."""
    tell(Outcome(quiet=True))
    lines = {"instance-id": f"netprov-{target.name}", "local-hostname": target.hostname or target.name}
    text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in lines.items())
    return Response(text, content_type=YAML)
