"""Who has our ports: every socket of the host by port, and the process that holds it, as `ss -lnp` shows them."""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from netprov.check.subject import EVERY, Finding, Severity, Subject
from netprov.dhcp.bind import bind as bind_dhcp
from netprov.errors import ConfigError
from netprov.inventory.model import DhcpMode, Settings
from netprov.serve.sockets import Passed, http_sockets, syslog_sockets, tftp_sockets

_TABLES = {"udp": ("udp", "udp6"), "tcp": ("tcp", "tcp6")}
_LISTEN = "0A"  # TCP's state, tcp_states.h
_STUCK = 0.5  # seconds between two looks at what waits to be read


@dataclass(frozen=True, slots=True)
class Held:
    """One socket bound to a port. `waiting`: octets that came and were not read."""

    protocol: str
    port: int
    address: IPv4Address | IPv6Address
    inode: str
    waiting: int


def ports(subject: Subject) -> Iterator[Finding]:
    """Of a server that runs: its sockets are there and read, and nobody else's. Else: whether it could have them."""
    settings = subject.declared.settings
    wanted = _wanted(settings)
    held = [one for one in sockets() if (one.protocol, one.port) in wanted]
    holders = _holders({one.inode for one in held}) if held else {}
    tree = _tree(subject.server) if subject.server else frozenset()
    if subject.server:
        yield from _missing(wanted, held, holders, tree)
        yield from _stuck(held, holders, tree)
    elif taken := list(_taken(settings, held, holders)):
        yield from taken
        return
    yield from _shared(subject, held, holders, tree)


def _wanted(settings: Settings) -> Mapping[tuple[str, int], str]:
    """Protocol and port → the setting that names it."""
    found: dict[tuple[str, int], str] = {}
    if settings.dhcp.mode is not DhcpMode.OFF:
        found["udp", settings.dhcp.port] = "dhcp.port"
        found["udp", settings.dhcp.proxy_port] = "dhcp.proxy_port"
    if settings.tftp.enabled:
        found["udp", settings.tftp.port] = "tftp.port"
    if settings.http.enabled:
        found["tcp", settings.http.port] = "http.port"
    if settings.syslog.enabled:
        found["udp", settings.syslog.port] = found["tcp", settings.syslog.port] = "syslog.port"
    return found


def sockets() -> list[Held]:
    """Every UDP socket, and every TCP socket that listens, of this network namespace."""
    found = []
    for protocol, tables in _TABLES.items():
        for table in tables:
            try:
                lines = Path(f"/proc/net/{table}").read_text("ascii").splitlines()[1:]
            except OSError:  # no IPv6 here
                continue
            rows = (line.split() for line in lines)
            found += [_held(protocol, row) for row in rows if protocol == "udp" or row[3] == _LISTEN]
    return found


def _held(protocol: str, row: list[str]) -> Held:
    """A row of /proc/net/udp: "1: 00000000:0043 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 1234 …"."""
    address, _, port = row[1].partition(":")
    return Held(protocol, int(port, 16), _address(address), row[9], int(row[4].partition(":")[2], 16))


def _address(text: str) -> IPv4Address | IPv6Address:
    """Words of 32 bits, each in the host's order."""
    words = (int(text[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(text), 8))
    return ip_address(b"".join(words))


def _holders(inodes: Collection[str]) -> dict[str, set[int]]:
    """The processes that have each socket open, as far as this user may see."""
    links = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[str, set[int]] = {}
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            for entry in os.scandir(folder):
                inode = links.get(os.readlink(entry.path))
                if inode is not None:
                    found.setdefault(inode, set()).add(int(folder.parent.name))
        except OSError:  # it ended, or is another user's
            continue
    return found


def _tree(server: int) -> frozenset[int]:
    """The server and its workers."""
    try:
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    except OSError:
        children = []
    return frozenset((server, *map(int, children)))


def named(pids: Iterable[int]) -> str:
    """The processes for a message: "dnsmasq (process 812)"."""
    said = []
    for pid in sorted(pids):
        try:
            name = Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
        except OSError:
            continue
        said.append(f"{name} (process {pid})")
    return ", ".join(said[:3]) or "a process that this user may not see"


def _spelled(protocol: str, port: int) -> str:
    return f"{protocol.upper()} port {port}"


def _command(one: tuple[str, int]) -> str:
    return f"ss -{'u' if one[0] == 'udp' else 't'}lnp sport = :{one[1]}"


def _missing(
    wanted: Mapping[tuple[str, int], str], held: list[Held], holders: Mapping[str, set[int]], tree: frozenset[int]
) -> Iterator[Finding]:
    if not holders:
        return  # nobody's may be seen: only root, or the server's user
    for key, field in wanted.items():
        if not any((one.protocol, one.port) == key and holders.get(one.inode, set()) & tree for one in held):
            text = f"the server does not listen on {_spelled(*key)} ({field})"
            advice = "a change takes effect only after a restart of the server"
            yield Finding("port-missing", Severity.ERROR, text, advice, EVERY, _command(key))


def _stuck(held: list[Held], holders: Mapping[str, set[int]], tree: frozenset[int]) -> Iterator[Finding]:
    """A socket of ours that nobody reads: its worker hangs."""
    before = {one.inode: one for one in held if one.waiting and holders.get(one.inode, set()) & tree}
    if not before:
        return
    time.sleep(_STUCK)
    for one in sockets():
        first = before.get(one.inode)
        if first is not None and one.protocol == "udp" and one.waiting >= first.waiting:
            text = f"{one.waiting} octets wait at {_spelled('udp', one.port)} and are not read: its worker hangs"
            advice = "see the server's log, then end that worker: the server starts another"
            yield Finding("port-unread", Severity.ERROR, text, advice, EVERY, _command(("udp", one.port)))


_SPELLED = re.compile(r"\b(UDP|TCP) port (\d+)")


def _taken(settings: Settings, held: list[Held], holders: Mapping[str, set[int]]) -> Iterator[Finding]:
    """Whether the server could start: by its own way of binding, undone at once."""
    for bound in (_try_dhcp, _try_tftp, _try_http, _try_syslog):
        try:
            bound(settings)
        except ConfigError as error:
            for problem in error.problems:
                spelled = _SPELLED.search(problem.text)
                if spelled is not None and " in use" in problem.text:
                    yield _in_use((spelled[1].lower(), int(spelled[2])), held, holders)


def _in_use(key: tuple[str, int], held: list[Held], holders: Mapping[str, set[int]]) -> Finding:
    whose = {pid for one in held if (one.protocol, one.port) == key for pid in holders.get(one.inode, ())}
    text = f"{_spelled(*key)} is held by {named(whose)}: netprov serve cannot start"
    advice = "stop that one, or name interfaces that it does not use under server.interfaces"
    return Finding("port-taken", Severity.ERROR, text, advice, EVERY, _command(key))


def _try_dhcp(settings: Settings) -> None:
    bind_dhcp(settings).close()


def _try_tftp(settings: Settings) -> None:
    if settings.tftp.enabled:
        _close(tftp_sockets(settings, Passed()))


def _try_http(settings: Settings) -> None:
    if settings.http.enabled:
        _close(http_sockets(settings, Passed()))


def _try_syslog(settings: Settings) -> None:
    if settings.syslog.enabled:
        _close([syslog_sockets(settings, Passed())])


def _close(bound: list[list[socket.socket]]) -> None:
    for some in bound:
        for sock in some:
            sock.close()


def _shared(
    subject: Subject, held: list[Held], holders: Mapping[str, set[int]], tree: frozenset[int]
) -> Iterator[Finding]:
    """Two servers on one port, which UDP allows where both ask for it: each gets some of the packets."""
    ours = {address.ip for link in subject.served for address in link.addresses}
    for one in held:
        whose = holders.get(one.inode, set())
        if one.protocol != "udp" or not whose or whose & tree or 1 in whose:  # systemd holds what it passes on
            continue
        # a socket on all addresses may be bound to an interface that is not ours: /proc does not say
        everywhere = one.address.is_unspecified and not subject.declared.settings.server.interfaces
        if everywhere or one.address in ours:
            text = f"{_spelled('udp', one.port)} is also held by {named(whose)}: each gets some of the packets"
            advice = "stop one of the two, or give each its interfaces (server.interfaces)"
            yield Finding("port-shared", Severity.WARNING, text, advice, EVERY, _command(("udp", one.port)))
