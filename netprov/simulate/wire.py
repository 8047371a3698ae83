"""A cable into the network for one machine: a network namespace of its own, gone with its process.

The namespace has no name: the kernel takes it, and both ends of the veth pair, away when its only process has ended,
however that came about. So nothing is left behind even by SIGKILL.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from netprov.errors import PeerError
from netprov.mac import Mac

CARD = "eth0"  # the machine's own interface, in its namespace

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class NoWire(PeerError):
    """No cable could be laid: what is missing on this host."""


def is_bridge(via: str) -> bool:
    """Whether machines are plugged in at a bridge (else: at a network card).

    Raises NoWire where they cannot be plugged in at all, as far as can be told without doing it.
    """
    names = [name for _, name in socket.if_nameindex()]
    if via not in names:
        there = ", ".join(name for name in names if name != "lo")
        raise NoWire(f"there is no interface {via!r}; this host has {there or 'none'}")
    link = json.loads(_ip("-json", "-details", "link", "show", "dev", via))[0]
    if "LOOPBACK" in link["flags"]:
        raise NoWire(f"{via} is loopback, where no machine can be plugged in: give a bridge or a network card")
    if "UP" not in link["flags"]:
        raise NoWire(f"{via} is down: ip link set {via} up")
    if os.geteuid() != 0:
        raise NoWire(
            "a simulated machine needs root (CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_ADMIN): it gets a network "
            f"namespace with an interface on {via}, and sends DHCP before it has an address"
        )
    return bool(link.get("linkinfo", {}).get("info_kind") == "bridge")


def end_with_parent(parent: int) -> None:
    """See to it that this process is killed when `parent` ends, however it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


@dataclass(frozen=True, slots=True)
class Wire:
    """The cable, and what is behind it. It belongs to the process that laid it."""

    mac: Mac

    @classmethod
    def lay(cls, via: str, mac: Mac) -> Wire:
        """Takes this process, for the rest of its life, to a namespace with one interface plugged in at `via`.

        At a bridge it is a veth pair, at anything else a macvlan: that reaches all the wire but not this host itself.
        Raises NoWire.
        """
        outside = os.open("/proc/self/ns/net", os.O_RDONLY)  # stays open: there is no other way back
        bridge = is_bridge(via)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWNET) != 0:
            why = os.strerror(ctypes.get_errno())
            raise NoWire(f"no network namespace can be made here ({why}): it needs CAP_SYS_ADMIN")
        here = str(os.getpid())
        if bridge:
            port = f"nps{here}"
            # as Xen's backends: a bridge takes the lowest of its ports' addresses for its own, and this host would be
            # cut off while its neighbours still know the one before
            high = ("address", "fe:ff:ff:ff:ff:ff")
            peer = (*high, "type", "veth", "peer", "name", CARD, "address", mac, "netns", here)
            _ip("link", "add", port, *peer, at=outside)
            _ip("link", "set", port, "master", via, "up", at=outside)
        else:
            card = ("name", CARD, "address", mac, "netns", here, "type", "macvlan", "mode", "bridge")
            _ip("link", "add", "link", via, *card, at=outside)
        os.close(outside)
        with suppress(OSError):  # IPv6 is not simulated
            Path(f"/proc/sys/net/ipv6/conf/{CARD}/disable_ipv6").write_text("1")
        _ip("link", "set", "lo", "up")
        _ip("link", "set", CARD, "up")
        return cls(mac)

    def packets(self) -> socket.socket:
        """Raw Ethernet frames with IPv4 in them."""
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        sock.bind((CARD, 0x0800))
        return sock

    def give(self, ip: IPv4Address, prefix: int, router: IPv4Address | None) -> None:
        """The machine has this address now."""
        self.take()
        _ip("address", "add", f"{ip}/{prefix}", "dev", CARD)
        if router is not None and router != ip:
            # `onlink`: a router that the mask does not hold is no reason to stop, firmware takes it too
            _ip("route", "add", "default", "via", str(router), "dev", CARD, "onlink")

    def unplug(self) -> None:
        """Both ends of the cable are gone when this returns; the kernel takes a moment for it after a process's end."""
        _ip("link", "delete", CARD)

    def take(self) -> None:
        """The machine has no address any more."""
        _ip("address", "flush", "dev", CARD)


def _ip(*arguments: str, at: int | None = None) -> str:
    """What iproute2's ip prints, in this namespace or in the one that `at` is open on. Raises NoWire."""
    inside = ["nsenter", f"--net=/proc/self/fd/{at}"] if at is not None else []
    try:
        done = subprocess.run(
            [*inside, "ip", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            pass_fds=[at] if at is not None else (),
        )  # fmt: skip
    except FileNotFoundError as missing:
        raise NoWire(f"{missing.filename} is missing: apt-get install iproute2 util-linux") from None
    if done.returncode:
        raise NoWire(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
