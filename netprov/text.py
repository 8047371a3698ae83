"""Text for people: amounts as they read them, and what a client sent made safe to show on a terminal."""

from __future__ import annotations


def escape(text: str, limit: int = 400) -> str:
    """`text` with everything spelled out that is not seen as itself, cut after `limit` characters.

    That is control characters (so no ANSI sequence and no line break is left), direction marks that would turn round
    what stands beside them (CVE-2021-42574), invisible and unassigned characters, and lone surrogates.
    """
    shown = text if len(text) <= limit else text[:limit] + "…"
    if shown.isprintable():
        return shown
    return "".join(char if char.isprintable() else _spelled(ord(char)) for char in shown)


def _spelled(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def size(octets: int) -> str:
    """1234567 → "1.2 MB"."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if octets >= unit:
            return f"{octets / unit:.1f} {name}"
    return f"{octets} B"
