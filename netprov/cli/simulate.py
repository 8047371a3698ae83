"""netprov simulate: a virtual machine on the real wire."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netprov.cli.options import config_option, load_inventory
from netprov.errors import PeerError
from netprov.mac import Mac
from netprov.simulate.machine import KINDS, Kind, Machine
from netprov.simulate.stage import Boot, Ending, Stage

if TYPE_CHECKING:
    from netprov.inventory.model import Inventory
    from netprov.simulate.run import Errand

_PREVIEW = "asked as a preview: netprov's servers answer the same, and neither count a boot nor begin or end an install"
_COUNTS = "this counts as a boot: an install that is armed is begun by it, and ended by its callback"


def _kind(_context: click.Context, _parameter: click.Parameter, given: str | None) -> Kind | None:
    return KINDS[given] if given is not None else None


@click.command()
@click.argument("machine", metavar="[NAME|MAC|UUID]", required=False)
@click.option("--via", metavar="IF", required=True, help="Where to plug it in: a bridge, or a network card.")
@click.option("--arch", "kind", type=click.Choice(list(KINDS)), callback=_kind,
              help="Its firmware. Default: bios, or uefi-arm64 for a system with an arm64 kernel.")  # fmt: skip
@click.option("--all", "every", is_flag=True, help="Every declared system; a table at the end.")
@click.option("--storm", type=click.IntRange(1, 500), metavar="N",
              help="N undeclared machines, with random MACs; rates and failures at the end.")  # fmt: skip
@click.option("--at-once", type=click.IntRange(1, 100), default=8, show_default=True,
              help="How many of --all or --storm boot side by side.")  # fmt: skip
@click.option("--callback/--no-callback", default=False,
              help="Let it count as a boot, and report the install's end as an installer does.")  # fmt: skip
@click.option("--timeout", type=click.FloatRange(0.5, 300), default=10.0, show_default=True,
              help="Seconds to wait for each answer.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@config_option
def simulate(
    machine: str | None,
    via: str,
    kind: Kind | None,
    every: bool,
    storm: int | None,
    at_once: int,
    callback: bool,
    timeout: float,
    as_json: bool,
    config: Path,
) -> None:
    """Boot a virtual machine over the real network, up to where its kernel would start.

    It asks for an address, its loader, the loader's script, the kernel, the initrds and the installer's answers, as
    such firmware does, with packets made by scapy and tftpy. It gets a network namespace with an interface of its own
    at IF (root), and nothing of it is left afterwards. At a network card it reaches everything on the wire but not
    this host itself: on the server, give a bridge.

    Exit status 1 at the first stage that would stop a real machine, with the verdict: the server's, which knows what to
    change, where its journal is on this host, else what the machine itself saw of it.

    It asks with the machine's own MAC: do it while the machine is off, or its connections suffer. The DHCP server gives
    it the machine's lease. An install is not disturbed: all is asked for as a preview, which netprov's servers know
    (DHCP option 250, TFTP option and HTTP header netprov-preview); they answer the same and count nothing. Other
    servers cannot be told. With --callback it is no preview: an armed install begins and ends as if it had been done,
    and three boots within a minute look like a boot loop. The server's timeline shows the simulated boot like any
    other.
    """
    if sum((machine is not None, every, storm is not None)) != 1:
        raise click.UsageError("name one machine, or give --all, or --storm N")
    if callback and (every or storm is not None):
        raise click.UsageError("--callback is for one machine: it changes the state of its install")
    inventory = load_inventory(config)
    try:
        from netprov.simulate.wire import is_bridge

        is_bridge(via)
    except PeerError as error:
        raise click.ClickException(error.text) from None
    if machine is not None:
        _one(_named(machine, inventory, kind), inventory, via, timeout, callback, as_json)
    else:
        machines = _cast(inventory, kind, storm)
        errands = _errands(machines, inventory, timeout, gives_back=storm is not None)
        _many(errands, inventory, via, at_once, as_json, totals=storm is not None)


def _named(text: str, inventory: Inventory, kind: Kind | None) -> Machine:
    from netprov.boot.who import UnknownName
    from netprov.simulate import cast

    try:
        return cast.named(text, inventory, kind)
    except UnknownName as error:
        raise click.ClickException(str(error)) from None


def _cast(inventory: Inventory, kind: Kind | None, storm: int | None) -> list[Machine]:
    from netprov.simulate import cast

    if storm is not None:
        return cast.strangers(storm, kind or KINDS["bios"])
    machines = cast.every(inventory, kind)
    if not machines:
        raise click.ClickException("no system is declared: name a machine by its MAC")
    return machines


def _errands(
    machines: list[Machine], inventory: Inventory, timeout: float, *, callback: bool = False, gives_back: bool = False
) -> list[Errand]:
    from netprov.simulate.cast import loaders_expected
    from netprov.simulate.run import Errand

    return [
        Errand(machine, timeout, callback=callback, expected=expected, gives_back=gives_back)
        for machine, expected in zip(machines, loaders_expected(machines, inventory), strict=True)
    ]


def _one(machine: Machine, inventory: Inventory, via: str, timeout: float, callback: bool, as_json: bool) -> None:
    from netprov.simulate import show
    from netprov.simulate.judged import judged
    from netprov.simulate.run import simulate as run

    (errand,) = _errands([machine], inventory, timeout, callback=callback)
    began = time.time()
    if not as_json:
        click.secho(f"{machine.label} ({machine.mac}) as {machine.kind.name} at {via}", bold=True)
        click.secho(_COUNTS if callback else _PREVIEW, dim=True)
    (boot,) = judged([run(errand, via, _silent if as_json else show.stage)], began, inventory)
    if as_json:
        click.echo(json.dumps(boot.row(), indent=1))
    else:
        show.ending(boot)
    _exit([boot])


def _silent(_stage: Stage) -> None:
    """--json prints all at the end."""


def _many(errands: list[Errand], inventory: Inventory, via: str, at_once: int, as_json: bool, totals: bool) -> None:
    from netprov.simulate import show
    from netprov.simulate.judged import judged

    began, clock = time.time(), time.monotonic()
    boots = _progress(errands, via, at_once)
    seconds = time.monotonic() - clock
    boots = judged(boots, began, inventory)
    if as_json:
        click.echo(json.dumps([boot.row() for boot in boots], indent=1))
    elif totals:
        show.totals(boots, seconds)
    else:
        order = [errand.machine.mac for errand in errands]
        show.table(sorted(boots, key=lambda boot: order.index(Mac(boot.mac))))
    _exit(boots)


def _progress(errands: list[Errand], via: str, at_once: int) -> list[Boot]:
    """Every boot, with a bar on the terminal (standard error) that moves when one is over."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from netprov.simulate.run import simulate_many

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    boots = []
    # without a thread of its own: machines are forked off while it runs
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True) as bar:
        task = bar.add_task("boots", total=len(errands))
        for boot in simulate_many(errands, via, at_once):
            boots.append(boot)
            bar.advance(task)
            bar.refresh()
    return boots


def _exit(boots: list[Boot]) -> None:
    if any(boot.ending is Ending.STOPPED for boot in boots):
        raise click.exceptions.Exit(1)
