"""How the receivers of webhooks do, for who looks: `netprov status`, `netprov check`, /metrics."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from netprov.state.sqlite import read_only, rows

_SELECT = (
    "SELECT name, delivered, failed, dropped, failing, said, "
    "(SELECT count(*) FROM queue WHERE hook = name) FROM hooks ORDER BY name"
)


@dataclass(frozen=True, slots=True)
class Receiver:
    """One webhook's receiver. `failing`: since when it takes nothing, 0 where it does; `said`: what was wrong last."""

    name: str
    delivered: int
    failed: int
    dropped: int
    failing: float
    said: str
    waiting: int

    def text(self, now: float) -> str:
        """What is wrong, for who can fix it."""
        minutes = max(0.0, now - self.failing) / 60
        since = f"{minutes / 60:.0f} h" if minutes >= 120 else f"{minutes:.0f} min"
        wait = f"{self.waiting} message{'s' if self.waiting != 1 else ''} wait{'s' if self.waiting == 1 else ''}"
        return f"webhook {self.name} has accepted nothing for {since}: {self.said}; {wait}"


def receivers(spool: Path) -> list[Receiver]:
    """Every declared one, by name; none where there never was any. Raises sqlite3.Error."""
    if not spool.exists():
        return []
    with closing(read_only(spool)) as db:
        return [Receiver(*row) for row in rows(db, _SELECT)]
