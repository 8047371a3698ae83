"""What a verdict is, the row of the table that it comes from, and what a rule may know beside a boot's events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Literal

from netprov.inventory.model import DhcpMode, Inventory

if TYPE_CHECKING:
    from netprov.journal.verdicts.facts import Facts

Severity = Literal["error", "warning"]
"""An error stops the machine; with a warning it gets there, late or not as it should."""

UNNAMED = "this server's address"
"""Stands where neither the events nor the configuration say our address."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a boot went wrong: a sentence, and what to change, lines of which some are to be pasted as they are.

    `at` is when the last of its signs was seen. What clients sent may stand in both texts as it came.
    """

    id: str
    name: str
    severity: Severity
    sentence: str
    advice: str
    at: float


@dataclass(frozen=True, slots=True)
class Sign:
    """A rule's signature was found, the last of it at `at`; `words` fill in its sentence and advice."""

    at: float
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: `sign` looks for the signature that `meaning` tells in words.

    `sentence` and `advice` are format strings over the sign's words; `yields` names the rows that say it better where
    they apply too; `source` is where the field met it.
    """

    id: str
    name: str
    sign: Callable[[Facts], Sign | None]
    meaning: str
    sentence: str
    advice: str
    source: str
    severity: Severity = "error"
    yields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What is not in the events: the time, and how the server is configured.

    `ended`: the machine has begun another boot since, so that nothing more can come of this one. `unheard`: the machine
    itself says that nothing came of what it asked for last, as only a simulated one can.
    """

    now: float
    ended: bool = False
    unheard: bool = False
    address: str = ""
    mode: DhcpMode = DhcpMode.FULL
    single_port: bool = False
    tftp_port: int = 69
    http_port: int = 80
    proxy_port: int = 4011
    subnets: tuple[IPv4Network, ...] = ()

    @staticmethod
    def of(inventory: Inventory, now: float) -> Context:
        settings = inventory.settings
        return Context(
            now,
            address=str(settings.server.address or ""),
            mode=settings.dhcp.mode,
            single_port=settings.tftp.single_port,
            tftp_port=settings.tftp.port,
            http_port=settings.http.port,
            proxy_port=settings.dhcp.proxy_port,
            subnets=tuple(subnet.subnet for subnet in inventory.subnets),
        )
