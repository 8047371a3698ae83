"""The stages of a boot on paper: what is asked, what is sent, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netprov.boot.decision import Step
from netprov.dhcp.packet import Packet
from netprov.errors import Origin


@dataclass(frozen=True, slots=True)
class Reply:
    """A DHCP packet that would be sent, and where to. `note`: what is not sure of it; `origins`: where the operator
    wrote what an option says, by its code."""

    packet: Packet
    to: str
    note: str = ""
    origins: Mapping[int, Origin] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the boot. The boot ends with the last one, well ("local disk") or not (`problem` says why).

    `facts` are (name, value): how a file is sent, the arguments of a kernel.
    """

    name: str  # "firmware", "loader", "ipxe", "xen", "script", "kernel", "initrd", "arguments", "autoinstall" …
    asks: str
    gets: str
    trace: tuple[Step, ...] = ()
    text: str = ""  # the file that is sent, where it is rendered
    problem: str = ""
    advice: str = ""  # what to do where the operator wants it to go on from here
    replies: tuple[Reply, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
