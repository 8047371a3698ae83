"""`netprov schema`: what may be written in netprov.yaml."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--reference", is_flag=True, help="The reference page, in Markdown, instead.")
def schema(reference: bool) -> None:
    """Print the JSON Schema of netprov.yaml, for editors.

    With the YAML language server: put "# yaml-language-server: $schema=netprov.schema.json" on the first line.
    """
    from netprov.inventory import reference as page
    from netprov.inventory import schema as json_schema

    click.echo(page.reference() if reference else json.dumps(json_schema.schema(), indent=2, ensure_ascii=False))
