"""netprov lint: every problem of the configuration, the templates and the installers' answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from netprov.cli.options import config_option
from netprov.errors import ConfigError, Problem


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@config_option
def lint(as_json: bool, config: Path) -> None:
    """Check the configuration, and every script and installer's answers that it makes: a line for each problem, with
    the file and line to fix. The exit code is 1 if there is any; warnings do not count.
    """
    from netprov.inventory.load import load
    from netprov.render.lint import lint as check

    warnings: Sequence[Problem] = ()
    try:
        inventory = load(config)
    except ConfigError as error:
        problems: Sequence[Problem] = error.problems
        checked = "the configuration"
    else:
        findings = check(inventory)
        problems, warnings = findings.problems, (*inventory.warnings, *findings.warnings)
        checked = inventory.summary
    if as_json:
        rows = {"problems": [_row(one) for one in problems], "warnings": [_row(one) for one in warnings]}
        click.echo(json.dumps(rows, indent=1))
    else:
        for one in warnings:
            click.echo(f"warning: {one}")
        for one in problems:
            click.echo(str(one))
        click.echo(f"{len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'} in {checked}")
    if problems:
        raise click.exceptions.Exit(1)


def _row(problem: Problem) -> dict[str, object]:
    origin = problem.origin
    return {
        "file": origin.file if origin else None,
        "line": origin.line if origin else None,
        "where": problem.where,
        "text": problem.text,
    }
