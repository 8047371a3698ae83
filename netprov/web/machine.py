"""One machine's page: where it stands, its boots drawn, what it would get now."""

from __future__ import annotations

from dataclasses import dataclass

from netprov.boot.arch import ARCHS
from netprov.errors import ConfigError, PeerError
from netprov.http.services import Services
from netprov.journal.boots import Boot
from netprov.journal.event import Event
from netprov.journal.timeline import Timeline
from netprov.journal.verdicts import Context, Verdict, judge
from netprov.web.explained import Explained, Question, explain, origin_text
from netprov.web.lanes import Drawing, draw, lane_of, state_of, title_of, without_requests
from netprov.web.machines import Machine, Standing
from netprov.web.words import ago

BOOTS = 10
MOST_LINES = 150
"""Events listed at the beginning of a boot, and at its end."""


@dataclass(frozen=True, slots=True)
class Line:
    """An event, told. `number` is its place in the boot, from 0."""

    number: int
    after: str
    lane: str
    kind: str
    state: str
    text: str
    advice: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A boot on its machine's page. `left_out`: events that stand neither in `first` nor in `last`."""

    boot: Boot
    verdicts: tuple[Verdict, ...]
    drawing: Drawing
    first: tuple[Line, ...]
    last: tuple[Line, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class StageLine:
    """A stage of what it would get now."""

    name: str
    asks: str
    gets: str
    why: tuple[tuple[str, str], ...]  # sentence, and where the operator wrote what caused it
    text: str
    problem: str
    advice: str


@dataclass(frozen=True, slots=True)
class MachineView:
    standing: Standing
    boots: tuple[Boot, ...]  # the latest first
    shown: Shown | None
    arch: str
    archs: tuple[str, ...]
    armed: bool
    stages: tuple[StageLine, ...]
    unexplained: str  # why there are no stages


def machine_view(services: Services, machine: Machine, question: Question, number: int) -> MachineView:
    """`number`: of the boot to show; 0: the latest. Any MAC has a page: it says what the machine would get.

    Raises PeerError (404) for what is no machine.
    """
    inventory = services.inventory()
    with Timeline(services.journal) as journal:
        boots = journal.boots(machine.names, BOOTS)
    if not boots and machine.target is None and not machine.mac:
        raise PeerError(f"{machine.name}: neither the inventory nor the journal knows such a machine", 404)
    judged = judge(boots, Context.of(inventory, services.clock()))
    chosen = next((pair for pair in judged if pair[0].number == number), judged[-1] if judged else None)
    record = services.state.installs.get(machine.name)
    stages, arch, unexplained = _explained(services, question, boots[-1] if boots else None)
    return MachineView(
        standing=Standing(machine, record, boots[-1] if boots else None),
        boots=tuple(reversed(boots)),
        shown=_shown(*chosen) if chosen is not None else None,
        arch=arch,
        archs=tuple(row.name for row in ARCHS.values()),
        armed=question.armed,
        stages=stages,
        unexplained=unexplained,
    )


def _shown(boot: Boot, verdicts: tuple[Verdict, ...]) -> Shown:
    lines = [_line(number, event, boot.started) for number, event in without_requests(boot.events)]
    count = len(lines)
    last = lines[max(MOST_LINES, count - MOST_LINES) :]
    return Shown(boot, verdicts, draw(boot), tuple(lines[:MOST_LINES]), tuple(last), max(0, count - 2 * MOST_LINES))


def _line(number: int, event: Event, started: float) -> Line:
    state = state_of(event)
    advice = event.reason.advice if state == "failed" else ""
    return Line(number, ago(event.at - started), lane_of(event), event.kind.value, state, title_of(event), advice)


def _explained(services: Services, question: Question, latest: Boot | None) -> tuple[tuple[StageLine, ...], str, str]:
    inventory = services.inventory()
    try:
        found: Explained = explain(question, inventory, services.state.installs, latest)
    except (PeerError, ConfigError) as error:
        return (), question.arch, str(error)
    lines = tuple(
        StageLine(
            stage.name,
            stage.asks,
            stage.gets,
            tuple((step.text, origin_text(step.origin, inventory.files)) for step in stage.trace),
            stage.text,
            stage.problem,
            stage.advice,
        )
        for stage in found.stages
    )
    return lines, found.arch.name, ""
