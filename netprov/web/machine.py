"""One machine's page: where it stands, its boots drawn, what it would get now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netprov.boot.arch import ARCHS
from netprov.boot.install import Arm, refusal
from netprov.errors import ConfigError, PeerError
from netprov.explain.options import rows
from netprov.explain.rows import kind_of, text_of
from netprov.explain.stage import Reply
from netprov.journal.boots import Boot, without_requests
from netprov.journal.event import Event, Kind
from netprov.journal.fact import BY
from netprov.journal.running import Transfer
from netprov.journal.verdicts import Judged, Verdict
from netprov.web.explained import Explained, Question, explain, origin_text
from netprov.web.glance import Glance
from netprov.web.lanes import Drawing, draw, lane_of, state_of, title_of
from netprov.web.machines import Machine, Standing
from netprov.web.rows import progress_object, safe
from netprov.web.services import Services
from netprov.web.words import ago

BOOTS = 10
CHANGES = 5
LOG_LINES = 20  # of the machine's own log, the last
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
    facts: tuple[tuple[str, str], ...]
    replies: tuple[ReplyTable, ...]


@dataclass(frozen=True, slots=True)
class ReplyTable:
    """A DHCP packet that it would be sent: its fields, then each option ("51 lease-time", "3600 s")."""

    kind: str  # "offer"
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What an operator did with the machine's install."""

    at: float
    text: str
    by: str


@dataclass(frozen=True, slots=True)
class MachineView:
    standing: Standing
    progress: object  # as rows.progress_object has it, or None
    changes: tuple[Change, ...]  # the latest first
    boots: tuple[Boot, ...]  # the latest first
    shown: Shown | None
    arch: str
    archs: tuple[str, ...]
    armed: bool
    stages: tuple[StageLine, ...]
    unexplained: str  # why there are no stages
    unarmable: str  # why its install cannot be armed


def machine_view(services: Services, machine: Machine, question: Question, number: int) -> MachineView:
    """`number`: of the boot to show; 0: the latest. Any MAC has a page: it says what the machine would get.

    Raises PeerError (404) for what is no machine.
    """
    with Glance(services) as glance:
        boots = glance.journal.briefly(machine.names, BOOTS)
        if not boots and machine.target is None and not machine.mac:
            raise PeerError(f"{machine.name}: neither the inventory nor the journal knows such a machine", 404)
        standing = glance.standing(machine, boots[-1] if boots else None)
        changes = glance.journal.changes(machine.name, CHANGES) if machine.target is not None else ()
        chosen = _chosen(glance, boots, number)
    stages, arch, unexplained = _explained(services, question, boots[-1] if boots else None)
    return MachineView(
        standing=standing,
        progress=safe(progress_object(standing.transfer)) if standing.transfer is not None else None,
        changes=tuple(Change(e.at, e.text, e.fact(BY)) for e in reversed(changes)),
        boots=tuple(reversed(boots)),
        shown=_shown(*chosen, standing.transfer, glance.now) if chosen is not None else None,
        arch=arch,
        archs=tuple(row.name for row in ARCHS.values()),
        armed=question.armed,
        stages=stages,
        unexplained=unexplained,
        unarmable=refusal(standing.record, Arm(), machine.target) if machine.target is not None else "",
    )


def _chosen(glance: Glance, boots: Sequence[Boot], number: int) -> Judged | None:
    """The boot to show, whole, and why it went wrong."""
    brief = next((boot for boot in boots if boot.number == number), boots[-1] if boots else None)
    whole = glance.journal.boot(brief.machine, brief.number) if brief is not None else None
    if whole is None:
        return None
    newest = max(boot.number for boot in boots if boot.machine == whole.machine)
    return glance.judged(whole, ended=whole.number < newest)


def _shown(boot: Boot, verdicts: tuple[Verdict, ...], transfer: Transfer | None, now: float) -> Shown:
    said = [number for number, event in enumerate(boot.events) if event.kind is Kind.SYSLOG_LINE]
    older = frozenset(said[:-LOG_LINES])
    told = (pair for pair in without_requests(boot.events) if pair[0] not in older)
    lines = [_line(number, event, boot.started) for number, event in told]
    count = len(lines)
    last = lines[max(MOST_LINES, count - MOST_LINES) :]
    moving = transfer if transfer is not None and transfer.boot in (0, boot.number) else None
    left_out = max(0, count - 2 * MOST_LINES)
    return Shown(boot, verdicts, draw(boot, moving, now), tuple(lines[:MOST_LINES]), tuple(last), left_out)


def _line(number: int, event: Event, started: float) -> Line:
    state = state_of(event)
    advice = event.reason.advice if state == "failed" else ""
    return Line(number, ago(event.at - started), lane_of(event), event.kind.value, state, title_of(event), advice)


def _explained(services: Services, question: Question, latest: Boot | None) -> tuple[tuple[StageLine, ...], str, str]:
    inventory = services.inventory()
    try:
        found: Explained = explain(question, inventory, services.state.installs, latest, services.state.leases)
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
            stage.facts,
            tuple(map(_reply, stage.replies)),
        )
        for stage in found.stages
    )
    return lines, found.arch.name, ""


def _reply(reply: Reply) -> ReplyTable:
    packet = reply.packet
    fields = (
        ("to", f"{reply.to} ({reply.note})" if reply.note else reply.to),
        *((name, str(ip)) for name, ip in (("yiaddr", packet.yiaddr), ("siaddr", packet.siaddr)) if int(ip)),
        *((("file", text_of(packet.file)),) if packet.file else ()),
    )
    options = tuple((f"{row.code} {row.name}".rstrip(), row.value) for row in rows(packet))
    return ReplyTable(kind_of(reply), (*fields, *options))
