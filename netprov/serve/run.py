"""From a configuration to a running server."""

from __future__ import annotations

import logging
import os
import pwd
import socket
from collections.abc import Callable
from pathlib import Path

from netprov.dhcp.bind import DhcpSockets
from netprov.dhcp.bind import bind as bind_dhcp
from netprov.errors import ConfigError, Problem
from netprov.inventory.generation import Reloader
from netprov.inventory.model import DhcpMode, Inventory, Settings
from netprov.journal.recorder import Recorder, channel
from netprov.recorder.tap import Tap
from netprov.serve.roles import roles
from netprov.serve.sockets import Passed, http_sockets, syslog_sockets, tftp_sockets
from netprov.serve.supervisor import DRAIN, Supervisor
from netprov.state.lock import lock_state
from netprov.state.place import Place
from netprov.state.state import open_state

log = logging.getLogger("netprov")


def serve(config: Path, ready: Callable[[Inventory], None]) -> None:
    """Serve what `config` declares until SIGTERM or SIGINT.

    `ready` is called once all workers serve. Raises ConfigError before anything serves: every problem of the
    configuration, a state that cannot be used, a socket that cannot be bound.
    """
    reloader = Reloader(config)
    inventory = reloader.reload()
    if inventory is None:
        raise ConfigError(*reloader.problems)
    settings = inventory.settings
    _check_user(settings.server.user)
    place = Place(settings.server.state)
    with lock_state(place.folder):
        open_state(settings.server.state).close()  # makes and migrates it, before there are several of us
        _give(place.folder, settings.server.user)
        dhcp, tftp, http, syslog = _bind(settings)
        recording, reading = channel()
        recorder = Recorder(recording)

        def inventory_now() -> Inventory:
            assert reloader.inventory is not None
            return reloader.inventory

        tapping, tapped = channel() if settings.server.capture else (None, None)
        tap = Tap(tapping) if tapping is not None else None
        every = roles(inventory_now, recorder, reading, tapped, tap, dhcp, tftp, http, syslog, DRAIN)
        last = ("journal", "capture")
        Supervisor(every, reloader, recorder.record, lambda: ready(inventory_now()), last=last).run()


Sockets = list[list[socket.socket]]


def _bind(settings: Settings) -> tuple[DhcpSockets, Sockets, Sockets, list[socket.socket]]:
    """All sockets, or all that keeps them from being bound."""
    problems: list[Problem] = []
    passed = Passed()
    dhcp, tftp, http = DhcpSockets(()), list[list[socket.socket]](), list[list[socket.socket]]()
    syslog: list[socket.socket] = []
    try:
        dhcp = bind_dhcp(settings)
    except ConfigError as error:
        problems += error.problems
    try:
        tftp = tftp_sockets(settings, passed) if settings.tftp.enabled else []
    except ConfigError as error:
        problems += error.problems
    try:
        http = http_sockets(settings, passed) if settings.http.enabled else []
    except ConfigError as error:
        problems += error.problems
    try:
        syslog = syslog_sockets(settings, passed) if settings.syslog.enabled else []
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(*problems)
    if settings.dhcp.mode is DhcpMode.OFF and not tftp and not http:
        raise ConfigError(Problem(None, "", "DHCP, TFTP and HTTP are all switched off: there is nothing to serve"))
    return dhcp, tftp, http, syslog


def _check_user(user: str) -> None:
    if not user:
        return
    try:
        pwd.getpwnam(user)
    except KeyError:
        text = f"there is no user {user}; `useradd --system --no-create-home {user}` makes it"
        raise ConfigError(Problem(None, "server.user", text)) from None


def _give(folder: Path, user: str) -> None:
    """Hand the state to whom the workers become."""
    if not user or os.geteuid() != 0:
        return
    owner = pwd.getpwnam(user)
    for path in (folder, *folder.iterdir()):
        os.chown(path, owner.pw_uid, owner.pw_gid)
