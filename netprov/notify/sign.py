"""The headers of Standard Webhooks (standardwebhooks.com, specification 1.0): libraries everywhere check them."""

from __future__ import annotations

import base64
import hashlib
import hmac

_PREFIX = "whsec_"


def signed_headers(id: str, body: bytes, secret: str, now: float) -> dict[str, str]:
    """What identifies and signs `body`, sent at `now`. Without a `secret` nothing signs it.

    The signature is HMAC-SHA256 over "id.timestamp.body": a copy sent again later shows by its timestamp.
    """
    timestamp = str(int(now))
    headers = {"webhook-id": id, "webhook-timestamp": timestamp}
    if secret:
        signed = f"{id}.{timestamp}.".encode() + body
        digest = hmac.digest(_key(secret), signed, hashlib.sha256)
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


def _key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        return base64.b64decode(secret.removeprefix(_PREFIX))
    return secret.encode()
