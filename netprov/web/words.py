"""Times and rates as a person reads them, and what clients sent made safe to show."""

from __future__ import annotations

import time

from markupsafe import Markup, escape

from netprov.text import escape as spelled_out

MAX_SHOWN = 400  # characters of a value in a page's line


def shown(value: object) -> object:
    """Every value that a template prints: control characters, direction marks and the like are spelled out."""
    return spelled_out(value, MAX_SHOWN) if isinstance(value, str) and not isinstance(value, Markup) else value


def lines(text: str) -> Markup:
    """A rendered file: its line breaks and tabs stay."""
    kept = ("\t".join(spelled_out(cell, 4000) for cell in line.split("\t")) for line in text.split("\n"))
    return escape("\n".join(kept))


def ago(seconds: float) -> str:
    """How long something took: 0.012 s, 12.3 s, 2 min 05 s, 3 h 20 min, 4 d."""
    if seconds < 100:
        return f"{max(0.0, seconds):.3f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 120:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours // 24} d"


def about(seconds: float) -> str:
    """The same where there is little room: 0 s, 0.4 s, 12 s, 2 min, 3 h."""
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 10 or seconds < 0.05 else f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def since(seconds: float) -> str:
    """How long ago: just now, 40 s ago, 5 min ago, 3 h ago, 4 d ago."""
    if seconds < 5:
        return "just now"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"


def rate(octets: int, seconds: float) -> str:
    """ "11.2 MB/s"; "" for what took no time to speak of: then it says how quickly our kernel took it, no more."""
    return f"{octets / seconds / 1e6:.1f} MB/s" if seconds >= 0.05 else ""


def when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def iso(at: float) -> str:
    """For a page's <time>."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
