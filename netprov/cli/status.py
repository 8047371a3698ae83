"""netprov status: where every machine is, since when, and what is wrong with it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from netprov.boot.install import InstallRecord
from netprov.cli.options import config_option, load_inventory
from netprov.errors import ConfigError
from netprov.inventory.model import Inventory
from netprov.journal.export import verdict_object
from netprov.journal.lane import stage_line
from netprov.journal.standing import Standing, standings
from netprov.journal.timeline import Timeline, keys
from netprov.journal.verdicts import Context, Heard
from netprov.notify.receivers import Receiver, receivers
from netprov.state.failure import StateError
from netprov.state.place import Place
from netprov.state.state import open_state
from netprov.text import escape

_STYLES = {"installed": "green", "failed": "red", "installing": "yellow", "booting": "yellow"}


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME|MAC]...")
@click.option("--json", "json_", is_flag=True, help="As JSON: one object per machine.")
@config_option
def status(names: tuple[str, ...], json_: bool, config: Path) -> None:
    """Show where every machine is, since when, and what is wrong with it.

    All declared systems, also those never seen, and the undeclared machines that booted within a day; or those
    named. Needs no running server.
    """
    inventory = load_inventory(config)
    place = Place(inventory.settings.server.state)
    now = time.time()
    try:
        with Timeline(place.journal) as journal:
            boots, heard = journal.latest_boots(), Heard(journal.heard())
        context = Context.of(inventory, now)
        found = list(standings(inventory, _installs(place), boots, heard, context))
    except (ConfigError, StateError) as error:
        raise click.ClickException(str(error)) from None
    if names:
        found = _named(found, names, inventory)
    if json_:
        click.echo(json.dumps([_object(standing) for standing in found], indent=2))
    elif found:
        _print(found, now)
    else:
        click.echo("No machines: none is declared under systems:, and none was seen within a day.")
    for receiver in _failing(place, inventory):
        click.echo(f"! {receiver.text(now)}", err=json_)  # JSON has machines only


def _failing(place: Place, inventory: Inventory) -> list[Receiver]:
    """The webhooks' receivers that take nothing."""
    if not inventory.settings.server.webhooks:
        return []
    try:
        return [receiver for receiver in receivers(place.spool) if receiver.failing]
    except sqlite3.Error as error:
        raise click.ClickException(f"{place.spool}: {error}") from None


def _installs(place: Place) -> Mapping[str, InstallRecord]:
    if place.database is not None and not place.database.exists():
        return {}
    with open_state(place.where) as state:
        return state.installs.all()


def _named(found: Sequence[Standing], names: Sequence[str], inventory: Inventory) -> list[Standing]:
    """Those that the names spell, in their order. Ends the command for a name that is nobody's."""
    chosen = []
    for name in names:
        system = inventory.system_by_hostname(name)
        spelt = {*keys(name), system.name if system is not None else name}
        matching = [s for s in found if s.system in spelt or s.machine in spelt]
        if not matching:
            raise click.ClickException(f"no machine is called {name!r}, or it was not seen within a day")
        chosen += matching
    return chosen


def _object(standing: Standing) -> dict[str, object]:
    boot, stage = standing.boot, standing.stage
    return {
        "machine": standing.machine,
        "system": standing.system,
        "state": standing.state,
        "since": standing.since,
        "boot": boot.number if boot is not None else None,
        "started": boot.started if boot is not None else None,
        "stage": stage.name if stage is not None else None,
        "stage_state": stage.state if stage is not None else None,
        "verdicts": [verdict_object(v, boot.started if boot is not None else v.at) for v in standing.found],
    }


def _print(found: Sequence[Standing], now: float) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("machine", "install", "last boot", "since"):
        table.add_column(name, no_wrap=True, justify="right" if name == "since" else "left", overflow="ellipsis")
    table.add_column("verdict", overflow="fold", ratio=1)
    for standing in found:
        table.add_row(
            Text(escape(standing.system or standing.machine, 40), "bold" if standing.system else ""),
            Text(standing.state or "unknown", _STYLES.get(standing.state, "dim")),
            _last_boot(standing),
            Text(age(now - standing.since) if standing.since is not None else "–", "dim"),
            _verdict(standing),
        )
    Console(highlight=False).print(table)


def _last_boot(standing: Standing) -> Text:
    if standing.boot is None:
        return Text("never seen", "dim")
    return stage_line([standing.stage] if standing.stage is not None else [])


def _verdict(standing: Standing) -> Text:
    if not standing.found:
        return Text("")
    first = standing.found[0]
    more = f" (and {len(standing.found) - 1} more)" if len(standing.found) > 1 else ""
    style = "red" if first.severity == "error" else "yellow"
    return Text(escape(first.sentence, 1000) + more, style)


def age(seconds: float) -> str:
    """How long ago, in the largest unit that says enough."""
    for unit, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{int(seconds // unit)} {name}"
    return f"{max(0, int(seconds))} s"
