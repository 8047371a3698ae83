"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path

import click

from netprov.errors import ConfigError
from netprov.inventory.load import load
from netprov.inventory.model import Inventory

PLACES = (Path("netprov.yaml"), Path("/etc/netprov/netprov.yaml"))


class InventoryErrors(click.ClickException):
    """The configuration cannot be used: every problem, a line each."""

    def __init__(self, error: ConfigError) -> None:
        super().__init__(str(error))
        self.problems = error.problems

    def show(self, file: object = None) -> None:
        for problem in self.problems:
            click.echo(f"netprov: {problem}", err=True)
        count = len(self.problems)
        click.echo(f"netprov: {count} problem{'s' if count > 1 else ''} in the configuration", err=True)


class NoConfiguration(click.ClickException):
    """There is no configuration where it was looked for."""

    def show(self, file: object = None) -> None:
        click.echo(f"netprov: {self.message}", err=True)


def _find(context: click.Context, _parameter: click.Parameter, given: Path | None) -> Path:
    place = given or next((place for place in PLACES if place.exists()), PLACES[0])
    if not place.exists() and not context.resilient_parsing:
        advice = "write one (docs/tutorial.md shows how; an empty file will do), or name another with -c"
        raise NoConfiguration(f"{place}: no such file: {advice}")
    return place


config_option = click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    callback=_find,
    envvar="NETPROV_CONFIG",
    help="The configuration. Default: netprov.yaml here, then /etc/netprov/netprov.yaml.",
)


def load_inventory(config: Path) -> Inventory:
    """The inventory that `config` declares; ends the command with every problem found."""
    try:
        return load(config)
    except ConfigError as error:
        raise InventoryErrors(error) from None
