"""Who is who: each MAC, address, UUID… belongs to one system."""

from __future__ import annotations

from collections.abc import Hashable

from netprov.errors import Origin
from netprov.inventory.report import Report


class Claims:
    """Which system was the first to claim a mark, and where."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._first: dict[tuple[str, Hashable], tuple[str, Origin]] = {}

    def claim(self, what: str, mark: Hashable, system: str, origin: Origin, where: str) -> None:
        """Notes that `system` has it; an error where another, or the same one twice, has. `what`: "MAC"."""
        other, first = self._first.setdefault((what, mark), (system, origin))
        if first is not origin:
            shown = mark.hex(":") if isinstance(mark, bytes) else mark
            whose = "this system too" if other == system else f"system {other} too"
            self.report.error(origin, where, f"the {what} {shown} is that of {whose} ({first})")
