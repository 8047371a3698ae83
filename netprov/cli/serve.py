"""netprov serve: the server."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path
from typing import Literal

import click

from netprov.boot.reason import Reason
from netprov.cli.options import InventoryErrors, config_option
from netprov.errors import ConfigError
from netprov.inventory.model import DhcpMode, Inventory


@click.command()
@config_option
@click.option("-v", "--verbose", is_flag=True, help="Say more: every event, too.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="`json`: one object per line, with every event, for log collectors.",
)
def serve(config: Path, verbose: bool, log_format: Literal["text", "json"]) -> None:
    """Serve DHCP, TFTP and HTTP until stopped (SIGTERM or ^C).

    Edits of the configuration and the inventory are picked up automatically, or on SIGHUP; an edit with errors is
    refused and the previous inventory goes on serving.
    """
    from netprov.serve.logs import configure
    from netprov.serve.run import serve as run

    configure(log_format, verbose)
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
    if settings.syslog.enabled:
        parts.append(f"syslog on port {settings.syslog.port}")
    where = f" on {', '.join(settings.server.interfaces)}" if settings.server.interfaces else ""
    counts = inventory.summary
    text = f"serves {', '.join(parts)}{where}; {counts}"
    logging.getLogger("netprov").info("%s", text, extra={"reason": Reason.SERVER_STARTED})
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
