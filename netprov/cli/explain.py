"""netprov explain: what a machine would get at every stage, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netprov.boot.arch import ARCHS, Arch, arch_by_name
from netprov.boot.identify import identify
from netprov.boot.request import BootRequest, Loader
from netprov.cli.options import config_option, load_inventory
from netprov.errors import ConfigError
from netprov.explain.server import our_address
from netprov.explain.who import UnknownName, who
from netprov.inventory.model import Inventory, Target
from netprov.state.failure import StateError

if TYPE_CHECKING:
    from netprov.explain.walk import Stage

_STARTS = {"none": Loader.FIRMWARE, "ipxe": Loader.IPXE, "pxelinux": Loader.PXELINUX, "grub": Loader.GRUB}


def _arch(_context: click.Context, _parameter: click.Parameter, given: str | None) -> Arch | None:
    if given is None:
        return None
    try:
        return arch_by_name(given)
    except KeyError:
        known = ", ".join(row.name for row in ARCHS.values())
        raise click.BadParameter(f"{given!r} is none of {known}") from None


@click.command()
@click.argument("machine", metavar="NAME|MAC|UUID|ADDRESS")
@click.option("--arch", callback=_arch, help="The firmware: bios, uefi-x64, http-x64 … Default: by the kernel.")
@click.option("--loader", type=click.Choice(sorted(_STARTS)), default="none", help="What runs on it already.")
@click.option("--relay", type=IPv4Address, help="The relay agent's address, for a machine of another subnet.")
@click.option("--server", type=IPv4Address, help="Our address that it asks. Default: server.address or our own.")
@click.option("--armed", is_flag=True, help="As if an install of it were armed.")
@click.option("--text", "show_text", is_flag=True, help="Show the rendered files too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@config_option
def explain(
    machine: str,
    arch: Arch | None,
    loader: str,
    relay: IPv4Address | None,
    server: IPv4Address | None,
    armed: bool,
    show_text: bool,
    as_json: bool,
    config: Path,
) -> None:
    """Say what a machine would get at every stage of its boot, and why, with the line that caused it.

    The same code decides that answers the machine. Nothing is changed by asking.
    """
    inventory = load_inventory(config)
    try:
        asking = who(machine, inventory)
    except UnknownName as error:
        raise click.ClickException(str(error)) from None
    target = _target(asking, inventory)
    asking = replace(asking, relay=relay, server=server or our_address(inventory, target))
    firmware = arch or _usual_arch(target)
    stages = _walk(inventory, asking, firmware, _STARTS[loader], armed)
    if as_json:
        rows = [_row(stage) for stage in stages]
        click.echo(json.dumps({"machine": machine, "arch": firmware.name, "stages": rows}, indent=1))
    else:
        from rich.console import Console

        from netprov.explain.show import explained

        base = str(config.resolve().parent)
        Console(highlight=False).print(explained(asking, target, firmware, stages, base, show_text))
    if any(stage.problem for stage in stages):
        raise click.exceptions.Exit(1)


def _walk(inventory: Inventory, asking: BootRequest, arch: Arch, start: Loader, armed: bool) -> list[Stage]:
    from netprov.explain.state import records
    from netprov.explain.walk import Walk
    from netprov.render.preview import Preview

    try:
        with records(inventory, armed) as kept:
            return list(Walk(Preview(inventory, kept, asking.server)).stages(asking, arch, start))
    except (ConfigError, StateError) as error:
        raise click.ClickException(str(error)) from None


def _target(asking: BootRequest, inventory: Inventory) -> Target | None:
    match = identify(asking, inventory)
    return match.target if match is not None else None


def _usual_arch(target: Target | None) -> Arch:
    """The firmware that a machine with this kernel most often has."""
    return arch_by_name("uefi-arm64" if target is not None and target.arch in ("arm64", "aarch64") else "bios")


def _row(stage: Stage) -> dict[str, object]:
    return {
        "stage": stage.name,
        "asks": stage.asks,
        "gets": stage.gets,
        "why": [
            {"reason": step.reason.label, "text": step.text, "origin": str(step.origin) if step.origin else None}
            for step in stage.trace
        ],
        "text": stage.text,
        "problem": stage.problem,
        "advice": stage.advice,
    }
