"""The application: files, scripts, installers' answers, callbacks, pages, on Flask but for the files."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from netprov.boot.names import parse_name
from netprov.boot.reason import Reason
from netprov.errors import ConfigError, PeerError
from netprov.http.application import Answer, Call, File
from netprov.http.outcome import Outcome
from netprov.http.wsgi import environ_of, run
from netprov.state.failure import StateError
from netprov.web import health, metrics, pages, words
from netprov.web.api import views as api
from netprov.web.boot import autoinstall, callback, domu, scripts
from netprov.web.boot.asker import TEXT
from netprov.web.live import Live
from netprov.web.news import JournalNews
from netprov.web.services import Services
from netprov.web.turn import begun, tell

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)

FILES = "/files/"

SESSION_SECONDS = 12 * 3600  # a working day, and then log in again


class App(Flask):
    """The application of an HTTP worker (http.application.Application): each request in a Turn of its own."""

    def __init__(self, services: Services) -> None:
        super().__init__(__name__, static_folder=None)
        self._services = services
        self.live = Live(JournalNews(services))

    def at_once(self, path: str) -> File | None:
        """Everything beneath /files/ but the names of loaders' scripts, which are made."""
        name = path.removeprefix(FILES)
        if name == path or parse_name(name) is not None:
            return None
        generation = self._services.newest()
        return File(name, generation.root.open, Outcome(stage=generation.stages.stage_of(name)))

    def answer(self, call: Call) -> Answer:
        with begun(self._services.newest()) as turn:
            reply = run(super().wsgi_app, environ_of(call))
        return turn.answer(call.method, reply)

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The application as any WSGI server calls it: without files and news."""
        with begun(self._services.newest()):
            return super().wsgi_app(environ, start_response)

    def close(self) -> None:
        self.live.close()


def create_app(services: Services) -> App:
    """The application. Several threads call it at once."""
    app = App(services)
    app.secret_key = services.secret
    app.config.update(
        SESSION_COOKIE_NAME="netprov",
        SESSION_COOKIE_SAMESITE="Strict",  # with HttpOnly, Flask's default; Secure it cannot be, we speak no TLS
        PERMANENT_SESSION_LIFETIME=SESSION_SECONDS,
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    app.jinja_env.finalize = words.shown
    app.url_map.merge_slashes = False  # a redirect is more than some firmware understands
    for room in (scripts, autoinstall, callback, domu, health, api, metrics):
        app.register_blueprint(room.blueprint(services))
    app.register_blueprint(pages.blueprint(services, app.live.listen))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(PeerError, _peer_error)
    app.register_error_handler(ConfigError, _config_error)
    app.register_error_handler(StateError, _state_error)
    app.register_error_handler(Exception, _unexpected)
    return app


def _error(status: int, text: str, reason: Reason | None = None) -> Response:
    """Every error in one shape: never status 200, never HTML or a traceback (a loader shows the text on its screen)."""
    line = " ".join(text.split())
    tell(Outcome(reason=reason, text=f"{request.method} {request.path}: {line}"), keep=True)
    if request.path.startswith("/api/"):
        response = jsonify(error=text)
        response.status_code = status
        return response
    return Response(f"{text}\n", status, content_type=TEXT)


def _http_error(error: HTTPException) -> Response:
    response = _error(error.code or 500, error.description or error.name)
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _peer_error(error: PeerError) -> Response:
    code = error.code if error.code is not None and 400 <= error.code < 500 else 403
    reason = getattr(error, "reason", None)
    response = _error(code, error.text, reason if isinstance(reason, Reason) else None)
    if code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="netprov"'
    return response


def _config_error(error: ConfigError) -> Response:
    logger.error("%s: %s", request.path, error)
    return _error(500, str(error), Reason.TEMPLATE_ERROR)


def _state_error(error: StateError) -> Response:
    logger.error("%s: %s", request.path, error)
    return _error(503, "the server's state cannot be read or written; its log says why", Reason.HTTP_UNAVAILABLE)


def _unexpected(error: Exception) -> Response:
    logger.error("%r could not be answered", request.path, exc_info=error)
    return _error(500, "the server could not answer; its log says why", Reason.INTERNAL_ERROR)
