"""netprov system: arm an install, boot locally, see where systems stand."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from netprov.boot.install import DESCRIBED, Arm, Done, Fail, GoLocal, InstallEvent, InstallRecord, InstallState
from netprov.cli.options import config_option, load_inventory
from netprov.errors import ConfigError
from netprov.inventory.model import InstallMode, Inventory, Target
from netprov.journal.note import note_change
from netprov.state.failure import StateError
from netprov.state.state import State, open_state
from netprov.text import escape

_MODES = {
    InstallMode.ONCE: "will be installed at its first network boot",
    InstallMode.LOCAL: "boots its own disk",
    InstallMode.ALWAYS: "boots its kernel every time",
}


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
    inventory = load_inventory(config)
    targets = [_find(inventory, name) for name in names]
    with _state(inventory) as state:
        for target in targets:
            if isinstance(event, Arm) and target.install is InstallMode.ALWAYS:
                raise click.ClickException(f"{target.name} has install: always: it boots its kernel every time")
            now = time.time()
            try:
                change = state.installs.apply(
                    target.name, event, mode=target.install, attempts=target.install_attempts, now=now
                )
            except StateError as error:
                raise click.ClickException(str(error)) from None
            trouble = note_change(inventory.settings.server, target, change, now, f"netprov system {command}")
            click.echo(f"{target.name} {DESCRIBED[change[1].state]}")
            if trouble:
                click.echo(f"netprov: {trouble}", err=True)


@click.group()
def system() -> None:
    """Arm an install, boot locally, see where a system stands."""


@system.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@config_option
def install(names: tuple[str, ...], config: Path) -> None:
    """Install the machine at its next network boot."""
    _apply(config, names, Arm(), "install")


@system.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@config_option
def local(names: tuple[str, ...], config: Path) -> None:
    """Let the machine boot its own disk."""
    _apply(config, names, GoLocal(), "local")


@system.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@config_option
def installed(names: tuple[str, ...], config: Path) -> None:
    """Say that an install under way has ended well, where its own report was lost."""
    _apply(config, names, Done(), "installed")


@system.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--note", default="", help="Why.")
@config_option
def failed(names: tuple[str, ...], note: str, config: Path) -> None:
    """Say that an install under way has failed."""
    _apply(config, names, Fail(note=note), "failed")


@system.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@config_option
def status(names: tuple[str, ...], as_json: bool, config: Path) -> None:
    """Where systems stand: all, or those named."""
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
    if record is None or target.install is InstallMode.ALWAYS:
        return _MODES[target.install]
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.since))
    attempt = ""
    if record.state in (InstallState.BOOTING, InstallState.INSTALLING):
        attempt = f", attempt {record.attempts} of {target.install_attempts}"
    return f"{DESCRIBED[record.state]} (since {since}{attempt})" + (f": {escape(record.note)}" if record.note else "")
