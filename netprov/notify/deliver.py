"""One attempt to tell a receiver, and when to try again."""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, InvalidURL

from netprov import __version__
from netprov.inventory.model import Webhook
from netprov.notify.sign import signed_headers
from netprov.notify.spool import Waiting

FIRST, LONGEST = 2.0, 600.0  # seconds until the first further attempt; each waits twice as long, up to ten minutes
GIVE_UP = 86_400.0
"""Seconds after which nobody wants to know any more."""

_REFUSED = frozenset({400, 413, 415, 422})
"""Answers that are about this message, not about the receiver's state: it would be refused tomorrow, too."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`final`: nothing is to be tried again. `said`: what was wrong, in words."""

    taken: bool
    final: bool = False
    said: str = ""


def pause(attempts: int, chance: float) -> float:
    """Seconds to wait after so many attempts. `chance`, 0 to 1, spreads receivers that failed at one time."""
    return float(min(LONGEST, FIRST * 2 ** min(attempts - 1, 20))) * (0.5 + chance / 2)


def session() -> ClientSession:
    """Keeps connections, and nothing else: no cookies, no proxy of the environment."""
    return ClientSession(cookie_jar=DummyCookieJar(), trust_env=False, auto_decompress=False)


async def attempt(client: ClientSession, hook: Webhook, message: Waiting, now: float) -> Answer:
    """Send `message` once. Only the status of the answer is read, and a redirect is not followed: what is told to one
    address is for no other.
    """
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"netprov/{__version__}",
        **signed_headers(message.id, message.body, hook.secret, now),
    }
    timeout = ClientTimeout(total=hook.timeout)
    try:
        async with client.post(
            hook.url, data=message.body, headers=headers, allow_redirects=False, timeout=timeout
        ) as response:
            status = response.status
            response.close()  # whatever its body is, it is not read
    except TimeoutError:
        return Answer(False, said=f"no answer within {hook.timeout} s")
    except (ClientError, InvalidURL, OSError, ValueError) as error:
        return Answer(False, said=_words(error))
    if 200 <= status < 300:
        return Answer(True)
    if 300 <= status < 400:
        return Answer(False, said=f"it answered {status}: redirects are not followed; write the URL it leads to")
    return Answer(False, final=status in _REFUSED, said=f"it answered {status}")


def _words(error: Exception) -> str:
    """What went wrong, without what the other side sent."""
    cause = getattr(error, "os_error", None) or error
    if isinstance(cause, ssl.SSLError):
        verify = getattr(cause, "verify_message", "")
        return f"TLS: {verify or cause.reason or 'no connection'}"
    if isinstance(cause, socket.gaierror):
        return "its name is not known in DNS"
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)
    return "its answer is not HTTP, or it closed the connection"
