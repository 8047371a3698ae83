"""Being the domU on its bridge, from dom0: a network namespace that nobody else sees, with the domU's MAC address.

The namespace has no name and no mount: it lives as long as this process, and with it the interface, its other end on
the bridge, and the address. So nothing stays behind, also after kill -9.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from netprov.errors import ConfigError, Problem
from netprov.mac import Mac
from netprov.xen.bootloader.messages import Message

_CLONE_NEWNET = 0x40000000
_INSIDE = "eth0"
_SYS = Path("/sys/class/net")


@contextmanager
def as_domu(mac: Mac, bridge: str) -> Iterator[str]:
    """Within, this process is in a namespace of its own, whose one interface (the name is given) has `mac` and is a
    port of `bridge`. Raises ConfigError where there is no such bridge, or no right to do it."""
    if not (_SYS / bridge).exists():
        known = ", ".join(sorted(path.parent.name for path in _SYS.glob("*/bridge"))) or "none"
        raise _wrong(Message.NO_BRIDGE.said(bridge=bridge, bridges=known))
    libc = ctypes.CDLL(None, use_errno=True)
    outside = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    inside = -1
    try:
        if libc.unshare(_CLONE_NEWNET):
            reason = os.strerror(ctypes.get_errno())
            raise _wrong(Message.NO_NAMESPACE.said(why=reason))
        inside = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        port = f"npb{secrets.token_hex(4)}"
        try:
            _enter(libc, outside)
            _plug(mac, bridge, port, f"/proc/{os.getpid()}/fd/{inside}")
            _enter(libc, inside)
            _quiet(_INSIDE)
            _ip("link", "set", "lo", "up")
            _ip("link", "set", _INSIDE, "up")
            yield _INSIDE
        finally:
            _enter(libc, outside)
            with suppress(ConfigError):  # gone with the namespace anyway, but at once
                _ip("link", "delete", port)
    finally:
        for descriptor in (inside, outside):
            if descriptor >= 0:
                os.close(descriptor)


def take_address(interface: str, address: IPv4Interface, router: IPv4Address | None) -> None:
    """The leased address on the interface within, and the route. Raises ConfigError."""
    _ip("address", "add", str(address), "dev", interface)
    if router is not None:
        with suppress(ConfigError):  # a router outside of the subnet: what is in it can be reached all the same
            _ip("route", "add", "default", "via", str(router))


def _plug(mac: Mac, bridge: str, port: str, namespace: str) -> None:
    if not (_SYS / bridge / "bridge").exists():  # an interface that is no bridge: beside it
        _ip("link", "add", "link", bridge, "name", _INSIDE, "netns", namespace, "address", mac, "type", "macvlan",
            "mode", "bridge")  # fmt: skip
        return
    # the highest address there is, as Xen gives its vifs: a bridge takes the lowest of its ports for its own
    _ip("link", "add", port, "address", "fe:ff:ff:ff:ff:ff", "type", "veth",
        "peer", "name", _INSIDE, "address", mac, "netns", namespace)  # fmt: skip
    _quiet(port)
    _ip("link", "set", port, "master", bridge)
    _ip("link", "set", port, "up")


def _quiet(interface: str) -> None:
    """No IPv6 addresses, nor the packets that ask for them: the domU asks for its own."""
    with suppress(OSError):
        Path(f"/proc/sys/net/ipv6/conf/{interface}/disable_ipv6").write_text("1")


def _enter(libc: ctypes.CDLL, namespace: int) -> None:
    if libc.setns(namespace, _CLONE_NEWNET):
        raise _wrong(Message.NO_ENTRY.said(why=os.strerror(ctypes.get_errno())))


def _ip(*arguments: str) -> None:
    try:
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise _wrong(Message.NO_IP_PROGRAM.said()) from None
    if done.returncode:
        raise _wrong(Message.IP_FAILED.said(words=" ".join(arguments), why=done.stderr.strip() or "failed"))


def _wrong(text: str) -> ConfigError:
    return ConfigError(Problem(None, "", text))
