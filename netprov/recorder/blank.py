"""Secrets in what is recorded, made unreadable before it is stored. Nothing changes its length."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus, unquote_to_bytes

from netprov.recorder.entry import Entry, What

FILL = b"*"

NAMES = rb"(?:pass(?!ive)|pwd?|passphrase|secret|token|credential|api-?_?key|private-?_?key|psk|csrf|session|cookie)"
"""What the name of a secret has in it: rootpw, passwd/user-password, inst.vnc.password, X-Auth-Token, psk …"""

_WORD = rb"""(?:"(?:\\.|[^"\\\r\n\x00])*"|'[^'\r\n\x00]*'|\\.|[^\s"'&\\\x00])+"""
_IN_URL = (
    ("the password", re.compile(rb"://[^\s/?#@:\x00]*:(?P<secret>[^\s/?#\x00]*)@")),
    ("the token of a callback", re.compile(rb"/callback/(?P<secret>[\w~.%-]+)")),
    ("the token of answers", re.compile(rb"[?&]token=(?P<secret>[\w~.%-]+)")),
    ("the token of answers, as cloud-init wants it: a folder",
     re.compile(rb"/autoinstall/(?:profile/)?[^\s/?\"'\x00]+/(?!(?:user|meta|vendor)-data\b)(?P<secret>[\w~.%-]{16,})")),
)  # fmt: skip
PATTERNS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    *_IN_URL,
    ("the value of what is called a secret, in quotes with its name",
     re.compile(rb"(?i)(?P<quote>['\"])[^'\"\r\n\x00]{0,64}" + NAMES
                + rb"[\w./%-]{0,64}=(?P<secret>(?:(?!(?P=quote))[^\r\n\x00])*)")),
    ("the value of what is called a secret",
     re.compile(rb"(?i)" + NAMES + rb"[\w./%-]{0,64}\"?(?:=|%3d|: ?)(?P<secret>" + _WORD + rb")")),
    ("a header that says who one is",
     re.compile(rb"(?im)^(?:(?:proxy-)?authorization|[\w-]{0,64}" + NAMES
                + rb"[\w-]{0,64}):[ \t]*(?P<secret>[^\r\n]+)")),
)  # fmt: skip
"""Where secrets stand, whosever they are. Rather a word too many is blanked than one too few."""

SHORTEST = 4
"""Octets of a secret that is looked for wherever it stands: a shorter one is found by its name alone."""


class Blanker:
    """Blanks what PATTERNS find, and `known` secrets wherever they stand, as such, in a URL or escaped in JSON."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        by_head: dict[bytes, set[bytes]] = {}
        for secret in known:
            for form in forms(secret):
                if len(form) >= SHORTEST:
                    by_head.setdefault(form[:SHORTEST], set()).add(form)
        self._by_head: Mapping[bytes, tuple[bytes, ...]] = {
            head: tuple(sorted(found, key=len, reverse=True)) for head, found in by_head.items()
        }

    def entry(self, entry: Entry) -> bytes:
        """`entry.data` without its secrets."""
        match entry.what:
            case What.DHCP_HEARD | What.DHCP_SENT:
                # an option has no mark at its end: only what surely ends before it is looked for
                data = _replaced(entry.data, _IN_URL) if b"://" in entry.data else entry.data
                return self._known(data)
            case What.TFTP_SENT if entry.data[:2] == b"\0\3":  # DATA: its header alone
                return entry.data
            case _:
                return self.text(entry.data, entry.secret)

    def text(self, data: bytes, secret: str = "") -> bytes:
        """`data` without secrets; `secret` is one more of them."""
        blanked = self._known(_replaced(data, PATTERNS))
        for form in forms(secret) if len(secret) >= SHORTEST else ():
            blanked = blanked.replace(form, FILL * len(form))
        if b"%" in blanked:
            blanked = b"".join(self._hidden(word, secret.encode()) for word in _WORDS.split(blanked))
        return blanked

    def _hidden(self, word: bytes, secret: bytes) -> bytes:
        """A word in which a secret stands spelled with percents: blanked as a whole."""
        if b"%" not in word:
            return word
        plain = unquote_to_bytes(word)
        clean = self._known(_replaced(plain, PATTERNS))
        return FILL * len(word) if clean != plain or (secret and secret in plain) else word

    def _known(self, data: bytes) -> bytes:
        by_head = self._by_head
        if not by_head:
            return data
        changed: bytearray | None = None
        for run in _RUNS.finditer(data):
            text = run[0]
            for at in range(len(text) - SHORTEST + 1):
                for form in by_head.get(text[at : at + SHORTEST], ()):
                    if text.startswith(form, at):
                        changed = bytearray(data) if changed is None else changed
                        start = run.start() + at
                        changed[start : start + len(form)] = FILL * len(form)
        return data if changed is None else bytes(changed)


_WORDS = re.compile(rb"(\s+)")
_RUNS = re.compile(rb"[^\x00-\x08\x0e-\x1f\xff]{%d,}" % SHORTEST)
"""Text: a DHCP packet is zeros for the most part."""


def _replaced(data: bytes, patterns: Iterable[tuple[str, re.Pattern[bytes]]]) -> bytes:
    for _, pattern in patterns:
        data = pattern.sub(_filled, data)
    return data


def _filled(found: re.Match[bytes]) -> bytes:
    start, end = found.span("secret")
    whole, begin = found[0], found.start()
    return whole[: start - begin] + FILL * (end - start) + whole[end - begin :]


def forms(secret: str) -> set[bytes]:
    """How `secret` may be written: as it is, escaped for JSON and in double quotes, for a shell, in a URL."""
    written = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        secret.replace("'", "'\\''"),
        secret.replace("'", "'\"'\"'"),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
    }
    return {form.encode("utf-8", "surrogateescape") for form in written}
