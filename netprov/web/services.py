"""What the HTTP room is given by the rest of the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Protocol

from netprov.boot.decision import BootDecision
from netprov.boot.install import Change, InstallEvent, InstallRecord
from netprov.boot.names import Name
from netprov.boot.request import BootRequest
from netprov.http.tap import HttpTap
from netprov.inventory.model import Inventory, Target
from netprov.journal.event import Event
from netprov.state.leases import Lease


class OpenedFile(Protocol):
    """A regular file beneath tftp.root, open for reading. Who asked for it closes `fd`."""

    @property
    def fd(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def mtime_ns(self) -> int: ...
    @property
    def ino(self) -> int: ...


class Root(Protocol):
    """The files that TFTP and HTTP answer with, by one name resolution."""

    def open(self, name: str) -> OpenedFile:
        """The file called `name`. Raises PathError."""


class Rendered(Protocol):
    """A script or an installer's answers, made for one request.

    `told`: that the request changed the install, where it did.
    """

    @property
    def body(self) -> bytes: ...
    @property
    def content_type(self) -> str: ...
    @property
    def decision(self) -> BootDecision: ...
    @property
    def stage(self) -> str: ...
    @property
    def template(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def told(self) -> Event | None: ...


class Scripts(Protocol):
    """Decides and renders. With `preview` nothing changes by it: that is how HEAD is answered."""

    def script(self, request: BootRequest, name: Name, *, preview: bool = False) -> Rendered | None:
        """The loader's script; None where there is none of this name. Raises ConfigError for a template's errors."""

    def autoinstall(
        self, target_kind: str, name: str, request: BootRequest, token: str, *, preview: bool = False
    ) -> Rendered:
        """The installer's answers of a declared "system" or "profile".

        Raises PeerError for a token that does not count, ConfigError for a template's errors.
        """


class Installs(Protocol):
    """The install records."""

    def get(self, system: str) -> InstallRecord | None: ...

    def all(self) -> Mapping[str, InstallRecord]: ...

    def by_token(self, token: str) -> str | None:
        """Whose newest install has this token: a system's name, or the MAC of a machine that is not declared."""

    def apply(self, owners: Mapping[str, Target], event: InstallEvent, now: float) -> tuple[Change, ...]:
        """The records before and after the event, of all of them or of none. Raises InstallRefused."""


class Leases(Protocol):
    def all(self) -> Sequence[Lease]:
        """Every lease, expired ones too, by address."""

    def at(self, ip: IPv4Address) -> Lease | None:
        """The lease of `ip`, expired or not."""


class State(Protocol):
    @property
    def installs(self) -> Installs: ...
    @property
    def leases(self) -> Leases: ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a request may use. Every field is used by several threads at once.

    `inventory` gives the generation that serves now; `record` tells the journal and never blocks or raises; `clock`
    gives seconds since the epoch; `stage_of` the stage of a boot that a file's name belongs to ("kernel", "loader" …);
    `journal` is where the events are; `secret` signs sessions, the same in every HTTP worker of one server; `tap` is
    told the heads of what boots.
    """

    scripts: Scripts
    state: State
    root: Root
    inventory: Callable[[], Inventory]
    record: Callable[[Event], None]
    clock: Callable[[], float]
    stage_of: Callable[[str], str]
    journal: Path
    secret: bytes
    tap: HttpTap | None = None
