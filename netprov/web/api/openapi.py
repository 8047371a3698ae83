"""The OpenAPI 3.1 document of the API, made from its table of routes."""

from __future__ import annotations

from netprov import __version__
from netprov.inventory.model import Scope
from netprov.web.api.routes import BY_PATH, PREFIX, Route
from netprov.web.api.schemas import SCHEMAS, TEXT, Schema, ref

_ERRORS = {
    400: "A parameter is not as described.",
    401: "The request has no valid credentials.",
    403: "The caller may not do this.",
    404: "It does not exist.",
    409: "It cannot be done: to this system, or to the inventory as it is.",
    415: "What was sent is not application/json.",
    500: "The inventory or a template has an error.",
    503: "The server cannot read or write its state.",
}


def document(*, open_reading: bool) -> Schema:
    """`open_reading`: nobody is declared, so reading needs neither token nor login."""
    paths: Schema = {
        path: {route.method.lower(): _operation(route, open_reading) for route in routes}
        for path, routes in BY_PATH.items()
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "netprov",
            "version": __version__,
            "description": "Machines that boot from the network: what they got, what they would get, and why. What "
            "clients sent is in the answers as they sent it.",
        },
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "components": {
            "schemas": dict(SCHEMAS),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "`netprov token NAME` makes one."},
                "session": {"type": "apiKey", "in": "cookie", "name": "netprov", "description": "The page's login."},
            },
        },
    }


def _operation(route: Route, open_reading: bool) -> Schema:
    security: list[Schema] = [{"token": []}]
    if route.scope is Scope.READ:  # a session changes nothing here: its forms are the page's
        security += [{"session": []}, *([{}] if open_reading else [])]
    statuses = sorted({400, 401, 403, 503, *route.errors})
    return {
        "operationId": route.name,
        "summary": route.summary,
        "description": f"Scope: `{route.scope.value}`.",
        "security": security,
        "parameters": [
            {
                "name": parameter.name,
                "in": parameter.where,
                "required": parameter.where == "path",
                "schema": parameter.schema,
                "description": parameter.help,
            }
            for parameter in route.parameters
        ],
        **(
            {"requestBody": {"required": True, "content": {"application/json": {"schema": ref(route.body)}}}}
            if route.body
            else {}
        ),
        "responses": {
            "200": {"description": "The answer.", "content": {"application/json": {"schema": ref(route.schema)}}},
            **{
                str(status): {
                    "description": _ERRORS[status],
                    "content": {"application/json": {"schema": ref("Error")}},
                    **({"headers": {"WWW-Authenticate": {"schema": TEXT}}} if status == 401 else {}),
                }
                for status in statuses
            },
        },
    }
