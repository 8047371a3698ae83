"""Where the octets come from: the seam between the TFTP room and what it serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from netprov.journal.fact import Detail
from netprov.tftp.body import Identity

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class About:
    """What a file is to the machine that fetches it: the transfer's events carry it on (see Event for the fields)."""

    stage: str = "file"
    system: str = ""
    mac: str = ""
    uuid: str = ""
    token: str = ""
    trace: tuple[str, ...] = ()
    detail: Detail = ()
    quiet: bool = False  # nobody's boot: no event tells of it
    rendered: bool = False  # a script that netprov made for this machine


@dataclass(frozen=True, slots=True)
class Content:
    """A rendered file."""

    data: bytes
    about: About = About(stage="script")


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file open for reading; who takes it closes `fd`."""

    fd: int
    identity: Identity
    about: About = About()

    @property
    def size(self) -> int:
        return self.identity.size

    @property
    def mtime_ns(self) -> int:
        return self.identity.mtime_ns

    @property
    def ino(self) -> int:
        return self.identity.ino


class Source(Protocol):
    """What the server serves. Both methods are called in the server's loop and must return at once."""

    def rendered(
        self, name: str, peer: Address, server: Address | None, preview: bool = False
    ) -> Callable[[], Content] | None:
        """How to make `name` for the machine at `peer`, which asked at our address `server`; None: no rendered name.

        With `preview` making it changes nothing: the answer is only looked at.
        The callable runs in a thread and may take its time. PeerError from it becomes the ERROR packet (code 1: there
        is nothing of that name for this machine); any other exception is our fault, logged, and ERROR 0 to the client.
        """

    def open(self, name: str) -> OpenedFile:
        """The file of that name. Raises PathError."""
