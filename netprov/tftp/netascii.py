"""Netascii (RFC 764 through RFC 1350): a line ends with CR LF, a bare CR is CR NUL."""

from __future__ import annotations

from bisect import bisect_right


def encoded(raw: bytes) -> bytes:
    """Local text (lines end with LF) as netascii."""
    return raw.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")


def encoded_size(raw: bytes) -> int:
    return len(raw) + raw.count(b"\r") + raw.count(b"\n")


def prefix(raw: bytes, octets: int) -> tuple[int, bool]:
    """How many octets of `raw` make the first `octets` of its encoding.

    Returns that number and whether the next octet of `raw` is begun: its CR is in, its second octet is not.
    """

    def made(length: int) -> int:
        return length + raw.count(b"\r", 0, length) + raw.count(b"\n", 0, length)

    whole = bisect_right(range(len(raw) + 1), octets, key=made) - 1
    return whole, made(whole) < octets


def decoded(text: bytes) -> bytes:
    """Netascii as local text; a CR that neither LF nor NUL follows stays."""
    return text.replace(b"\r\n", b"\n").replace(b"\r\0", b"\r")
