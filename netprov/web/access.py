"""Who may do what over HTTP (docs/decisions/0007-who-may-see-and-do.md)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Literal

from flask import Request, session

from netprov.boot.reason import Reason
from netprov.errors import PeerError
from netprov.inventory.model import Scope, ServerSettings
from netprov.web.credentials import find_token, mark_of

HOW_TO_DECLARE = (
    "no declared user may change anything; `netprov token --user NAME` prints what to write "
    "under server.users in netprov.yaml, `netprov token NAME --scope operate` what to write under server.tokens"
)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks. `by`: "open" where neither users nor tokens are declared, and anybody may read."""

    name: str
    scopes: tuple[Scope, ...]
    by: Literal["nobody", "open", "token", "session"]

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes


NOBODY = Asker("", (), "nobody")
ANYBODY = Asker("", (Scope.READ,), "open")


class AccessError(PeerError):
    """401: it is not known who asks. 403: who asks may not do this."""

    reason = Reason.HTTP_FORBIDDEN


def asker(request: Request, server: ServerSettings) -> Asker:
    """Who asks. A token that is shown and does not count is nobody's, whatever else may be read openly."""
    shown = request.headers.get("Authorization", "")
    if shown:
        kind, _, token = shown.partition(" ")
        found = find_token(server.tokens, token.strip()) if kind.lower() == "bearer" else None
        return Asker(found.name, found.scopes, "token") if found is not None else NOBODY
    if not server.users and not server.tokens:
        return ANYBODY
    name, mark = session.get("user"), session.get("mark")
    user = next((user for user in server.users if user.name == name), None)
    if user is None or not isinstance(mark, str) or not hmac.compare_digest(mark, mark_of(user)):
        return NOBODY
    return Asker(user.name, user.scopes, "session")


def needs(request: Request, server: ServerSettings, scope: Scope) -> Asker:
    """Who asks, where they may. Raises AccessError."""
    found = asker(request, server)
    if found.may(scope):
        return found
    if found.by == "open":
        raise AccessError(f"not allowed: {HOW_TO_DECLARE}", 403)
    if found.by == "nobody":
        raise AccessError("log in, or show a token that is declared under server.tokens", 401)
    has = ", ".join(found.scopes) or "none"
    raise AccessError(f"{found.name} may not {scope.value} here: its scopes are {has}", 403)
