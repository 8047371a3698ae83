"""Installers' answers: kickstart, preseed, AutoYaST, and cloud-init's NoCloud seed."""

from __future__ import annotations

import json

from flask import Blueprint, Response, abort, request

from netprov.boot.request import Loader
from netprov.http.outcome import Outcome
from netprov.inventory.model import Inventory, Target
from netprov.web.boot.asker import boot_request, previews, tell
from netprov.web.boot.scripts import respond
from netprov.web.services import Services

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
    def vendor_data(name: str, token: str = "") -> Response:
        tell(request, Outcome(quiet=True))
        return Response(b"", content_type=YAML)  # there is none; cloud-init asks all the same

    def target(kind: str, name: str) -> Target:
        found = declared(services.inventory(), kind, name)
        if found is None:
            abort(404, f"no {kind} is called {name!r}")
        return found

    def answers(kind: str, name: str, token: str) -> Response:
        tell(request, Outcome(stage="autoinstall"))
        target(kind, name)
        asked = boot_request(request, Loader.OS, services.inventory())
        system = name if kind == "system" else ""
        about = Outcome(stage="autoinstall", mac=asked.mac or "", uuid=asked.uuid, system=system, token=token)
        tell(request, about)
        rendered = services.scripts.autoinstall(kind, name, asked, token, preview=previews(request))
        return respond(services, asked, rendered)

    return routes


def declared(inventory: Inventory, kind: str, name: str) -> Target | None:
    return inventory.system(name) if kind == "system" else inventory.profile(name)


def meta_data(target: Target) -> Response:
    """What cloud-init calls the instance. JSON strings are YAML's, whatever stands in them."""
    tell(request, Outcome(quiet=True))
    lines = {"instance-id": f"netprov-{target.name}", "local-hostname": target.hostname or target.name}
    text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in lines.items())
    return Response(text, content_type=YAML)
