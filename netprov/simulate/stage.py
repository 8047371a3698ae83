"""What a simulated boot tells of itself: a stage at a time, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from netprov.journal.verdicts.verdict import Verdict


class Ending(StrEnum):
    """How a boot ended."""

    BOOTS = "boots"  # the kernel has all it needs
    LOCAL = "local"  # it goes on to its own disk, as it was told to
    STOPPED = "stopped"  # a real machine would not have come further
    OPEN = "open"  # it goes on with something that a simulation cannot run


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. `details`: what was negotiated or told, in the wire's own names; `problem`: why it ends here.

    `size` in octets and `seconds` are of what was fetched; `sha256` of the same.
    """

    name: str  # "address", "loader", "script", "kernel", "initrd", "autoinstall", "callback", "end"
    asks: str
    gets: str = ""
    seconds: float = 0.0
    size: int | None = None
    sha256: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: str = ""
    ending: Ending | None = None  # of the last stage
    verdict: str = ""  # the id that netprov's verdicts have for the problem

    @property
    def done(self) -> bool:
        """Whether something was asked for and answered."""
        return bool(self.details or self.sha256) and not self.problem

    def row(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Stage:
        """The stage that `row` was made of, by way of JSON."""
        ending = row["ending"]
        return cls(**{**row, "notes": tuple(row["notes"]), "ending": Ending(ending) if ending else None})


@dataclass(frozen=True, slots=True)
class Boot:
    """One machine's simulated boot, over. `verdicts`: what the server's journal says of it, where it can be read."""

    machine: str
    mac: str
    kind: str
    stages: tuple[Stage, ...]
    seconds: float
    verdicts: tuple[Verdict, ...] = ()

    @property
    def last(self) -> Stage:
        return self.stages[-1]

    @property
    def ending(self) -> Ending:
        return self.last.ending or Ending.STOPPED

    @property
    def verdict(self) -> str:
        """The id of why it stopped: the server's, which sees both sides, else the machine's own; "" for no trouble."""
        if self.ending is not Ending.STOPPED:
            return ""
        return self.verdicts[0].id if self.verdicts else self.last.verdict

    @property
    def octets(self) -> int:
        return sum(stage.size or 0 for stage in self.stages)

    def row(self) -> dict[str, Any]:
        return {
            "machine": self.machine, "mac": self.mac, "arch": self.kind, "ending": str(self.ending),
            "problem": self.last.problem, "verdict": self.verdict,
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
            "seconds": round(self.seconds, 3), "octets": self.octets,
            "stages": [stage.row() for stage in self.stages],
        }  # fmt: skip
