"""`netprov schema`: what may be written in netprov.yaml, and the reference pages."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--reference", is_flag=True, help="The configuration's page instead: the same as --page configuration.")
@click.option(
    "--page",
    type=click.Choice(["configuration", "cli", "reasons", "events", "verdicts", "checks", "pxeboot", "templates"]),
    help="A page of docs/reference/, in Markdown, instead.",
)
def schema(reference: bool, page: str | None) -> None:
    """Print the JSON Schema of netprov.yaml, for editors.

    With the YAML language server: put "# yaml-language-server: $schema=netprov.schema.json" on the first line.
    """
    from netprov.cli.pages import PAGES
    from netprov.inventory import schema as json_schema

    if page is not None or reference:
        click.echo(PAGES[page or "configuration"](), nl=False)
    else:
        click.echo(json.dumps(json_schema.schema(), indent=2, ensure_ascii=False))
