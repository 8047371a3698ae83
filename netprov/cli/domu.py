"""netprov domu: Xen guests and their configurations."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from netprov.cli.domucreate import create
from netprov.cli.options import PLACES, config_option, load_inventory
from netprov.errors import ConfigError
from netprov.xen.domain import BOOTLOADER
from netprov.xen.xlconfig import convert as converting
from netprov.xen.xlconfig import lint as linting
from netprov.xen.xlconfig import make as making

_LARGEST = 1 << 20  # octets of a configuration
_HYPERVISOR = Path("/sys/hypervisor/version")


@click.group()
def domu() -> None:
    """Xen guests made and installed; their configurations written, checked, and brought from xm to xl."""


domu.add_command(create)


@domu.command("config")
@click.argument("name")
@click.option("--type", "guest_type", type=click.Choice(["pv", "pvh", "hvm"]), help="Default: the system's virt.type.")
@click.option("--bootloader", default=BOOTLOADER, show_default=True, help="The program that xl runs.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write. Default: standard output.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@config_option
def config_(name: str, guest_type: str | None, bootloader: str, output: Path | None, force: bool, config: Path) -> None:
    """Write the xl configuration of the system NAME, as the inventory has it."""
    inventory = load_inventory(config)
    system = inventory.system(name)
    if system is None:
        raise click.ClickException(f"no system {name!r} is declared{inventory.nearest(name)}")
    try:
        text = making.make(system, guest_type or "", bootloader)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    if making.needs_empty_disk(system, guest_type or ""):
        _empty_disk(make=output is not None)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with output.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.ClickException(f"{output} already exists; --force replaces it") from None
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from None
    click.echo(f"{output}: xl create -c {output}", err=True)


def _empty_disk(make: bool) -> None:
    """xl runs no bootloader for a guest without a disk: the file of no octets that stands for one."""
    empty = Path(converting.EMPTY_DISK)
    if empty.exists():
        return
    if make:
        try:
            empty.parent.mkdir(parents=True, exist_ok=True)
            empty.touch()
        except OSError as error:
            raise click.ClickException(f"{empty} cannot be made: {error.strerror}") from None
        return
    click.echo(f"netprov: the guest has no disk, and xl wants one to run a bootloader: touch {empty}", err=True)


@domu.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path, exists=True),
    envvar="NETPROV_CONFIG",
    help="The configuration. Default: netprov.yaml here or in /etc/netprov; dom0 need not have one.",
)
@click.option("--xen", metavar="VERSION", help="The Xen whose xl is to read it, like 4.17. Default: the one here.")
def lint(files: tuple[Path, ...], config: Path | None, xen: str | None) -> None:
    """Say what xl rejects or ignores in FILE, and the line to write instead.

    With a netprov.yaml, a MAC address that no declared system has is a problem too. The exit code is 1 if there is any.
    """
    place = config or next((place for place in PLACES if place.exists()), None)
    version = _version(xen)
    known = {mac for mac, _ in load_inventory(place).macs()} if place is not None else None
    found = [problem for file in files for problem in linting.lint(_read(file), str(file), known, version)]
    for problem in found:
        click.echo(str(problem))
    if found:
        sys.exit(1)


def _version(text: str | None) -> linting.Version | None:
    """What was named, else what the hypervisor beneath says; None where there is none."""
    if text is None:
        try:
            text = ".".join((_HYPERVISOR / name).read_text().strip() for name in ("major", "minor"))
        except OSError:
            return None
    found = re.match(r"(\d{1,3})\.(\d{1,3})(?!\d)", text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a version of Xen: write it like 4.17", param_hint="--xen")
    return int(found[1]), int(found[2])


@domu.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write. Default: standard output.")
def convert(file: Path, output: Path | None) -> None:
    """Turn FILE, an xm-era configuration, into one that xl accepts. What changed is reported on standard error."""
    try:
        converted = converting.convert(_read(file), str(file))
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    for note in converted.notes:
        click.echo(note, err=True)
    if output is None:
        click.echo(converted.text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as written:
            written.write(converted.text)
    except FileExistsError:
        raise click.ClickException(f"{output} already exists") from None
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from None


def _read(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            text = opened.read(_LARGEST + 1)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise click.ClickException(f"{file}: is not UTF-8 text") from None
    if len(text) > _LARGEST:
        raise click.ClickException(f"{file}: is not a configuration: it has more than {_LARGEST >> 20} MiB")
    return text
