"""The installer's word that it has ended: what turns a machine to its own disk."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from netprov.boot.install import UNDECLARED, Done, Fail, InstallRecord, next_boot
from netprov.boot.owner import install_of
from netprov.boot.reason import Reason
from netprov.errors import PeerError
from netprov.http.outcome import Outcome
from netprov.inventory.model import Target
from netprov.journal.changes import change_installs
from netprov.web.services import Services
from netprov.web.turn import tell

MAX_NOTE = 500  # characters of the installer's own words that are kept


class CallbackError(PeerError):
    """The callback does not count."""

    reason = Reason.CALLBACK_REFUSED


def blueprint(services: Services) -> Blueprint:
    routes = Blueprint("callback", __name__, url_prefix="/api/v1")

    @routes.route("/callback/<token>", methods=["GET", "POST"])
    def callback(token: str) -> Response:
        """200 and the new state; 403 for a token nobody has, 410 for one whose install has ended already."""
        tell(Outcome(stage="callback", token=token))
        installs = services.state.installs
        found = install_of(token, installs)
        if found is None:
            raise CallbackError("no install has this token", 403)
        owner, record = found
        target = services.inventory().system(owner) or UNDECLARED
        tell(Outcome(stage="callback", system="" if target is UNDECLARED else owner, token=token))
        event = _event(token)
        if request.method == "HEAD":  # asking must not change anything
            return _answer(owner, target, record)
        ip = str(request.environ.get("REMOTE_ADDR", ""))
        now = services.clock()
        (changed,) = change_installs(installs, {owner: target}, event, now, stage="callback", ip=ip)
        if changed.event is None:
            raise CallbackError(f"the token is used up: {owner} {next_boot(changed.record, target)}", 410)
        services.record(changed.event)
        return _answer(owner, target, changed.record)

    return routes


def _event(token: str) -> Done | Fail:
    match request.values.get("status"):
        case "done":
            return Done(token)
        case "failed":
            return Fail(token, request.values.get("note", "")[:MAX_NOTE])
        case _:
            raise PeerError("say status=done or status=failed", 400)


def _answer(owner: str, target: Target, record: InstallRecord) -> Response:
    return jsonify(system=owner, state=record.state.value, meaning=f"{owner} {next_boot(record, target)}")
