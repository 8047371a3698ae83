"""The installer's word that it has ended: what turns a machine to its own disk."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from netprov.boot.install import DESCRIBED, Done, Fail, InstallState
from netprov.boot.reason import Reason
from netprov.errors import PeerError
from netprov.http.outcome import Outcome
from netprov.inventory.model import Target
from netprov.journal.changes import change_event
from netprov.web.boot.asker import tell
from netprov.web.services import Services

MAX_NOTE = 500  # characters of the installer's own words that are kept


UNDECLARED = Target("system", "")
"""Stands for a machine that the inventory does not have by name, which was installed by its MAC."""


class CallbackError(PeerError):
    """The callback does not count."""

    reason = Reason.CALLBACK_REFUSED


def blueprint(services: Services) -> Blueprint:
    routes = Blueprint("callback", __name__, url_prefix="/api/v1")

    @routes.route("/callback/<token>", methods=["GET", "POST"])
    def callback(token: str) -> Response:
        """200 and the new state; 403 for a token nobody has, 410 for one whose install has ended already."""
        tell(request, Outcome(stage="callback", token=token))
        owner = services.state.installs.by_token(token)
        if owner is None:
            raise CallbackError("no install has this token", 403)
        target = services.inventory().system(owner) or UNDECLARED
        tell(request, Outcome(stage="callback", system="" if target is UNDECLARED else owner, token=token))
        event = _event(token)
        if request.method == "HEAD":  # asking must not change anything
            record = services.state.installs.get(owner)
            return _answer(owner, record.state if record is not None else InstallState.LOCAL)
        now = services.clock()
        before, after = services.state.installs.apply(
            owner, event, mode=target.install, attempts=target.install_attempts, now=now
        )
        if after == before:
            raise CallbackError(f"the token is used up: {owner} {DESCRIBED[after.state]}", 410)
        ip = request.environ.get("REMOTE_ADDR", "")
        services.record(change_event(now, owner, (before, after), stage="callback", ip=ip))
        return _answer(owner, after.state)

    return routes


def _event(token: str) -> Done | Fail:
    match request.values.get("status"):
        case "done":
            return Done(token)
        case "failed":
            return Fail(token, request.values.get("note", "")[:MAX_NOTE])
        case _:
            raise PeerError("say status=done or status=failed", 400)


def _answer(owner: str, state: InstallState) -> Response:
    return jsonify(system=owner, state=state.value, meaning=f"{owner} {DESCRIBED[state]}")
