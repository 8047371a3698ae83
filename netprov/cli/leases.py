"""netprov leases: who has which address."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from math import inf
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from netprov.cli.options import config_option, load_inventory
from netprov.errors import ConfigError
from netprov.state.failure import StateError
from netprov.state.place import Place
from netprov.state.records import Lease, lease_object, standing
from netprov.state.state import open_state
from netprov.text import escape


@click.command()
@click.option("--json", "json_", is_flag=True, help="As JSON: one object per lease.")
@config_option
def leases(json_: bool, config: Path) -> None:
    """Show who has which address, expired leases too. Needs no running server."""
    place = Place(load_inventory(config).settings.server.state)
    found = _read(place)
    now = time.time()
    if json_:
        click.echo(json.dumps([lease_object(lease, now) for lease in found], indent=2))
    elif found:
        _print(found, now)
    else:
        click.echo("No leases: no machine was given an address yet. In dhcp.mode proxy another server gives them.")


def _read(place: Place) -> list[Lease]:
    if place.database is not None and not place.database.exists():
        return []
    try:
        with open_state(place.where) as state:
            return state.leases.all()
    except (ConfigError, StateError) as error:
        raise click.ClickException(str(error)) from None


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _print(found: Sequence[Lease], now: float) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("address", "mac", "system", "hostname", "state", "until"):
        wraps = name in ("system", "hostname")
        table.add_column(name, no_wrap=not wraps, overflow="fold" if wraps else "ellipsis")
    for lease in found:
        state = standing(lease, now)
        until = "forever" if lease.expires == inf else _when(lease.expires)
        row = (str(lease.ip), lease.mac, escape(lease.system), escape(lease.hostname, 64), state, until)
        style = {"leased": "", "declined": "red"}.get(state, "dim")
        table.add_row(*(Text(cell, style) for cell in row))
    Console(highlight=False).print(table)
