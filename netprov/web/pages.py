"""The pages: machines, one machine, machines that nothing declares, leases, login."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, redirect, request
from werkzeug.exceptions import HTTPException

from netprov.boot.install import Arm, GoLocal
from netprov.errors import ConfigError, PeerError
from netprov.http.application import Listener, Stream
from netprov.http.outcome import Outcome
from netprov.inventory.model import Scope
from netprov.web import leases, login, machines, strangers
from netprov.web.access import AccessError, needs
from netprov.web.declare import declare
from netprov.web.explained import Question
from netprov.web.frame import Frame
from netprov.web.glance import Glance
from netprov.web.login import Door, LoginError
from netprov.web.machine import machine_view
from netprov.web.operate import operate
from netprov.web.rows import row_of
from netprov.web.services import Services
from netprov.web.turn import leave_to, tell

PER_PAGE = 50
LEASES_PER_PAGE = 100
P = ParamSpec("P")
View = Callable[P, Response]


def blueprint(services: Services, listen: Callable[[], Listener | None]) -> Blueprint:
    """`listen` gives what a browser that looks is told from now on."""
    routes = Blueprint("pages", __name__, template_folder="templates")
    frame = Frame(services)
    frame.install(routes)
    door = Door()

    def reading(view: View[P]) -> View[P]:
        """A page for who may read; others are sent to the login."""

        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
            tell(Outcome(quiet=True))
            needs(request, services.inventory().settings.server, Scope.READ)
            return view(*args, **kwargs)

        return guarded

    @routes.get("/")
    @reading
    def start() -> Response:
        inventory = services.inventory()
        text = request.args.get("q", "")[:200]
        page = machines.search(inventory, text, number("page"), PER_PAGE)
        with Glance(services) as glance:
            rows = [row_of(glance.standing(machine)) for machine in page.machines]
            unknown = strangers.lately(glance.journal, inventory) if page.number == 1 and not text else ()
        return frame.page("start.html", page=page, rows=rows, strangers=unknown, q=text, inventory=inventory)

    @routes.get("/machines/<name>")
    @reading
    def machine(name: str) -> Response:
        found = machines.find(services.inventory(), name)
        if found.name != name:
            return redirected(f"/machines/{quote(found.name, safe='')}")
        inventory, asked = services.inventory(), request.args
        local = str(request.environ.get("SERVER_NAME", ""))  # the address that the browser has reached
        question = Question(found.name.removeprefix("ip "), asked.get("arch", ""), armed="armed" in asked, local=local)
        view = machine_view(services, found, question, number("boot", 0))
        suggestion = None
        if found.target is None:
            problem = login.told_before(found.name)
            suggestion = strangers.suggest(found, inventory, asked.get("name", ""), asked.get("profile", ""), problem)
        return frame.page("machine.html", view=view, suggestion=suggestion, inventory=inventory)

    @routes.post("/machines/<name>/add")
    def add(name: str) -> Response:
        """Declares the machine, and goes on to its page; where that cannot be, its form has why."""
        tell(Outcome(quiet=True))
        who = needs(request, services.inventory().settings.server, Scope.EDIT)
        login.check_form(request)
        found = machines.find(services.inventory(), name)
        new, profile = request.form.get("name", "").strip(), request.form.get("profile", "")
        if found.target is not None:
            raise PeerError(f"{name} is declared already: it is {found.name}", 409)
        suggestion = strangers.suggest(found, services.inventory(), new, profile)
        if suggestion is None:
            raise PeerError(f"{name}: its MAC is not known", 404)
        place = f"/machines/{quote(found.mac, safe='')}"
        problem = suggestion.problem
        if not problem:
            try:
                declare(services, new, suggestion.fields("install" in request.form), who.name)
            except PeerError as error:
                problem = error.text
        if not problem:
            return redirected(place)
        login.tell_next(found.name, problem)
        return redirected(f"{place}?{urlencode({'name': new[:128], 'profile': profile[:128]})}#add")

    @routes.post("/machines/<name>/<any(arm, local):what>")
    def change(name: str, what: str) -> Response:
        tell(Outcome(quiet=True))
        who = needs(request, services.inventory().settings.server, Scope.OPERATE)
        login.check_form(request)
        operate(services, request, name, Arm() if what == "arm" else GoLocal(), who.name)
        return redirected(f"/machines/{quote(name, safe='')}")

    @routes.get("/leases")
    @reading
    def lease_list() -> Response:
        text = request.args.get("q", "")[:200]
        page = leases.search(services.state.leases.all(), text, number("page"), LEASES_PER_PAGE, services.clock())
        return frame.page("leases.html", page=page, q=text)

    @routes.get("/login")
    def login_form() -> Response:
        tell(Outcome(quiet=True))
        return frame.page("login.html", next=login.inside(request.args.get("next", "/")), error="", name="")

    @routes.post("/login")
    def log_in() -> Response:
        tell(Outcome(quiet=True))
        name, place = request.form.get("name", ""), login.inside(request.form.get("next", "/"))
        ip = str(request.environ.get("REMOTE_ADDR", ""))
        try:
            login.check_form(request)
            door.enter(services.inventory().settings.server, name, request.form.get("password", ""), ip)
        except LoginError as error:
            tell(Outcome(reason=error.reason, text=f"login as {name[: login.MAX_NAME]!r}: {error.text}"))
            response = frame.page("login.html", error.code or 401, next=place, error=error.text, name=name)
            if error.retry_after:
                response.headers["Retry-After"] = str(error.retry_after)
            return response
        return redirected(place)

    @routes.post("/logout")
    def log_out() -> Response:
        tell(Outcome(quiet=True))
        login.check_form(request)
        login.leave()
        return redirected("/")

    @routes.get("/events")
    @reading
    def events() -> Response:
        """What is new, as it happens."""
        leave_to(Stream("text/event-stream", listen))
        return Response(content_type="text/event-stream; charset=utf-8")

    @routes.errorhandler(PeerError)
    def refused(error: PeerError) -> Response:
        place = request.full_path.rstrip("?") if request.method == "GET" else "/"
        if isinstance(error, AccessError) and error.code == 401 and request.path != "/events":
            return redirected(f"/login?next={quote(place, safe='')}")
        status = error.code if error.code is not None and 400 <= error.code < 500 else 403
        tell(Outcome(text=f"{request.method} {request.path}: {error.text}"))
        return frame.page("refused.html", status, title="That cannot be done", text=error.text)

    @routes.errorhandler(ConfigError)
    def unreadable(error: ConfigError) -> Response:
        return frame.page("refused.html", 500, title="The server cannot answer", text=str(error))

    @routes.errorhandler(HTTPException)
    def wrong(error: HTTPException) -> Response:
        text = error.description or error.name
        return frame.page("refused.html", error.code or 500, title=error.name, text=text)

    return routes


def number(field: str, default: int = 1) -> int:
    """The query's number; the default where there is none, or nonsense."""
    text = request.args.get(field, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def redirected(place: str) -> Response:
    response = redirect(place, 303)
    assert isinstance(response, Response)
    return response
