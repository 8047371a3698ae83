"""netprov serve: the server."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path

import click

from netprov.cli.options import InventoryErrors, config_option
from netprov.errors import ConfigError
from netprov.inventory.model import DhcpMode, Inventory


@click.command()
@config_option
@click.option("-v", "--verbose", is_flag=True, help="Say more on the console.")
def serve(config: Path, verbose: bool) -> None:
    """Serve DHCP, TFTP and HTTP until stopped (SIGTERM or ^C).

    Edits of the configuration and the inventory are taken over by themselves, or by SIGHUP; an edit with errors is
    refused and the inventory before goes on serving.
    """
    from netprov.serve.run import serve as run

    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, format="netprov: %(message)s")
    for noisy in ("aiohttp", "asyncio", "werkzeug"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        run(config, _announce)
    except ConfigError as error:
        raise InventoryErrors(error) from None


def _announce(inventory: Inventory) -> None:
    settings = inventory.settings
    parts = []
    if settings.dhcp.mode is not DhcpMode.OFF:
        parts.append(f"DHCP ({settings.dhcp.mode})")
    if settings.tftp.enabled:
        parts.append(f"TFTP from {settings.tftp.root}")
    if settings.http.enabled:
        parts.append(f"HTTP on port {settings.http.port}")
    where = f" on {', '.join(settings.server.interfaces)}" if settings.server.interfaces else ""
    logging.getLogger("netprov").info(
        "serves %s%s; %d systems, %d profiles", ", ".join(parts), where, len(inventory.systems), len(inventory.profiles)
    )
    _tell_systemd()


def _tell_systemd() -> None:
    """sd_notify(3): READY=1."""
    where = os.environ.get("NOTIFY_SOCKET", "")
    if not where:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        try:
            sock.sendto(b"READY=1", "\0" + where[1:] if where.startswith("@") else where)
        except OSError as problem:
            logging.getLogger("netprov").warning("systemd could not be told that we are ready: %s", problem)
