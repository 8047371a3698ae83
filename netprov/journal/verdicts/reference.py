"""docs/reference/verdicts.md, from the table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from netprov.journal.verdicts import absent
from netprov.journal.verdicts.table import RULES, SILENT
from netprov.journal.verdicts.verdict import Rule

_HEAD = """# Verdicts

<!-- Written by `netprov schema --page verdicts` from netprov/journal/verdicts/table.py. -->

`netprov timeline NAME` and `netprov status` say why a boot went wrong, and what to change. Each verdict is a signature
in the boot's events: nothing is guessed, and a boot that went well has none. Words in *italics* are the boot's own.
"""
_FIELD = re.compile(r"\{(\w+)\}|\{\{|\}\}")  # as str.format reads a text


def reference() -> str:
    """The page, in Markdown."""
    return "\n".join([_HEAD, *_rows(), ""])


def _rows() -> Iterator[str]:
    absences = Rule(
        absent.ID, absent.NAME, lambda _: None, absent.MEANING, absent.SENTENCE, absent.ADVICE, absent.SOURCE
    )
    rules = sorted([*RULES, absences], key=lambda rule: int(rule.id[1:]))
    seen = ""
    for rule in rules:
        if rule.id != seen:
            yield f"## {rule.id}: {rule.name}\n"
            seen = rule.id
        yield from _rule(rule)
    yield "## No verdict\n"
    yield from (f"- **{id}** {meaning} ({source})" for id, meaning, source in SILENT)


def _rule(rule: Rule) -> Iterator[str]:
    weight = "" if rule.severity == "error" else " A warning: the machine gets on."
    yield f"**Seen when** {rule.meaning}.{weight}\n"
    yield f"> {_words(rule.sentence)}\n"
    yield f"{_advice(rule.advice)}\n"
    if rule.source:
        yield f"Met in: {rule.source}\n"


def _advice(text: str) -> str:
    """Lines that are to be pasted stand indented in an advice; Markdown wants a fence around them."""
    lines, fenced = [], False
    for line in text.split("\n"):
        paste = line.startswith("  ") or line == "{lines}"
        if paste != fenced:
            lines += ["", "```"] if paste else ["```", ""]
            fenced = paste
        shown = "(the lines for dnsmasq, ISC dhcpd and Kea, filled in)" if line == "{lines}" else line
        lines.append(_filled(shown, str.upper) if paste else _words(shown))
    return "\n".join([*lines, "```"] if fenced else lines)


def _words(text: str) -> str:
    return _filled(text, lambda name: f"*{name.replace('_', ' ')}*")


def _filled(text: str, spell: Callable[[str], str]) -> str:
    return _FIELD.sub(lambda found: spell(found[1]) if found[1] else found[0][0], text)
