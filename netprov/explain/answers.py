"""What would have been answered to a capture, as a person reads it, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from netprov.explain.captured import MOST, Answer, Answers
from netprov.explain.rows import reply_row
from netprov.explain.show import reply_lines, with_origin
from netprov.journal.fact import ARCH, LOADER
from netprov.text import escape

_INDENT = 5

DETAILED = 50
"""Answers that are shown whole; of the others a line each."""


def captured(found: Answers, base: str) -> RenderableType:
    """Each packet, its answer and why; a question repeated is one line. Files are named relative to `base`."""
    parts: list[RenderableType] = []
    first = found.answers[0].captured.at if found.answers else 0.0
    whole = 0
    for answer in found.answers:
        parts.append(_line(answer, first))
        if answer.like or answer.heard is None:
            continue
        whole += 1
        if whole <= DETAILED:
            parts += [Padding(line, (0, 0, 0, _INDENT), expand=False) for line in _why(answer, base)]
    if whole > DETAILED:
        parts += ["", f"The first {DETAILED} answers are shown whole: name a machine to see its own, or take --json."]
    return Group(*parts, *([""] if parts else []), *_end(found))


def _line(answer: Answer, first: float) -> Text:
    captured = answer.captured
    line = Text(f"{captured.number:>3}  +{captured.at - first:.3f} s  ", "dim")
    line.append(answer.kind.upper(), "bold").append(f" {answer.mac or 'unidentified'}")
    event = answer.heard.event if answer.heard is not None else None
    if event is not None and event.system:
        line.append(f" ({event.system})")
    said = [event.fact(LOADER), event.fact(ARCH)] if event is not None else []
    said += [f"relay {event.relay}" if event is not None and event.relay else ""]
    said += ["VLAN " + ".".join(map(str, captured.vlans)) if captured.vlans else ""]
    if told := ", ".join(word for word in said if word):
        line.append(f"  {told}", "dim")
    line.append(" → ", "dim")
    return line.append(escape(says(answer)), "bold" if answer.heard is not None and answer.heard.reply else "yellow")


def says(answer: Answer) -> str:
    """What becomes of the packet, in a sentence."""
    if answer.like:
        return f"as packet {answer.like}"
    if answer.heard is None:
        return f"not answered: {answer.words}"
    return answer.heard.event.text if answer.heard.reply is not None else f"no answer: {answer.heard.event.text}"


def _why(answer: Answer, base: str) -> Iterator[RenderableType]:
    heard = answer.heard
    assert heard is not None
    steps = heard.decision.trace if heard.decision is not None else ()
    for step in steps:
        if step.text != heard.event.text:
            yield with_origin(Text(escape(step.text)), step.origin, base)
    if heard.reply is not None:
        yield from reply_lines(heard.reply, base)
    elif heard.event.reason.advice:
        yield Text(f"→ {heard.event.reason.advice}", "yellow")


def _end(found: Answers) -> Iterator[Text]:
    yield Text("; ".join(summary(found)))
    for warning in warnings(found):
        yield Text(warning, "yellow")


def summary(found: Answers) -> list[str]:
    """What was in the capture, by numbers."""
    replies = sum(1 for one in found.answers if one.heard is not None and one.heard.reply is not None)
    machines = len({answer.mac for answer in found.answers})
    said = [_count(found.tally.packets, "packet")]
    asked = f"{_count(len(found.answers), 'question')} of {_count(machines, 'machine')}"
    said.append(f"{asked}, {replies} would be answered")
    if found.left_out:
        said.append(f"{_count(found.left_out, 'question')} of other machines")
    for server, count in sorted(found.servers.items()):
        said.append(f"{_count(count, 'answer')} of the DHCP server {server}")
    if found.tally.others:
        said.append(f"{_count(found.tally.others, 'packet')} of other protocols")
    return said


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def warnings(found: Answers) -> list[str]:
    """What is to be known of the numbers."""
    said = []
    if found.tally.damage:
        said.append(f"the capture is read up to packet {found.tally.packets}: {escape(found.tally.damage)}")
    if found.full:
        said.append(f"only the first {MOST} questions are answered: name a machine, or cut the capture (editcap -A)")
    if found.tally.links:
        kinds = ", ".join(map(str, sorted(found.tally.links)))
        said.append(f"packets of a link type that is not known here ({kinds}): capture on Ethernet, or -i any")
    if not found.answers and not said:
        said.append("no machine's DHCP packet is in it: capture where the machines are, 'port 67 or port 4011'")
    return said


def captured_row(found: Answers) -> dict[str, object]:
    return {
        "file": found.file,
        "packets": found.tally.packets,
        "servers": dict(found.servers),
        "answers": [_row(answer) for answer in found.answers],
        "summary": summary(found),
        "warnings": warnings(found),
    }


def _row(answer: Answer) -> dict[str, object]:
    heard, captured = answer.heard, answer.captured
    steps = heard.decision.trace if heard is not None and heard.decision is not None else ()
    return {
        "packet": captured.number,
        "at": captured.at,
        "vlans": list(captured.vlans),
        "type": answer.kind,
        "mac": answer.mac,
        "system": heard.event.system if heard is not None else "",
        "relay": heard.event.relay if heard is not None else "",
        "says": says(answer),
        "reason": heard.event.reason.label if heard is not None else "",
        "like": answer.like or None,
        "why": [
            {"reason": s.reason.label, "text": s.text, "origin": str(s.origin) if s.origin else None} for s in steps
        ],
        "reply": reply_row(heard.reply) if heard is not None and heard.reply is not None else None,
    }
