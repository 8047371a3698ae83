"""Where two boots part: stage by stage, and what was declared for each."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import chain

from netprov.boot.decision import Step
from netprov.errors import Origin
from netprov.explain.options import rows
from netprov.explain.rows import kind_of, text_of
from netprov.explain.stage import Stage
from netprov.explain.walked import Walked
from netprov.inventory.model import Target
from netprov.mac import dashed
from netprov.render.context import plain

MOST_LINES = 200
"""Lines of a text that differ and are shown."""

DECLARED = "declared"
"""What stands in place of a stage for what the operator wrote."""

_NAMES = frozenset(("name", "hostname", "uuid", "serial", "client_id", "circuit_id", "remote_id"))
_NOT_COMPARED = frozenset(("kind", "origin", "origins"))


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """What one of the two has, and where that was written."""

    text: str
    origin: Origin | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """`stage` is a stage's name or DECLARED; `what` is a field of it. Empty: that side has nothing there."""

    stage: str
    what: str
    first: tuple[Said, ...]
    second: tuple[Said, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """Two boots beside each other. `names`: what to call them."""

    names: tuple[str, str]
    differences: tuple[Difference, ...]


Mask = Callable[[str], str]


@dataclasses.dataclass(frozen=True, slots=True)
class _Eyes:
    """How the texts of the two are looked at: a machine's own names are masked, but what is alike as it stands is."""

    first: Mask
    second: Mask

    def same(self, one: str, two: str) -> bool:
        return one == two or self.first(one) == self.second(two)

    def only(self, ours: Sequence[str], theirs: Sequence[str]) -> tuple[list[int], list[int]]:
        """Which of the lines only the one has, and which only the other, in their order."""
        plain_ours = set(ours)
        one = [self.first(line) for line in ours]
        two = [self.first(line) if line in plain_ours else self.second(line) for line in theirs]
        gone: list[int] = []
        new: list[int] = []
        for tag, i, j, k, m in SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
            if tag != "equal":
                gone += range(i, j)
                new += range(k, m)
        return gone, new


def machines(names: tuple[str, str], first: Walked, second: Walked) -> Comparison:
    """Two machines: what names them does not count."""
    eyes = _Eyes(_mask(first), _mask(second))
    return Comparison(names, tuple(_differences(first, second, eyes, _NAMES)))


def changed(now: Walked, then: Walked) -> Comparison:
    """One machine, now and with another configuration."""
    return Comparison(("now", "then"), tuple(_differences(now, then, _Eyes(str, str), frozenset())))


def _differences(first: Walked, second: Walked, eyes: _Eyes, but: frozenset[str]) -> Iterator[Difference]:
    if first.arch != second.arch:
        yield Difference(DECLARED, "firmware", (Said(first.arch.name),), (Said(second.arch.name),))
    yield from _declared(first.target, second.target, eyes, but)
    names, others = ([stage.name for stage in one.stages] for one in (first, second))
    for tag, i, j, k, m in SequenceMatcher(None, names, others, autojunk=False).get_opcodes():
        ours, theirs = first.stages[i:j], second.stages[k:m]
        if tag == "equal":
            yield from chain.from_iterable(map(lambda a, b: _stage(a, b, eyes), ours, theirs))
        else:
            yield from (Difference(stage.name, "the stage", _whole(stage), ()) for stage in ours)
            yield from (Difference(stage.name, "the stage", (), _whole(stage)) for stage in theirs)


def _declared(first: Target | None, second: Target | None, eyes: _Eyes, but: frozenset[str]) -> Iterator[Difference]:
    if first is None or second is None:
        if first is not second:
            said = [(Said(f"system {t.name}", t.origin) if t is not None else Said("none"),) for t in (first, second)]
            yield Difference(DECLARED, "system", said[0], said[1])
        return
    for field in dataclasses.fields(Target):
        if field.name in _NOT_COMPARED or field.name in but:
            continue
        values = [_value(getattr(target, field.name)) for target in (first, second)]
        if not eyes.same(values[0], values[1]):
            ours, theirs = (
                (Said(value, target.origins.get(field.name)),)
                for value, target in zip(values, (first, second), strict=True)
            )
            yield Difference(DECLARED, field.name, ours, theirs)


def _value(value: object) -> str:
    seen = plain(value)
    if isinstance(seen, str):
        return seen or '""'
    return json.dumps(seen, default=dict, ensure_ascii=False)


def _whole(stage: Stage) -> tuple[Said, ...]:
    settled = _settled(stage)
    said = [Said(f"{stage.asks} → {stage.gets}", settled)]
    return (*said, *(Said(text) for text in (stage.problem, stage.advice) if text))


def _settled(stage: Stage) -> Origin | None:
    """Where the last of the reasons that has an origin was written."""
    return next((step.origin for step in reversed(stage.trace) if step.origin is not None), None)


def _stage(first: Stage, second: Stage, eyes: _Eyes) -> Iterator[Difference]:
    both = {kind_of(reply) for reply in first.replies} & {kind_of(reply) for reply in second.replies}
    ours, theirs = _items(first, both), _items(second, both)
    for what in dict.fromkeys((*ours, *theirs)):
        one, two = ours.get(what), theirs.get(what)
        if one is None or two is None or not eyes.same(one.text, two.text):
            yield Difference(first.name, what, (one,) if one else (), (two,) if two else ())
    yield from _steps(first, second, eyes)
    yield from _lines(first, second, eyes)


def _items(stage: Stage, both: set[str]) -> Mapping[str, Said]:
    """What the stage says in one line each, by what it is; of a reply of a kind that not `both` have, one line."""
    settled = _settled(stage)
    said = {"asks": Said(stage.asks), "gets": Said(stage.gets, settled)}
    for reply in stage.replies:
        kind, packet = kind_of(reply), reply.packet
        if kind not in both:
            said[kind] = Said(f"to {reply.to}: yiaddr {packet.yiaddr}, file {text_of(packet.file)}")
            continue
        said[f"{kind} to"] = Said(reply.to)
        said[f"{kind} yiaddr"] = Said(" ".join((str(packet.yiaddr), reply.note)).strip())
        said[f"{kind} siaddr"] = Said(str(packet.siaddr))
        said[f"{kind} sname"] = Said(text_of(packet.sname))
        said[f"{kind} file"] = Said(text_of(packet.file))
        for row in rows(packet):
            said[f"{kind} {row.code} {row.name}".rstrip()] = Said(row.value, reply.origins.get(row.code))
    said.update((name, Said(value)) for name, value in stage.facts)
    said.update((name, Said(text)) for name, text in (("problem", stage.problem), ("advice", stage.advice)) if text)
    return said


def _steps(first: Stage, second: Stage, eyes: _Eyes) -> Iterator[Difference]:
    """The reasons that only one of the two has."""
    gone, new = eyes.only([step.text for step in first.trace], [step.text for step in second.trace])
    if gone or new:
        ours = tuple(_step(first.trace[number]) for number in gone)
        yield Difference(first.name, "why", ours, tuple(_step(second.trace[number]) for number in new))


def _step(step: Step) -> Said:
    return Said(step.text, step.origin)


def _lines(first: Stage, second: Stage, eyes: _Eyes) -> Iterator[Difference]:
    """The lines of the texts that differ."""
    if eyes.same(first.text, second.text):
        return
    ours, theirs = first.text.splitlines(), second.text.splitlines()
    gone, new = eyes.only(ours, theirs)
    if gone or new:
        yield Difference(first.name, "the text", _cut([ours[n] for n in gone]), _cut([theirs[n] for n in new]))


def _cut(lines: list[str]) -> tuple[Said, ...]:
    left = len(lines) - MOST_LINES
    shown = tuple(map(Said, lines[:MOST_LINES]))
    return (*shown, Said(f"… and {left} more lines")) if left > 0 else shown


def _mask(found: Walked) -> Mask:
    """What stands for the machine's own names in a text, in whatever way they are written."""
    names: dict[str, str] = {}
    target = found.target
    held = {found.asking.mac, *(i.mac for i in (target.interfaces if target is not None else ()))}
    macs = [spelled for mac in held if mac is not None for spelled in (mac, dashed(mac))]
    addresses = {str(i.ip.ip) for i in (target.interfaces if target is not None else ()) if i.ip is not None}
    offered = {str(reply.packet.yiaddr) for stage in found.stages for reply in stage.replies}
    names |= dict.fromkeys(addresses | offered, "‹address›")
    if target is not None:
        host = target.hostname
        names |= {target.name: "‹name›", host: "‹host›", host.partition(".")[0]: "‹name›"}
        names |= {target.uuid: "‹uuid›", target.serial: "‹serial›"}
    if found.asking.uuid:
        names[found.asking.uuid] = "‹uuid›"
    known = sorted((name for name in names if name and name != "0.0.0.0"), key=len, reverse=True)
    # a MAC stands behind its hardware type too, 01-52-54-…
    patterns = [*map(re.escape, macs), *(rf"(?<![\w.-]){re.escape(name)}(?![\w-])" for name in known)]
    if not patterns:
        return str
    pattern = re.compile("|".join(patterns), re.IGNORECASE)
    table = {name.lower(): stands for name, stands in names.items()}
    return lambda text: pattern.sub(lambda match: table.get(match[0].lower(), "‹mac›"), text)
