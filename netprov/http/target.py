"""The path a request names. Sans-IO."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from netprov.errors import PeerError

MAX_PATH = 2048
"""Octets of a path, decoded. PXE's own names end at 128, Linux's at 4096; the request line as a whole at 8190."""

_AUTHORITY = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def split_target(target: str) -> tuple[str, str]:
    """The decoded path, which begins with one slash, and the undecoded query of a request-target.

    Both the origin-form and the absolute-form (RFC 9112 §3.2). The path is decoded once and not normalised: who opens
    files by it refuses what leads out of their root. Several slashes at its beginning are one, as TFTP takes them.
    Raises PeerError(code=400) for another form, for octets that are not UTF-8 (overlong forms among them), for control
    characters and for a path that is too long.
    """
    plain = target.partition("#")[0]
    if not plain.startswith("/"):
        absolute = _AUTHORITY.match(plain)
        if absolute is None:
            raise PeerError("the request names no path", 400)
        plain = plain[absolute.end() :]
    raw, _, query = plain.partition("?")
    octets = unquote_to_bytes(raw.encode("utf-8", "surrogateescape"))
    if len(octets) > MAX_PATH:
        raise PeerError(f"the path is longer than {MAX_PATH} octets", 400)
    try:
        path = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise PeerError("the path is not UTF-8", 400) from None
    if _CONTROL.search(path):
        raise PeerError("the path has control characters", 400)
    return "/" + path.lstrip("/"), query
