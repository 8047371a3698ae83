"""Every problem found in one load, each where it stands and with the nearest valid name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from netprov.errors import Origin, Problem

MAX_SUGGESTIONS = 50
"""Names looked up for one report: comparing with 10,000 takes 20 ms, and a renamed profile can orphan as many."""


class Report:
    """Collects errors, which stop a generation, and warnings, which do not."""

    def __init__(self) -> None:
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self._suggested: dict[tuple[str, int], tuple[Iterable[str], str]] = {}

    def error(self, origin: Origin | None, where: str, text: str) -> None:
        self.errors.append(Problem(origin, where, text))

    def warn(self, origin: Origin | None, where: str, text: str) -> None:
        self.warnings.append(Problem(origin, where, text))

    def nearest(self, name: str, valid: Iterable[str]) -> str:
        """ "; did you mean web?", or "" where nothing is near."""
        key = (name, id(valid))  # kept below, so that the id stays its own
        if key not in self._suggested:
            if len(self._suggested) >= MAX_SUGGESTIONS:
                return ""
            found = get_close_matches(name, list(valid), n=1, cutoff=0.6)
            self._suggested[key] = (valid, f"; did you mean {found[0]}?" if found else "")
        return self._suggested[key][1]


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The order to read them in: by file, then line."""
    return tuple(sorted(problems, key=lambda p: (p.origin.file, p.origin.line) if p.origin else ("", 0)))
