"""Every socket of the server, bound once by the supervisor, before any right is given up and any worker started."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator

from netprov.errors import ConfigError, Problem
from netprov.inventory.model import DhcpMode, Settings

_FIRST_PASSED = 3  # sd_listen_fds(3): systemd passes descriptors from 3 on
_BACKLOG = 1024


def bound_settings(settings: Settings) -> frozenset[tuple[str, str]]:
    """The settings that are bound at start, by name: a change in one of them needs a restart."""
    return frozenset(
        {
            ("server.interfaces", str(settings.server.interfaces)),
            ("server.state", settings.server.state),
            ("server.user", settings.server.user),
            ("server.capture off", str(settings.server.capture == 0)),
            ("dhcp.mode off", str(settings.dhcp.mode is DhcpMode.OFF)),
            ("dhcp.port", str(settings.dhcp.port)),
            ("dhcp.proxy_port", str(settings.dhcp.proxy_port)),
            ("tftp.enabled", str(settings.tftp.enabled)),
            ("tftp.port", str(settings.tftp.port)),
            ("tftp.workers", str(settings.tftp.workers)),
            ("http.enabled", str(settings.http.enabled)),
            ("http.port", str(settings.http.port)),
            ("http.workers", str(settings.http.workers)),
            ("syslog.enabled", str(settings.syslog.enabled)),
            ("syslog.port", str(settings.syslog.port)),
            ("server.webhooks, the first", str(bool(settings.server.webhooks))),
        }
    )


class Passed:
    """The sockets that systemd passed to this process (socket activation), each given away once."""

    def __init__(self) -> None:
        count = int(os.environ.get("LISTEN_FDS", "0")) if os.environ.get("LISTEN_PID") == str(os.getpid()) else 0
        self._sockets = [socket.socket(fileno=fd) for fd in range(_FIRST_PASSED, _FIRST_PASSED + count)]

    def take(self, kind: socket.SocketKind, port: int) -> list[socket.socket]:
        """Those of this type and local port."""
        found = [s for s in self._sockets if s.type == kind and s.getsockname()[1] == port]
        self._sockets = [s for s in self._sockets if s not in found]
        return found


def tftp_sockets(settings: Settings, passed: Passed) -> list[list[socket.socket]]:
    """For each TFTP worker its listening sockets. Raises ConfigError."""
    port = settings.tftp.port
    given = passed.take(socket.SOCK_DGRAM, port)
    if given:
        return [given]
    workers = settings.tftp.workers
    return [_bound(socket.SOCK_DGRAM, settings, port, "tftp.port", shared=workers > 1) for _ in range(workers)]


def http_sockets(settings: Settings, passed: Passed) -> list[list[socket.socket]]:
    """For each HTTP worker its listening sockets. Raises ConfigError."""
    port = settings.http.port
    given = passed.take(socket.SOCK_STREAM, port)
    if given:
        return [given]
    workers = settings.http.workers
    return [_bound(socket.SOCK_STREAM, settings, port, "http.port", shared=workers > 1) for _ in range(workers)]


def syslog_sockets(settings: Settings, passed: Passed) -> list[socket.socket]:
    """The sockets of the receiver of logs, datagrams and streams. Raises ConfigError."""
    port = settings.syslog.port
    kinds = (socket.SOCK_DGRAM, socket.SOCK_STREAM)
    given = [sock for kind in kinds for sock in passed.take(kind, port)]
    if given:
        return given
    found = []
    for kind in kinds:
        found += _bound(kind, settings, port, "syslog.port", shared=False)
    return found


def _bound(kind: socket.SocketKind, settings: Settings, port: int, field: str, *, shared: bool) -> list[socket.socket]:
    return [_bind(kind, family, port, interface, field, shared) for family, interface in _places(settings)]


def _places(settings: Settings) -> Iterator[tuple[socket.AddressFamily, str]]:
    """The family and the interface ("" for all) of each socket. Where interfaces are named, loopback goes with them:
    who is on the machine itself asks there.
    """
    named = settings.server.interfaces
    for interface in dict.fromkeys(("lo", *named)) if named else ("",):
        yield socket.AF_INET, interface
        if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"):
            yield socket.AF_INET6, interface


def _bind(
    kind: socket.SocketKind, family: socket.AddressFamily, port: int, interface: str, field: str, shared: bool
) -> socket.socket:
    sock = socket.socket(family, kind)
    try:
        if kind is socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if interface:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        sock.bind(("", port))
        if kind is socket.SOCK_STREAM:
            sock.listen(_BACKLOG)
    except OSError as problem:
        sock.close()
        raise refused(problem, field, port, interface, "u" if kind is socket.SOCK_DGRAM else "t") from None
    return sock


def refused(problem: OSError, field: str, port: int, interface: str, protocol: str) -> ConfigError:
    """What to do where a socket cannot be bound. `protocol`: "u" for UDP, "t" for TCP."""
    name = "UDP" if protocol == "u" else "TCP"
    match problem.errno:
        case errno.EADDRINUSE:
            text = f"{name} port {port} is in use: see who has it with `ss -{protocol}lnp sport = :{port}` and stop it"
        case errno.EACCES | errno.EPERM:
            text = f"{name} port {port} is only for root: run as root, or give the service CAP_NET_BIND_SERVICE"
        case errno.ENODEV:
            text = f"there is no interface {interface}: `ip link` lists them"
            field = "server.interfaces"
        case _:
            text = f"{name} port {port} cannot be bound: {problem.strerror}"
    return ConfigError(Problem(None, field, text))
