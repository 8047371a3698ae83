"""Why a boot went wrong: the catalogue of signatures, and what to change for each.

Nothing here guesses beyond what events and configuration say; a boot that went well has no verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from netprov.journal.boots import Boot
from netprov.journal.verdicts.absent import Heard, absence
from netprov.journal.verdicts.facts import Facts
from netprov.journal.verdicts.reference import reference
from netprov.journal.verdicts.table import RULES
from netprov.journal.verdicts.verdict import Context, Verdict

__all__ = ["Context", "Heard", "Judged", "Verdict", "absence", "judge", "reference", "verdicts"]

Judged = tuple[Boot, tuple[Verdict, ...]]


def verdicts(boot: Boot, context: Context) -> tuple[Verdict, ...]:
    """Why `boot` went wrong, what stops the machine first. Pure: what is to be known stands in the two."""
    facts = Facts(boot, context)
    signs = {rule: sign for rule in RULES if (sign := rule.sign(facts)) is not None}
    found = {rule.id for rule in signs}
    judged = [
        Verdict(
            rule.id,
            rule.name,
            rule.severity,
            rule.sentence.format_map(sign.words),
            rule.advice.format_map(sign.words),
            sign.at,
        )
        for rule, sign in signs.items()
        if not found & set(rule.yields)
    ]
    return tuple(sorted(judged, key=lambda verdict: verdict.severity != "error"))


def judge(boots: Sequence[Boot], context: Context) -> list[Judged]:
    """Each boot with its verdicts. `boots` hold a machine's later ones where they hold an earlier one."""
    newest: dict[str, int] = {}
    for boot in boots:
        newest[boot.machine] = max(newest.get(boot.machine, 0), boot.number)
    return [
        (boot, verdicts(boot, replace(context, ended=context.ended or boot.number < newest[boot.machine])))
        for boot in boots
    ]
