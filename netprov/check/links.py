"""The host's network interfaces, as the kernel tells them."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

from netprov.dhcp.interfaces import interfaces

_UP, _LOOPBACK = 0x1, 0x8  # net_device_flags, netdevice(7)
_SYS = Path("/sys/class/net")


@dataclass(frozen=True, slots=True)
class Link:
    """`running`: a cable is in, or nobody can tell. `bridge`: others can be plugged in at it."""

    name: str
    addresses: tuple[IPv4Interface, ...]
    up: bool = True
    running: bool = True
    loopback: bool = False
    bridge: bool = False


def links() -> dict[str, Link]:
    """Every interface by name, those without an address too."""
    addressed = {one.name: one.addresses for one in interfaces().values()}
    return {name: _link(name, addressed.get(name, ())) for _, name in socket.if_nameindex()}


def _link(name: str, addresses: tuple[IPv4Interface, ...]) -> Link:
    flags = int(_read(name, "flags") or "0x1", 16)
    down = _read(name, "operstate") in ("down", "lowerlayerdown")
    return Link(
        name, addresses, up=bool(flags & _UP), running=not down, loopback=bool(flags & _LOOPBACK),
        bridge=(_SYS / name / "bridge").is_dir(),
    )  # fmt: skip


def _read(name: str, what: str) -> str:
    try:
        return (_SYS / name / what).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):  # it went away, or sysfs shows another namespace's
        return ""
