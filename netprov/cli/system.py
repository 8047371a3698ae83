"""netprov system: arm an install, boot locally, see where systems stand."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from netprov.boot.install import (
    Arm,
    Done,
    Fail,
    GoLocal,
    InstallEvent,
    InstallRecord,
    InstallRefused,
    next_boot,
    stands,
)
from netprov.cli.options import config_option, load_inventory
from netprov.errors import ConfigError
from netprov.inventory.model import Inventory, Target
from netprov.journal.note import change_by_command
from netprov.state.failure import StateError
from netprov.state.state import State, open_state
from netprov.text import escape


def _state(inventory: Inventory) -> State:
    try:
        return open_state(inventory.settings.server.state)
    except (ConfigError, StateError) as error:
        raise click.ClickException(str(error)) from None


def _find(inventory: Inventory, name: str) -> Target:
    found = inventory.system(name)
    if found is None:
        raise click.ClickException(f"no system {name!r} is declared{inventory.nearest(name)}")
    return found


def _apply(config: Path, names: tuple[str, ...], event: InstallEvent, command: str) -> None:
    """All of them or none: whoever names ten machines must not have to find out which."""
    inventory = load_inventory(config)
    targets = {name: _find(inventory, name) for name in names}
    with _state(inventory) as state:
        try:
            changed, trouble = change_by_command(
                state.installs, inventory.settings.server, targets, event, time.time(), f"netprov system {command}"
            )
        except (InstallRefused, StateError) as error:
            unchanged = f"; nothing is changed for the {len(targets)} named" if len(targets) > 1 else ""
            raise click.ClickException(f"{error}{unchanged}") from None
    for target, one in zip(targets.values(), changed, strict=True):
        click.echo(f"{target.name} {escape(next_boot(one.record, target))}")
    if trouble:
        click.echo(f"netprov: {trouble}", err=True)


@click.group()
def system() -> None:
    """Arm an install, boot locally, see where a system stands."""


@system.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@config_option
def install(names: tuple[str, ...], config: Path) -> None:
    """Install the machines at their next network boot: all of them, or none where one cannot be."""
    _apply(config, names, Arm(), "install")


@system.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@config_option
def local(names: tuple[str, ...], config: Path) -> None:
    """Let the machines boot their own disks."""
    _apply(config, names, GoLocal(), "local")


@system.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@config_option
def installed(names: tuple[str, ...], config: Path) -> None:
    """Mark an install under way as finished, if its own report was lost."""
    _apply(config, names, Done(), "installed")


@system.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--note", default="", help="Why.")
@config_option
def failed(names: tuple[str, ...], note: str, config: Path) -> None:
    """Mark an install under way as failed."""
    _apply(config, names, Fail(note=note), "failed")


@system.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@config_option
def status(names: tuple[str, ...], as_json: bool, config: Path) -> None:
    """Show where systems stand: all, or those named."""
    inventory = load_inventory(config)
    targets = [_find(inventory, name) for name in names] or list(inventory.systems())
    try:
        with _state(inventory) as state:
            records = state.installs.all()
    except StateError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps([_row(target, records.get(target.name)) for target in targets], indent=1))
        return
    width = max((len(target.name) for target in targets), default=0)
    for target in targets:
        click.echo(f"{target.name:{width}}  {_sentence(target, records.get(target.name))}")


def _row(target: Target, record: InstallRecord | None) -> dict[str, object]:
    return {
        "name": target.name,
        "install": str(target.install),
        "state": str(record.state) if record else None,
        "attempts": record.attempts if record else 0,
        "since": record.since if record else None,
        "note": record.note if record else "",
    }


def _sentence(target: Target, record: InstallRecord | None) -> str:
    text = escape(next_boot(record, target))
    if record is None or stands(record, target.install) is None:
        return text
    return f"{text}  [since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(record.since))}]"
