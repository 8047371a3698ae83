"""Logging in and out: a signed cookie, SameSite=Strict and HttpOnly; a token in every form that changes something."""

from __future__ import annotations

import hmac
import secrets
import time
from threading import BoundedSemaphore

from flask import Request, session

from netprov.boot.reason import Reason
from netprov.errors import PeerError
from netprov.inventory.model import ServerSettings, User
from netprov.web.credentials import mark_of, password_fits
from netprov.web.lockout import Lockout

OF_ADDRESS = 5
"""Failures in a row of an address before its first wait; OWASP's sheet on authentication names 3 to 10."""

OF_NAME = 50
"""Likewise of a name, from anywhere: many, or anybody could keep a user out by failing in his name."""

CHECKS = 2
"""Passwords checked at once, by the worker's eight threads: each takes 32 MiB and its time, and machines want to
boot."""


MAX_TOLD = 1000  # characters: a cookie has 4 kB
MAX_NAME = 128  # characters, as the inventory's names


class LoginError(PeerError):
    """The login is refused: 401, 429 (later), 403 (a form that is not ours)."""

    reason = Reason.HTTP_FORBIDDEN

    def __init__(self, text: str, code: int, retry_after: int = 0) -> None:
        super().__init__(text, code)
        self.retry_after = retry_after


class Door:
    """Lets users in."""

    def __init__(self) -> None:
        self._addresses = Lockout(OF_ADDRESS)
        self._names = Lockout(OF_NAME)
        self._checks = BoundedSemaphore(CHECKS)

    def enter(self, server: ServerSettings, name: str, password: str, ip: str) -> User:
        """Begin the user's session. Raises LoginError; what it says is the same for a name that nobody has."""
        name = name[:MAX_NAME]
        now = time.monotonic()
        wait = max(self._addresses.wait(ip, now), self._names.wait(name, now))
        if wait > 0:
            seconds = int(wait) + 1
            raise LoginError(f"too many failures: try again in {seconds} s", 429, seconds)
        user = next((user for user in server.users if user.name == name), None)
        if not self._checks.acquire(timeout=5.0):
            raise LoginError("too many logins at once: try again", 429, 5)
        try:
            fits = password_fits(user, password)
        finally:
            self._checks.release()
        if not fits or user is None:
            self._addresses.failed(ip, time.monotonic())
            self._names.failed(name, time.monotonic())
            raise LoginError("the name or the password is wrong", 401)
        self._addresses.succeeded(ip)
        self._names.succeeded(name)
        session.clear()  # also the form's token: one that was known before the login does not count after it
        session.update(user=user.name, mark=mark_of(user))
        session.permanent = True
        return user


def leave() -> None:
    session.clear()


def csrf_token() -> str:
    """The token of this session's forms, drawn when the first form is shown."""
    token = session.get("csrf")
    if not isinstance(token, str):
        token = session["csrf"] = secrets.token_urlsafe(16)
    return token


def check_form(request: Request) -> None:
    """Raises LoginError where the form was not shown by this page to this browser."""
    known, sent = session.get("csrf"), request.form.get("csrf", "")
    if not isinstance(known, str) or not hmac.compare_digest(known.encode(), sent.encode("utf-8", "replace")):
        raise LoginError("this form is too old, or not ours: load the page again", 403)


def tell_next(place: str, text: str) -> None:
    """Keep `text` for the next page of `place`: a form that is sent leads on to a page, whatever came of it."""
    session["told"] = [place, text[:MAX_TOLD]]


def told_before(place: str) -> str:
    """What was kept for this page, once."""
    told = session.get("told")
    if not isinstance(told, list) or told[:1] != [place]:
        return ""
    del session["told"]
    return str(told[-1])


def inside(target: str) -> str:
    """A place of this site to go on to after the login; the start page for anything else."""
    fine = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if fine and "\\" not in target else "/"
