"""netprov render: a script, a kickstart or the kernel arguments as a machine would get them."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netprov.boot.request import BootRequest, Loader
from netprov.boot.who import UnknownName, of_system, who
from netprov.cli.options import config_option, load_inventory
from netprov.errors import ConfigError, PeerError
from netprov.explain.server import our_address
from netprov.inventory.model import Inventory, Target
from netprov.mac import Mac, parse_mac
from netprov.render.domu import SumOf, no_sum
from netprov.state.failure import StateError

if TYPE_CHECKING:
    from netprov.render.preview import Preview

_LOADERS = {"pxelinux": Loader.PXELINUX, "grub": Loader.GRUB, "ipxe": Loader.IPXE, "xen": Loader.XEN}


def _mac(_context: click.Context, _parameter: click.Parameter, given: str | None) -> Mac | None:
    try:
        return parse_mac(given) if given is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _address(_context: click.Context, _parameter: click.Parameter, given: str | None) -> IPv4Address | None:
    try:
        return IPv4Address(given) if given is not None else None
    except ValueError:
        raise click.BadParameter(f"{given!r} is not an IPv4 address") from None


@click.command()
@click.argument("kind", type=click.Choice(["autoinstall", *_LOADERS, "args"]))
@click.argument("name", metavar="NAME|MAC")
@click.option("--mac", callback=_mac, help="The interface that boots. Default: the system's first.")
@click.option("--server", callback=_address, help="Our address that it asks. Default: server.address or our own.")
@click.option("--armed", is_flag=True, help="As if an install of it were armed.")
@config_option
def render(kind: str, name: str, mac: Mac | None, server: IPv4Address | None, armed: bool, config: Path) -> None:
    """Print what the machine NAME would get now: a loader's script, what netprov-pxeboot is told for a domU (xen), its
    installer's answers (autoinstall), or the kernel command line of its install (args).

    NAME is a system or a profile, or for loaders' scripts also the MAC of a machine that is not declared. Nothing is
    changed by asking.
    """
    inventory = load_inventory(config)
    server = server or our_address(inventory, inventory.system(name))
    if server is None:
        raise click.ClickException("--server: say which of our addresses machines ask, or set server.address")
    from netprov.explain.state import records
    from netprov.render.generation import Generation
    from netprov.render.preview import Preview

    try:
        with records(inventory, armed) as kept:
            text = _rendered(Preview(Generation.of(inventory), kept, server, _sums(inventory, kind)), kind, name, mac)
    except (ConfigError, PeerError, StateError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(text, nl=False)


def _sums(inventory: Inventory, kind: str) -> SumOf:
    """A domU is told the checksums of its files; they take their time."""
    if kind != "xen":
        return no_sum
    from netprov.files.root import Root
    from netprov.files.sums import Sums

    return partial(Sums().of, Root(inventory.settings.tftp.root))


def _rendered(preview: Preview, kind: str, name: str, mac: Mac | None) -> str | bytes:
    if kind in _LOADERS:
        return _script(preview, _LOADERS[kind], name, mac)
    target = _target(preview.inventory, name)
    if kind == "args":
        return preview.arguments(target, mac) + "\n"
    return preview.answers(target, mac).body  # a plain file need not be UTF-8


def _script(preview: Preview, loader: Loader, name: str, mac: Mac | None) -> str:
    asking = _asking(preview.inventory, name)
    found = preview.script(loader, replace(asking, mac=mac or asking.mac))
    if found is None:
        raise click.ClickException(f"{name} gets no {loader} script; netprov explain {name} says why")
    return found.body.decode()


def _asking(inventory: Inventory, name: str) -> BootRequest:
    system = inventory.system(name)  # before who(), which takes a host name too
    if system is not None:
        return of_system(system)
    try:
        return who(name, inventory)
    except UnknownName as error:
        raise click.ClickException(str(error)) from None


def _target(inventory: Inventory, name: str) -> Target:
    known = inventory.system(name) or inventory.profile(name)
    if known is not None:
        return known
    with contextlib.suppress(ValueError):
        system = inventory.system_by_mac(parse_mac(name))
        if system is not None:
            return system
    near = inventory.nearest(name, profiles=True)
    raise click.ClickException(f"no system or profile {name!r} is declared{near}")
