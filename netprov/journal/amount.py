"""Octets as a person reads them."""

from __future__ import annotations


def size(octets: int) -> str:
    """1234567 → "1.2 MB"."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if octets >= unit:
            return f"{octets / unit:.1f} {name}"
    return f"{octets} B"
