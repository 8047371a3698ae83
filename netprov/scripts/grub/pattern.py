"""GRUB's regexp: POSIX extended expressions, as far as they are harmless."""

from __future__ import annotations

import re

from netprov.errors import Origin
from netprov.scripts.straight import NotStraight

_LONGEST = 512  # characters of a pattern
_MOST_WORK = 10_000_000  # ways in which the repetitions of a pattern can share out a text, at the worst
_REPEATS = re.compile(r"(?<!\\)(?:[*+?]|\{\d+(?:,\d*)?\})")
_NESTED = re.compile(r"(?<!\\)\)(?:[*+]|\{)")  # a group that is repeated


def groups(pattern: str, text: str, origin: Origin) -> tuple[str | None, ...] | None:
    """What the whole and each group matched; None where nothing does, or the pattern is none.

    Raises NotStraight for a pattern that could take for ever.
    """
    ways = 1
    for number in range(1, len(_REPEATS.findall(pattern)) + 2):
        ways = ways * (len(text) + number) // number
    if len(pattern) > _LONGEST or ways > _MOST_WORK or _NESTED.search(pattern):
        raise NotStraight(origin, f"the pattern {pattern[:40]!r} is more than can be tried here")
    try:
        found = re.search(_translated(pattern), text, re.ASCII)
    except (re.error, OverflowError):
        return None
    return None if found is None else (found[0], *found.groups())


def _translated(pattern: str) -> str:
    """POSIX's classes by name; what Python alone gives a meaning to is taken from it."""
    classes = {"digit": "0-9", "alpha": "A-Za-z", "alnum": "A-Za-z0-9", "xdigit": "0-9A-Fa-f", "lower": "a-z",
               "upper": "A-Z", "space": r"\s", "blank": r" \t"}  # fmt: skip
    pattern = re.sub(r"\[:([a-z]+):\]", lambda found: classes.get(found[1], ""), pattern)
    pattern = re.sub(r"\\([A-Za-z0-9])", r"\1", pattern)
    return pattern.replace("(?", "(")
