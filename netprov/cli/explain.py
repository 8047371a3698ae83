"""netprov explain: what a machine would get at every stage, and why."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netprov.boot.arch import ARCHS, Arch, arch_by_name
from netprov.boot.who import UnknownName
from netprov.cli.options import InventoryErrors, config_option, load_inventory
from netprov.errors import ConfigError
from netprov.explain.walked import STARTS, VIAS, Imagined, Unimaginable, Walked, walked
from netprov.inventory.load import load
from netprov.inventory.model import Inventory
from netprov.state.failure import StateError

if TYPE_CHECKING:
    from netprov.explain.compare import Comparison


def _arch(_context: click.Context, _parameter: click.Parameter, given: str | None) -> Arch | None:
    if given is None:
        return None
    try:
        return arch_by_name(given)
    except KeyError:
        known = ", ".join(row.name for row in ARCHS.values())
        raise click.BadParameter(f"{given!r} is not one of {known}") from None


class _Trouble(click.ClickException):
    """What a comparison could not be made for: neither alike (0) nor different (1)."""

    exit_code = 2


class _NoInventory(InventoryErrors):
    """The same, of a configuration that cannot be used."""

    exit_code = _Trouble.exit_code


@click.command()
@click.argument("machine", metavar="[NAME|MAC|UUID|ADDRESS]", default="")
@click.option("--arch", callback=_arch, help="The firmware: bios, uefi-x64, http-x64 … Default: by the kernel.")
@click.option("--loader", type=click.Choice(list(STARTS)), default="none", help="What runs on it already.")
@click.option("--via", type=click.Choice(VIAS), help="What its loader, or else its firmware, fetches over.")
@click.option("--relay", type=IPv4Address, help="The relay agent's address, for a machine of another subnet.")
@click.option("--server", type=IPv4Address, help="Our address that it asks. Default: server.address or our own.")
@click.option("--armed", is_flag=True, help="As if an install of it were armed.")
@click.option("--what-if", "changes", multiple=True, metavar="[OBJECT.]FIELD=VALUE", help="Show what a change changes.")
@click.option("--diff", nargs=2, metavar="A B", help="Compare two machines. Exit code 0: they boot alike.")
@click.option("--pcap", type=click.Path(path_type=Path), help="Answer the DHCP packets in a capture, on paper.")
@click.option("--text", "show_text", is_flag=True, help="Show the rendered files too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@config_option
def explain(
    machine: str,
    arch: Arch | None,
    loader: str,
    via: str | None,
    relay: IPv4Address | None,
    server: IPv4Address | None,
    armed: bool,
    changes: tuple[str, ...],
    diff: tuple[str, str] | None,
    pcap: Path | None,
    show_text: bool,
    as_json: bool,
    config: Path,
) -> None:
    """Say what a machine would get at every stage of its boot, and why, with the line that caused it.

    The code that answers here is the code that answers the machine. Asking changes nothing. Exit code 1: the boot
    stops where nobody wants it to.

    --what-if tries a change of the configuration, and may be given several times: profile=db is a field of the machine
    asked about; web.autoinstall=new.ks, systems.lady.virt.ram=2G, dhcp.mode=full, subnets.10.0.0.0/24.router=10.0.0.1
    are others. An empty value removes the field. What the boot would get another way is shown, now and then.

    --diff shows where the boots of two machines part. What names a machine (its name, MAC, address) does not count.
    Exit code 0: they boot alike; 1: they do not; 2: they cannot be compared.

    --pcap reads a capture (pcap or pcapng) of what machines sent, of all of them or of the machine named, and says for
    each packet what this server would have answered, and why.
    """
    imagined = Imagined(arch, loader, via or "", relay, server)
    base = str(config.resolve().parent)
    if diff is not None:
        if machine or changes or pcap:
            raise click.UsageError("--diff takes exactly two machines, and neither --what-if nor --pcap")
        _compare(diff, _configured(config), imagined, armed, as_json, base)
    elif pcap is not None:
        inventory = _changed(config, changes, machine)[1] if changes else load_inventory(config)
        _capture(pcap, machine, inventory, imagined, armed, as_json, base)
    elif not machine:
        raise click.UsageError("name a machine: a system's name, a MAC, a UUID or an address")
    elif changes:
        _what_if(machine, changes, config, imagined, armed, as_json, base)
    else:
        found = _walked(machine, load_inventory(config), imagined, armed)
        _show(machine, found, show_text, as_json, base)


def _show(machine: str, found: Walked, show_text: bool, as_json: bool, base: str) -> None:
    if as_json:
        from netprov.explain.rows import stage_row

        rows = [stage_row(stage) for stage in found.stages]
        click.echo(json.dumps({"machine": machine, "arch": found.arch.name, "stages": rows}, indent=1))
    else:
        from rich.console import Console

        from netprov.explain.show import explained

        Console(highlight=False).print(explained(found, base, show_text))
    if found.stops:
        raise click.exceptions.Exit(1)


def _walked(machine: str, inventory: Inventory, imagined: Imagined, armed: bool) -> Walked:
    from netprov.explain.state import kept
    from netprov.render.generation import Generation

    try:
        with kept(inventory, armed) as known:
            return walked(machine, Generation.of(inventory), known, _with_sums(imagined, inventory))
    except Unimaginable as error:
        raise click.UsageError(str(error)) from None
    except (ConfigError, StateError, UnknownName) as error:
        raise click.ClickException(str(error)) from None


def _with_sums(imagined: Imagined, inventory: Inventory) -> Imagined:
    """A domU is told the checksums of its files; they take their time."""
    if "xen" not in (imagined.loader, imagined.via):
        return imagined
    from netprov.files.root import Root
    from netprov.files.sums import Sums

    return replace(imagined, sum_of=partial(Sums().of, Root(inventory.settings.tftp.root)))


def _what_if(
    machine: str, changes: Sequence[str], config: Path, imagined: Imagined, armed: bool, as_json: bool, base: str
) -> None:
    """The boot with the changes made, where it is not the one of now."""
    from netprov.explain.compare import changed

    inventory, other = _changed(config, changes, machine)
    now, then = _walked(machine, inventory, imagined, armed), _walked(machine, other, imagined, armed)
    _show_comparison(changed(now, then), as_json, base, "nothing in its boot changes")
    if then.stops:
        stage = next(stage for stage in then.stages if stage.problem)
        if not as_json:
            click.echo(f"✗ then it stops at: {stage.name}: {stage.problem}")
        raise click.exceptions.Exit(1)


def _changed(config: Path, changes: Sequence[str], machine: str) -> tuple[Inventory, Inventory]:
    """The inventory of now, and the one with the changes made."""
    from netprov.boot.who import system_of
    from netprov.explain.change import Changes, Documents, change

    try:
        documents = Documents()
        now = load(config, edit=documents)
        about = system_of(machine, now) if machine else ""
        made = Changes([change(text, documents.names, about) for text in changes], os.path.abspath(config))
        then = load(config, edit=made)
        made.check()
    except ConfigError as error:
        raise InventoryErrors(error) from None
    except UnknownName as error:
        raise click.ClickException(str(error)) from None
    return now, then


def _compare(
    names: tuple[str, str], inventory: Inventory, imagined: Imagined, armed: bool, as_json: bool, base: str
) -> None:
    from netprov.explain.compare import machines

    try:
        first, second = (_walked(name, inventory, imagined, armed) for name in names)
    except click.UsageError:
        raise
    except click.ClickException as error:
        raise _Trouble(error.message) from None
    if first.asking.mac == second.asking.mac or (first.target is not None and first.target is second.target):
        raise click.UsageError(f"--diff: {names[0]} and {names[1]} are one machine; --what-if compares it with another")
    found = machines(names, first, second)
    _show_comparison(found, as_json, base, f"{names[0]} and {names[1]} boot alike")
    if found.differences:
        raise click.exceptions.Exit(1)


def _configured(config: Path) -> Inventory:
    """The inventory; without one nothing can be compared."""
    try:
        return load(config)
    except ConfigError as error:
        raise _NoInventory(error) from None


def _show_comparison(found: Comparison, as_json: bool, base: str, nothing: str) -> None:
    from netprov.explain.compared import compared, comparison_row
    from netprov.explain.rows import absolute

    if as_json:
        click.echo(json.dumps(comparison_row(found, absolute), indent=1))
        return
    from rich.console import Console

    Console(highlight=False).print(compared(found, base, nothing))


def _capture(
    file: Path, machine: str, inventory: Inventory, imagined: Imagined, armed: bool, as_json: bool, base: str
) -> None:
    from netprov.explain.answers import captured, captured_row
    from netprov.explain.capture import CaptureError
    from netprov.explain.captured import answered
    from netprov.explain.state import kept

    try:
        with kept(inventory, armed) as known:
            found = answered(file, machine, inventory, known, imagined)
    except (CaptureError, ConfigError, StateError, UnknownName) as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(captured_row(found), indent=1))
        return
    from rich.console import Console

    Console(highlight=False).print(captured(found, base))
