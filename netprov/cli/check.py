"""netprov check: what would stop machines from booting."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netprov.cli.options import config_option

if TYPE_CHECKING:
    from rich.table import Table

    from netprov.check.checks import Check
    from netprov.check.subject import Finding, Subject

Found = Sequence[tuple["Check", Sequence["Finding"]]]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@config_option
def check(as_json: bool, config: Path) -> None:
    """Say what would stop machines from booting: in the configuration, its templates, the boot loaders, kernels, the
    server and its state. The exit status is 1 if there is any error; warnings do not count.
    """
    from netprov.check.checks import CHECKS, NEED_INVENTORY
    from netprov.check.subject import Severity, look

    subject = look(config)
    known = [one for one in CHECKS if subject.inventory is not None or one.name not in NEED_INVENTORY]
    found = [(one, list(one.find(subject))) for one in known]
    findings = [finding for _, some in found for finding in some]
    if as_json:
        rows = [
            {"id": one.id, "severity": one.severity, "text": one.text, "advice": one.advice} for one in findings
        ]
        click.echo(json.dumps({"checks": [one.name for one in known], "findings": rows}, indent=1))
    else:
        from rich.console import Console

        console = Console(highlight=False)
        console.print(_table(subject, found))
        console.print(_summary(findings))
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise click.exceptions.Exit(1)


def _table(subject: Subject, found: Found) -> Table:
    from rich.table import Table
    from rich.text import Text

    from netprov.check.subject import Severity

    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    marks = {Severity.ERROR: Text("✗", "bold red"), Severity.WARNING: Text("!", "yellow")}
    for one, findings in found:
        if not findings and (passed := one.passed(subject)):
            table.add_row(Text("✓", "green"), one.name, Text(_near(passed), "dim"))
        for number, finding in enumerate(findings):
            text = Text(_near(finding.text))
            if finding.advice:
                text.append(f"\n→ {_near(finding.advice)}", "yellow")
            table.add_row(marks[finding.severity], one.name if number == 0 else "", text)
    return table


def _near(text: str) -> str:
    """`text` with the files in the current folder named as they are seen from there."""
    return text.replace(f"{Path.cwd()}/", "")


def _summary(findings: Sequence[Finding]) -> str:
    from netprov.check.subject import Severity

    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    warnings = len(findings) - errors
    return f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
