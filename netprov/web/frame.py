"""What every page has: its security headers, its style and script, who is logged in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files

from flask import Blueprint, Response, abort, render_template, request

from netprov import __version__
from netprov.http.outcome import Outcome
from netprov.inventory.model import Scope
from netprov.web import words
from netprov.web.access import asker
from netprov.web.login import csrf_token
from netprov.web.services import Services
from netprov.web.turn import tell

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Our own files alone, no inline script or style: whatever a machine calls itself stays text."""

_TYPES: Mapping[str, str] = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


class Assets:
    """The files of static/, read once. Their addresses change with their content, so browsers may keep them."""

    def __init__(self) -> None:
        folder = files(__package__).joinpath("static")
        self.content = {name: folder.joinpath(name).read_bytes() for name in _TYPES}
        self.mark = hashlib.sha256(b"".join(self.content.values())).hexdigest()[:12]

    def response(self, name: str) -> Response:
        if name not in self.content:
            abort(404, "no such file")
        response = Response(self.content[name], content_type=_TYPES[name])
        response.headers["Cache-Control"] = "max-age=31536000, immutable"
        return response


class Frame:
    """Renders pages of one application."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._assets = Assets()

    def install(self, routes: Blueprint) -> None:
        """The static files' routes."""

        @routes.get("/static/<mark>/<name>")
        def static(mark: str, name: str) -> Response:
            tell(Outcome(quiet=True))
            return self._assets.response(name)

    def page(self, template: str, status: int = 200, **values: object) -> Response:
        """The page that `template` makes of `values`."""
        server = self._services.inventory().settings.server
        who = asker(request, server)
        body = render_template(
            template,
            who=who,
            may_operate=who.may(Scope.OPERATE),
            may_edit=who.may(Scope.EDIT) and who.by == "session",
            has_users=bool(server.users),
            csrf=csrf_token,
            assets=f"/static/{self._assets.mark}",
            version=__version__,
            words=words,
            now=self._services.clock(),
            **values,
        )
        response = Response(body, status, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        return response
