"""What a machine gets, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address

from netprov.boot.reason import Reason
from netprov.errors import Origin
from netprov.inventory.model import Subnet, Target
from netprov.quick import quick


class Action(StrEnum):
    """What to do with the request."""

    IGNORE = "ignore"  # no answer at all
    ADDRESS = "address"  # an address, nothing to boot
    LOADER = "loader"  # send `loader_file`; without one, the server that firmware asks for files by names of its own
    KERNEL = "kernel"  # a script that boots `kernel`
    MENU = "menu"  # a script with a menu of `menu`
    LOCAL = "local"  # boot the local disk: a script that does it, or an address without anything to boot
    IDENTIFY = "identify"  # a script that makes the loader ask again with its MAC in the name


@quick
@dataclass(frozen=True, slots=True)
class Step:
    """One reason of a decision: a sentence with the values in it, and where the operator wrote what caused it."""

    reason: Reason
    text: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel to boot. Paths are names our TFTP and HTTP answer to (no leading slash), or URLs.

    `options` is what the operator and the install add to the command line, in order; values as in Target. The
    autoinstall argument is not among them: it needs the server's URL and belongs to the distro's breed (render).
    """

    kernel: str
    initrd: tuple[str, ...] = ()
    options: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    autoinstall: bool = False  # whether an installer is to fetch its answers


@quick
@dataclass(frozen=True, slots=True)
class BootDecision:
    """The answer to one BootRequest, and the trace of why."""

    action: Action
    trace: tuple[Step, ...]
    target: Target | None = None
    record: str = ""  # whose install record counts: the system's name, or the MAC of a machine that nothing matches
    subnet: Subnet | None = None
    reserved_ip: IPv4Address | None = None  # the address declared for the interface that asks
    next_server: IPv4Address | None = None  # where the files are, where that is not the server that answers
    loader_file: str = ""  # a name our TFTP answers to ("pxelinux.0"), or a path with a leading "/" for HTTP, or a URL
    over_http: bool = False  # the loader is to be fetched by HTTP: `loader_file` becomes a URL of our HTTP server
    kernel: Kernel | None = None
    menu: tuple[Target, ...] = ()  # the entries, in order
    installing: bool = False  # serving this starts or continues an install

    @property
    def sends(self) -> str:
        """What a LOADER sends, as it is told to people."""
        return self.loader_file or "this server, for files by names of its own"

    @property
    def reason(self) -> Reason:
        """The step that settled it: the last."""
        return self.trace[-1].reason

    @property
    def system(self) -> str:
        """The declared system that asks; "" where none does."""
        return self.target.name if self.target is not None and self.target.kind == "system" else ""
