"""What the journal says that matters to a check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from netprov.boot.reason import Reason
from netprov.journal.event import Event
from netprov.journal.timeline import Timeline

DAY = 86_400.0

TROUBLES: Sequence[Reason] = (
    Reason.WORKER_DIED, Reason.INTERNAL_ERROR, Reason.EVENTS_LOST, Reason.JOURNAL_DAMAGED, Reason.DHCP_STORE_FAILED,
    Reason.DHCP_NOT_SENT, Reason.HTTP_UNAVAILABLE,
)  # fmt: skip
"""What went wrong with the server itself."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """`heard`: every address of a machine or a relay among the newest events. `rivals`: the events of the last day
    that tell of another DHCP server. `troubles`: the last event of each of TROUBLES, of the last day too. `last`: when
    the newest event was; 0 for none."""

    heard: frozenset[str] = frozenset()
    rivals: tuple[Event, ...] = ()
    troubles: Mapping[Reason, Event] = field(default_factory=dict)
    last: float = 0.0

    @staticmethod
    def read(path: Path, now: float) -> Recorded:
        """Raises ConfigError where the journal cannot be read; one that is not there says nothing."""
        with Timeline(path) as journal:
            last = journal.after(journal.newest() - 1, 1)
            told = journal.lately([*TROUBLES, Reason.DHCP_RIVAL])
            heard = journal.heard()
        lately = [event for event in told if now - event.at < DAY]
        troubles: dict[Reason, Event] = {}
        for event in lately:
            if event.reason in TROUBLES:
                troubles.setdefault(event.reason, event)
        return Recorded(
            heard,
            tuple(event for event in lately if event.reason is Reason.DHCP_RIVAL),
            troubles,
            last[-1][1].event.at if last else 0.0,
        )
