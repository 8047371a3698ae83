"""netprov demo: a real boot in a private network."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from netprov.demo.plan import MOST_GUESTS, Plan
from netprov.errors import ConfigError
from netprov.lab.firmware import Firmware, missing

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.option("--uefi", is_flag=True, help="UEFI firmware: shim, GRUB, kernel. Default: BIOS, with PXELINUX.")
@click.option(
    "--guests",
    type=click.IntRange(1, MOST_GUESTS),
    default=1,
    show_default=True,
    help="How many machines boot at once.",
)
@click.option("--keep", is_flag=True, help="Keep the folder with the configuration, the journal and the consoles.")
def demo(uefi: bool, guests: int, keep: bool) -> None:
    """Boot a machine from the network, in a private network on this one, and show it stage by stage.

    A real boot: QEMU's firmware asks for an address, fetches its boot loader, kernel and kickstart, and reports back;
    netprov serves all of it. Nothing leaves this machine but the download of boot loaders and a kernel, the first time.

    Needs root, or a kernel that lets users have network namespaces. The exit status is 1 where a machine
    is not installed.
    """
    from rich.console import Console

    from netprov.bootimages.packages import default_cache
    from netprov.demo import report

    firmware = Firmware.UEFI if uefi else Firmware.BIOS
    _check(firmware)
    console, cache = Console(highlight=False), default_cache()
    root = cache / "boot-images"
    with _folder(keep) as folder:
        report.title(console)
        plan = _prepared(console, folder, root, cache, firmware, guests)
        status = _run(plan)
        if keep:
            report.kept(console, plan)
        elif status == 0:
            report.onwards(console)
    raise click.exceptions.Exit(status)


def _check(firmware: Firmware) -> None:
    """End the command where something has to be installed or allowed first."""
    from netprov.demo.namespace import missing_tools, refusal

    packages = [*missing(firmware), *missing_tools()]
    if packages:
        raise click.ClickException(f"the demo needs packages; as root: apt-get install {' '.join(packages)}")
    if text := refusal():
        raise click.ClickException(text)


def _prepared(console: Console, folder: Path, root: Path, cache: Path, firmware: Firmware, guests: int) -> Plan:
    from netprov.bootimages.packages import Archive
    from netprov.demo import accel, images, report

    archive = Archive(cache)
    try:
        if not images.in_place(root, firmware, archive):
            with report.progress(console, "boot images") as tell:
                archive.progress = tell
                images.fetch(root, firmware, archive, tell)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    report.done(console, "boot images", f"loaders and probe in {_short(root)}")
    with report.working(console, "does KVM work here?"):
        return Plan(folder, root, firmware, guests, accel.kvm(firmware, cache))


def _run(plan: Plan) -> int:
    """The plan in a network namespace of its own; its exit status, once everything in there has ended.

    ^C reaches both processes: the one in there ends what it started, this one waits for that.
    """
    from netprov.demo.namespace import command

    process = subprocess.Popen(command([sys.executable, "-m", "netprov.demo", plan.to_json()]))

    def stop(_number: int, _frame: FrameType | None) -> None:
        process.terminate()

    before = {
        number: signal.signal(number, handler)
        for number, handler in ((signal.SIGINT, signal.SIG_IGN), (signal.SIGTERM, stop), (signal.SIGHUP, stop))
    }
    try:
        return process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="netprov-demo-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _short(path: Path) -> str:
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)
