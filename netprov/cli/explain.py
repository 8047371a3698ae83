"""netprov explain: what a machine would get at every stage, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netprov.boot.arch import ARCHS, Arch, arch_by_name
from netprov.boot.request import BootRequest, Loader
from netprov.cli.options import config_option, load_inventory
from netprov.explain.who import UnknownName, who
from netprov.inventory.model import Inventory

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
@click.option("--server", type=IPv4Address, help="Our address that it asks. Default: server.address.")
@click.option("--text", "show_text", is_flag=True, help="Show the rendered files too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@config_option
def explain(
    machine: str,
    arch: Arch | None,
    loader: str,
    relay: IPv4Address | None,
    server: IPv4Address | None,
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
    server = server or inventory.settings.server.address or _subnets_router(inventory)
    asking = replace(asking, relay=relay, server=server)
    firmware = arch or _usual_arch(asking, inventory)
    stages = _walk(inventory, asking, firmware, _STARTS[loader])
    if as_json:
        rows = [_row(stage) for stage in stages]
        click.echo(json.dumps({"machine": machine, "arch": firmware.name, "stages": rows}, indent=1))
    else:
        _show(machine, asking, firmware, stages, show_text)
    if any(stage.problem for stage in stages):
        raise click.exceptions.Exit(1)


def _walk(inventory: Inventory, asking: BootRequest, arch: Arch, start: Loader) -> list[Stage]:
    from netprov.explain.state import Previewed
    from netprov.explain.walk import Walk
    from netprov.render.scripts import Scripts
    from netprov.state.state import open_state

    with open_state(inventory.settings.server.state) as state:
        scripts = Scripts(lambda: inventory, state)
        return list(Walk(inventory, Previewed(state), scripts).stages(asking, arch, start))


def _usual_arch(asking: BootRequest, inventory: Inventory) -> Arch:
    """The firmware that a machine with this kernel most often has."""
    name = inventory.by_mac.get(asking.mac) if asking.mac is not None else inventory.by_uuid.get(asking.uuid)
    cpu = inventory.systems[name].arch if name is not None else "x86_64"
    return arch_by_name("uefi-arm64" if cpu in ("arm64", "aarch64") else "bios")


def _subnets_router(inventory: Inventory) -> IPv4Address | None:
    """An address inside the first subnet, to decide by where no other is told."""
    subnet = next(iter(inventory.subnets), None)
    return subnet.subnet[1] if subnet is not None and subnet.subnet.prefixlen < 31 else None


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
    }


def _show(machine: str, asking: BootRequest, arch: Arch, stages: list[Stage], show_text: bool) -> None:
    known = [part for part in (asking.mac or "", asking.uuid, str(asking.ip or "")) if part and part != machine]
    click.echo(", ".join([machine, *known, arch.name]))
    for number, stage in enumerate(stages, 1):
        click.echo(f"{number:2} {click.style(stage.name, bold=True):11} {stage.asks} → {stage.gets}")
        for step in stage.trace:
            origin = click.style(f"  {step.origin}", dim=True) if step.origin else ""
            click.echo(f"      {step.text}{origin}")
        if stage.problem:
            click.secho(f"      {stage.problem}", fg="red")
        if show_text and stage.text:
            click.echo("".join(f"      | {line}\n" for line in stage.text.splitlines()), nl=False)
