"""The API's routes in the application: who asks, are the parameters as the table has them, then the answer."""

from __future__ import annotations

import json
from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from netprov.errors import PeerError
from netprov.http.outcome import Outcome
from netprov.inventory.model import Scope, Value
from netprov.web.access import needs
from netprov.web.api.answers import Asked
from netprov.web.api.openapi import document
from netprov.web.api.routes import BY_PATH, PREFIX, ROUTES, Parameter, Route
from netprov.web.api.schemas import SCHEMAS
from netprov.web.services import Services
from netprov.web.turn import tell

_FLAGS = {"true": True, "false": False}
_METHODS = {
    **{path: tuple(route.method for route in found) for path, found in BY_PATH.items()},
    "/openapi.json": ("GET",),
    "/callback/{token}": ("GET", "POST"),  # netprov.web.boot.callback: installers', not a program's
}


def blueprint(services: Services) -> Blueprint:
    routes = Blueprint("api", __name__, url_prefix=PREFIX)

    def view(route: Route) -> Callable[..., Response]:
        def answer(**path: str) -> Response:
            tell(Outcome(quiet=True))
            server = services.inventory().settings.server
            asker = needs(request, server, route.scope)
            if route.scope is not Scope.READ and asker.by != "token":
                # a browser sends its cookie with whatever page made it send the request
                raise PeerError("changes by the API need a token; the page has its own forms", 403)
            return jsonify(route.answer(Asked(services, request, _values(route, path), asker.name, _body(route))))

        return answer

    for route in ROUTES:
        flask_path = route.path.replace("{", "<").replace("}", ">")
        routes.add_url_rule(flask_path, route.name, view(route), methods=[route.method])

    @routes.get("/openapi.json")
    def openapi() -> Response:
        """For anybody: it says nothing that the documentation does not."""
        tell(Outcome(quiet=True))
        server = services.inventory().settings.server
        return jsonify(document(open_reading=not server.users and not server.tokens))

    @routes.route("/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def elsewhere(rest: str) -> Response:
        """Not one of the above: its path is, or it is not."""
        allowed = {method for path, methods in _METHODS.items() if _fits(path, rest) for method in methods}
        if allowed:
            raise MethodNotAllowed(sorted(allowed | {"OPTIONS"} | ({"HEAD"} if "GET" in allowed else set())))
        raise NotFound("the API has no such path: /api/v1/openapi.json lists all")

    return routes


def _fits(path: str, rest: str) -> bool:
    wanted, given = path.strip("/").split("/"), rest.split("/")
    return len(wanted) == len(given) and all(
        w == g or (w.startswith("{") and g) for w, g in zip(wanted, given, strict=True)
    )


def _body(route: Route) -> dict[str, Value]:
    """The JSON object that was sent, with the keys that its schema requires. Raises PeerError (400, 415)."""
    if not route.body:
        return {}
    if request.mimetype != "application/json":
        raise PeerError("send Content-Type: application/json", 415)
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise PeerError("the body is not JSON", 400) from None
    required = SCHEMAS[route.body]["required"]
    assert isinstance(required, list)
    missing = [key for key in required if not isinstance(body, dict) or not isinstance(body.get(key), str)]
    if missing:
        raise PeerError(f"the body must be a JSON object with {', '.join(missing)}", 400)
    assert isinstance(body, dict)
    return body


def _values(route: Route, path: dict[str, str]) -> dict[str, str | int | bool]:
    """The parameters that were given. Raises PeerError (400) for one that is not as its schema says."""
    values: dict[str, str | int | bool] = {}
    for parameter in route.parameters:
        given = [path[parameter.name]] if parameter.where == "path" else request.args.getlist(parameter.name)
        if len(given) > 1:
            raise PeerError(f"{parameter.name} is given {len(given)} times", 400)
        if given:
            values[parameter.name] = _value(parameter, given[0])
    return values


def _value(parameter: Parameter, text: str) -> str | int | bool:
    schema = parameter.schema
    match schema["type"]:
        case "integer":
            least, most = schema["minimum"], schema["maximum"]
            assert isinstance(least, int)
            assert isinstance(most, int)
            if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
                raise PeerError(f"{parameter.name}: {text!r} is not a number from {least} to {most}", 400)
            return int(text)
        case "boolean":
            if text not in _FLAGS:
                raise PeerError(f"{parameter.name}: {text!r} is neither true nor false", 400)
            return _FLAGS[text]
    known = schema.get("enum")
    if isinstance(known, list) and text not in known:
        raise PeerError(f"{parameter.name}: {text!r} is not one of {', '.join(known)}", 400)
    longest = schema.get("maxLength")
    if isinstance(longest, int) and len(text) > longest:
        raise PeerError(f"{parameter.name} is longer than {longest} characters", 400)
    return text
