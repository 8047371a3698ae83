"""Passwords and tokens: made, and compared. The configuration holds hashes alone."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from functools import cache

from werkzeug.security import check_password_hash, generate_password_hash

from netprov.inventory.model import Token, User

TOKEN_OCTETS = 32
MAX_PASSWORD = 1024
"""Characters of a password that are looked at: hashing a long one costs more."""


def new_token() -> tuple[str, str]:
    """A token, and its hash for `server.tokens`. A token is random throughout, so a plain SHA-256 keeps it."""
    token = f"np_{secrets.token_urlsafe(TOKEN_OCTETS)}"
    return token, token_hash(token)


def token_hash(token: str) -> str:
    return f"sha256:{hashlib.sha256(token.encode('utf-8', 'replace')).hexdigest()}"


def find_token(tokens: Iterable[Token], shown: str) -> Token | None:
    """The declared token that `shown` is. Every one is compared, in constant time."""
    digest = token_hash(shown)
    found = None
    for token in tokens:
        if hmac.compare_digest(token.hash, digest):
            found = token
    return found


def new_password(password: str) -> str:
    """The hash for `server.users`: scrypt, N = 2^15, r = 8, p = 1 (werkzeug's default; 32 MiB and some 60 ms)."""
    return generate_password_hash(password, "scrypt")


@cache
def _nobodys() -> str:
    return new_password(secrets.token_urlsafe())


def password_fits(user: User | None, password: str) -> bool:
    """Whether it is the user's. A user who is not declared takes as long as one who is."""
    fits = check_password_hash(user.password if user is not None else _nobodys(), password[:MAX_PASSWORD])
    return fits and user is not None


def mark_of(user: User) -> str:
    """Stands for the user's password in a session: a changed password ends the sessions."""
    return hashlib.sha256(f"session {user.name} {user.password}".encode()).hexdigest()[:32]
