"""netprov check: what would stop machines from booting."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netprov.cli.options import config_option

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from netprov.check.checks import Check
    from netprov.check.subject import Finding, Subject

Found = Sequence[tuple["Check", Sequence["Finding"]]]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--probe/--no-probe", default=True,
              help="Whether to send anything: ask our own services, look for other DHCP servers at the interfaces that "
              "server.interfaces names (as root), read from a next_server.")  # fmt: skip
@click.option("--only", multiple=True, metavar="CHECK", help="Only this check, by its name; may be repeated.")
@click.option("--strict", is_flag=True, help="Exit with status 1 on warnings too.")
@config_option
def check(as_json: bool, probe: bool, only: Sequence[str], strict: bool, config: Path) -> None:
    """Say what would stop machines from booting: in the configuration, its templates, the boot loaders and kernels;
    addresses, interfaces, subnets; the server's sockets as a client meets them, other DHCP servers, the firewall; the
    state, the disk and the clock. Each finding says which machines it stops and how to fix it. Run it as root where
    the server runs: it says what it could not look at.

    It changes nothing, and takes no lease. The exit status is 1 if there is any error; warnings do not count.
    """
    from netprov.check.checks import CHECKS
    from netprov.check.subject import Severity, look

    names = [one.name for one in CHECKS]
    for name in only:
        if name not in names:
            raise click.BadParameter(f"{name!r} is not one of: {', '.join(names)}", param_hint="--only")
    subject = look(config, probe)
    known = [one for one in CHECKS if one.always or subject.inventory is not None]
    found = [(one, list(one.find(subject))) for one in known if one.name in only or not only]
    findings = [finding for _, some in found for finding in some]
    if as_json:
        rows = [_row(one, finding) for one, some in found for finding in some]
        click.echo(json.dumps({"checks": [one.name for one, _ in found], "findings": rows}, indent=1))
    else:
        from rich.console import Console

        console = Console(highlight=False)
        console.print(_table(subject, found))
        console.print(_summary(findings))
    counted = (Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,)
    if any(finding.severity in counted for finding in findings):
        raise click.exceptions.Exit(1)


def _row(check: Check, finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id, "check": check.name, "severity": finding.severity, "text": finding.text,
        "advice": finding.advice, "machines": list(finding.machines), "command": finding.command,
    }  # fmt: skip


def _table(subject: Subject, found: Found) -> Table:
    from rich.table import Table
    from rich.text import Text

    from netprov.check.subject import Severity

    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    marks = {
        Severity.ERROR: Text("✗", "bold red"), Severity.WARNING: Text("!", "yellow"), Severity.NOTE: Text("·", "dim"),
    }  # fmt: skip
    for one, findings in found:
        if not findings and (passed := one.passed(subject)):
            table.add_row(Text("✓", "green"), one.name, Text(_near(passed), "dim"))
        for number, finding in enumerate(findings):
            table.add_row(marks[finding.severity], one.name if number == 0 else "", _said(finding))
    return table


def _said(finding: Finding) -> Text:
    from rich.text import Text

    from netprov.check.subject import Severity

    text = Text(_near(finding.text), "dim" if finding.severity is Severity.NOTE else "")
    for line, style in _lines(finding):
        text.append(f"\n{_near(line)}", style)
    return text


def _lines(finding: Finding) -> Iterator[tuple[str, str]]:
    """What stands below a finding's text."""
    from netprov.check.subject import EVERY, Severity, shortened

    if finding.machines:
        machines = "any machine" if finding.machines == EVERY else shortened(finding.machines)
        yield f"{'stops' if finding.severity is Severity.ERROR else 'may stop'} {machines}", "dim"
    if finding.advice:
        yield f"→ {finding.advice}", "yellow"
    if finding.command:
        yield f"$ {finding.command}", "yellow"


def _near(text: str) -> str:
    """`text` for the terminal, with the files in the current folder named as they are seen from there.

    What other machines sent may stand in it.
    """
    from netprov.text import escape

    return escape(text.replace(f"{Path.cwd()}/", ""), 2000)


def _summary(findings: Sequence[Finding]) -> str:
    from netprov.check.subject import Severity

    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    warnings = sum(finding.severity is Severity.WARNING for finding in findings)
    return f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
