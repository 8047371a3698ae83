"""netprov domu create: the disks, the configuration, the install, and local boot from then on."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from netprov.cli.options import PLACES, NoConfiguration, load_inventory
from netprov.errors import ConfigError, PeerError
from netprov.inventory.values import parse_device, parse_line, parse_mebibytes, parse_name, parse_octets
from netprov.mac import parse_mac
from netprov.state.failure import StateError
from netprov.xen.create.host import Host, Stopped
from netprov.xen.create.order import Order
from netprov.xen.create.plan import Plan, local_plan, remote_plan
from netprov.xen.create.remote import RemoteSite
from netprov.xen.create.step import carry_out, check
from netprov.xen.domain import BOOTLOADER

_MIB = 1 << 20
_SMALLEST = 1 << 20  # octets of a disk


def _parsed(parse: Callable[[str], object]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback of click's from one of the inventory's own parsers, for one value or for each of several."""

    def one(text: str) -> object:
        try:
            return parse(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    def callback(_context: click.Context, _parameter: click.Parameter, given: Any) -> Any:
        return tuple(map(one, given)) if isinstance(given, tuple) else given if given is None else one(given)

    return callback


def _disk_size(text: str) -> int:
    """Whole MiB: half a sector is no use to anybody."""
    octets = parse_octets(text)
    if octets < _SMALLEST:
        raise ValueError(f"{text!r} is less than 1M")
    return -(-octets // _MIB) * _MIB


def _disk_path(text: str) -> str:
    if not parse_line(text).strip() or text in ("phy:", "file:"):
        raise ValueError("is empty")
    return text


@click.command()
@click.argument("source", metavar="NAME")
@click.option("--name", callback=_parsed(parse_name), help="The domU's name. Required if NAME is a profile.")
@click.option("--type", "kind", type=click.Choice(["pv", "pvh", "hvm"]), help="Default: virt.type.")
@click.option("--ram", callback=_parsed(parse_mebibytes), help="Memory: MiB, or like 2G. Default: virt.ram.")
@click.option("--cpus", type=click.IntRange(1, 4096), help="Processors. Default: virt.cpus.")
@click.option(
    "--size",
    "sizes",
    multiple=True,
    callback=_parsed(_disk_size),
    help="A disk's size, like 8G; repeat for another disk. Default: virt.disks.",
)
@click.option(
    "--disk",
    "disks",
    multiple=True,
    callback=_parsed(_disk_path),
    help="Where the disk of the --size at the same position is: a file, or phy:/dev/GROUP/VOLUME.",
)
@click.option("--full", is_flag=True, help="Allocate the disks' files in full. Otherwise they are sparse.")
@click.option("--take-disks", is_flag=True, help="Use existing disks; the install overwrites them.")
@click.option("--bridge", callback=_parsed(parse_device), help="Default: virt.bridge, else Xen's own, xenbr0.")
@click.option("--mac", callback=_parsed(parse_mac), help="For a new system. Default: a random one of 00:16:3e.")
@click.option("--nogfx", is_flag=True, help="No VNC screen, which an HVM guest otherwise has.")
@click.option("--libvirt", is_flag=True, help="Define and start it with virsh, not xl.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The configuration to write. Default: /etc/xen/NAME.cfg, or .xml for libvirt.",
)
@click.option("--bootloader", default="", help="The program that Xen runs. Default: this netprov's.")
@click.option("--server", metavar="URL", help="The netprov that has the inventory, where it is not this host's.")
@click.option(
    "--token",
    envvar="NETPROV_TOKEN",
    default="",
    help="For --server: a token with the scopes read and operate, and edit where NAME is a profile. "
    "Default: the variable NETPROV_TOKEN.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=120.0,
    show_default=True,
    help="Minutes that the install may take.",
)
@click.option("--no-wait", is_flag=True, help="Return once it has started; netprov lets it boot its disk by itself.")
@click.option("--keep", is_flag=True, help="If something fails, keep what was made, to look at it.")
@click.option("--dry-run", is_flag=True, help="Print every file and command; make nothing.")
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    envvar="NETPROV_CONFIG",
    help="The configuration. Default: netprov.yaml here, then /etc/netprov/netprov.yaml; not with --server.",
)
def create(
    source: str, dry_run: bool, keep: bool, server: str | None, token: str, config: Path | None, **given: Any
) -> None:
    """Make a domU of the system or profile NAME, and install it.

    Makes the disks and the configuration, arms the install, starts the domU, follows it until it is installed, and
    changes the configuration to boot the disk. What already exists is never overwritten. Where something fails, or
    on ^C, everything that was made is undone.
    """
    order = _order(source, given)
    host = Host()
    try:
        plan = _plan(order, config, server, token)
        if dry_run:
            for line in plan.shown():
                click.echo(line)
        check(plan.made, host)
        check(plan.after, host)
        if not dry_run:
            with host.heeding_signals():
                carry_out(plan.made, host, _say, keep)
                carry_out(plan.after, host, _say, keep=True)
    except Stopped as stopped:
        raise click.ClickException(str(stopped)) from None
    except (ConfigError, PeerError, StateError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'netprov'}: {error.strerror or error}") from None


def _order(source: str, given: dict[str, Any]) -> Order:
    return Order(
        source,
        name=given["name"] or "",
        kind=given["kind"] or "",
        ram=given["ram"],
        cpus=given["cpus"],
        sizes=given["sizes"],
        disks=given["disks"],
        bridge=given["bridge"] or "",
        mac=given["mac"],
        graphics=not given["nogfx"],
        full=given["full"],
        take_disks=given["take_disks"],
        libvirt=given["libvirt"],
        output=given["output"],
        program=given["bootloader"] or _our_bootloader(),
        wait=not given["no_wait"],
        timeout=given["timeout"] * 60,
    )


def _plan(order: Order, config: Path | None, server: str | None, token: str) -> Plan:
    if server is not None:
        return remote_plan(order, RemoteSite(server, token))
    place = config or next((place for place in PLACES if place.exists()), PLACES[0])
    if not place.exists():
        raise NoConfiguration(f"{place}: no such file: name another with -c, or a netprov elsewhere with --server")
    return local_plan(order, place, load_inventory(place))


def _our_bootloader() -> str:
    """Its whole path: Xen's daemons have a $PATH of their own, and a virtual environment is in nobody's."""
    beside = Path(sys.executable).with_name(BOOTLOADER)
    return str(beside) if beside.exists() else shutil.which(BOOTLOADER) or BOOTLOADER


def _say(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone, and there is something to undo
        click.echo(text, err=True)
