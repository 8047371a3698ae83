"""The packets of boots, as a file for Wireshark: netprov timeline --pcap."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import click

from netprov.inventory.model import Inventory
from netprov.journal.boots import Boot
from netprov.recorder import pcap
from netprov.recorder.export import frames_of
from netprov.recorder.frames import Frame
from netprov.recorder.reader import Reader
from netprov.state.place import Place


def write_packets(boots: Sequence[Boot], inventory: Inventory, to: str) -> None:
    """Write what is on record of `boots` to the file `to`, "-" for standard output, and say how much it is.

    Raises ConfigError where the record cannot be read, click.ClickException where there is nothing or the file cannot
    be written.
    """
    settings = inventory.settings.server
    place = Place(settings.state)
    with Reader(place.capture) as reader:
        frames = frames_of(boots, reader)
    if not frames:
        raise click.ClickException(_nothing(boots, settings.capture, place.capture))
    try:
        if to == "-":
            _write(sys.stdout.buffer, frames)
        else:
            with open(to, "wb") as file:
                _write(file, frames)
    except OSError as error:
        raise click.ClickException(f"{to} cannot be written: {error.strerror}") from None
    names = ", ".join(dict.fromkeys(boot.system or boot.machine for boot in boots))
    count = f"{len(boots)} boots" if len(boots) > 1 else "the boot"
    click.echo(f"{to}: {len(frames)} packets of {count} of {names}", err=to == "-")


def _write(file: BinaryIO, frames: Sequence[Frame]) -> None:
    pcap.write(file, frames)
    file.flush()


def _nothing(boots: Sequence[Boot], capture: int, path: Path) -> str:
    if not boots:
        return "no boot, no packets: this machine has not contacted this server yet"
    if not capture:
        return "no packets are kept: write server: {capture: 64M} in netprov.yaml, restart netprov and boot again"
    if not path.exists():
        return f"no packets are kept yet: there is no {path}; a server started with server.capture makes it"
    return "of this boot no packets are kept (any more): it was before server.capture, or newer ones took its place"
