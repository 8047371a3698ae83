# ruff: noqa: E501 - a row of the table is a line
"""What can happen: one row for each kind of event, with all that its readers sort kinds by."""

from __future__ import annotations

from enum import Flag, StrEnum, auto
from typing import Literal, Self

from netprov.inventory.model import Notice

StageState = Literal["done", "started", "failed"]
"""How far a stage of a boot is."""


class Severity(StrEnum):
    """How bad an event is, on the page and on a terminal alike."""

    FINE = "fine"
    MINOR = "minor"  # nothing was given, and that is usual: a size asked, a packet that is not for us
    FAILED = "failed"


class Trait(Flag):
    """What an event of a kind tells. Each is an attribute of Kind, spelled small."""

    ASKS = auto()  # the machine asks for an address: a boot may begin here
    CLAIMS = auto()  # who asks has the address that it asks from, or for
    GRANTS = auto()  # the machine has the address from now on
    RETURNS = auto()  # it has it no more
    GIVES = auto()  # an answer with an address, or with what to boot
    CARRIES = auto()  # octets of a file went out
    ENDS = auto()  # the transfer of this peer and name is over
    STILL = auto()  # no progress of the machine's: a stray packet, an operator's doing, what its system logs
    SAID = auto()  # whoever records it has said so on the server's log
    WARNS = auto()  # a warning on that log


_NOTHING = Trait(0)
_FINE, _MINOR, _FAILED = Severity
_ASKS, _CLAIMS, _GRANTS, _RETURNS, _GIVES, _CARRIES, _ENDS, _STILL, _SAID, _WARNS = Trait


class Kind(StrEnum):
    """What happened. A row: (label, meaning, the stage that it is always about, what it says of its stage, severity,
    traits, what webhooks are told by it).

    The label's prefix is the room that saw it. Where the stage is "", the event names it; where the state is None, the
    event says nothing about how far a stage is. No kind ends a boot: a boot is over when the machine begins another.
    """

    meaning: str
    stage: str
    state: StageState | None
    severity: Severity
    notice: Notice | None
    room: str
    asks: bool
    claims: bool
    grants: bool
    returns: bool
    gives: bool
    carries: bool
    ends: bool
    still: bool
    said: bool
    warns: bool
    fetched: bool
    """Whether the machine has a whole file by it."""

    def __new__(
        cls,
        label: str,
        meaning: str,
        stage: str,
        state: StageState | None,
        severity: Severity,
        traits: Trait = _NOTHING,
        notice: Notice | None = None,
    ) -> Self:
        self = str.__new__(cls, label)
        self._value_ = label
        self.meaning, self.stage, self.state, self.severity, self.notice = meaning, stage, state, severity, notice
        self.room = label.partition(".")[0]
        for trait in Trait:
            setattr(self, str(trait.name).lower(), trait in traits)
        self.fetched = state == "done" and Trait.CARRIES in traits
        return self

    # fmt: off
    DHCP_DISCOVER = "dhcp.discover", "a machine asked for an address", "", None, _FINE, _ASKS
    DHCP_OFFER    = "dhcp.offer", "a machine was offered an address, or what to boot", "", None, _FINE, _ASKS | _GIVES
    DHCP_REQUEST  = "dhcp.request", "a machine chose another server", "", None, _FINE, _CLAIMS
    DHCP_ACK      = "dhcp.ack", "an address was confirmed, or a question on port 4011 answered", "address", "done", _FINE, _GRANTS | _GIVES
    DHCP_NAK      = "dhcp.nak", "an address was refused", "address", "failed", _FAILED, _WARNS
    DHCP_DECLINE  = "dhcp.decline", "a machine found its address in use", "", None, _FAILED, _RETURNS | _WARNS
    DHCP_RELEASE  = "dhcp.release", "a machine gave its address back", "", None, _FINE, _RETURNS
    DHCP_INFORM   = "dhcp.inform", "a machine that has an address asked for the rest", "", None, _FINE, _CLAIMS | _GIVES
    DHCP_BOOTP    = "dhcp.bootp", "a BOOTP client was given its address", "address", "done", _FINE, _ASKS | _GRANTS | _GIVES
    DHCP_DROP     = "dhcp.drop", "a packet was not answered", "", None, _MINOR
    TFTP_REQUEST  = "tftp.request", "a file was asked for", "", "started", _FINE, _CLAIMS
    TFTP_DONE     = "tftp.done", "a file was sent", "", "done", _FINE, _CLAIMS | _CARRIES | _ENDS
    TFTP_ABORT    = "tftp.abort", "the client ended the transfer before the first block: OVMF does, having learnt the size", "", None, _MINOR, _ENDS
    TFTP_FAIL     = "tftp.fail", "a transfer stopped half-way", "", "failed", _FAILED, _CARRIES | _ENDS | _WARNS
    TFTP_REFUSE   = "tftp.refuse", "a file was not sent", "", "failed", _FAILED, _ENDS | _WARNS
    TFTP_DROP     = "tftp.drop", "a packet was not answered", "", None, _MINOR, _STILL
    HTTP_DONE     = "http.done", "a request was answered", "", "done", _FINE, _CLAIMS | _CARRIES | _ENDS
    HTTP_FAIL     = "http.fail", "an answer stopped half-way, or could not be made", "", "failed", _FAILED, _CARRIES | _ENDS | _WARNS
    HTTP_REFUSE   = "http.refuse", "a request was refused", "", "failed", _FAILED, _ENDS | _WARNS
    SYSLOG_LINE   = "syslog.line", "a line of the machine's own log", "", None, _FINE, _STILL
    SYSLOG_DROP   = "syslog.drop", "lines of a log were left out", "", None, _MINOR, _STILL | _WARNS
    INSTALL       = "install", "the install state of a system changed", "", "done", _FINE, _STILL, Notice.INSTALL
    INVENTORY     = "inventory", "a new generation serves, or was refused; a system was declared or removed", "", None, _FINE, _STILL | _SAID, Notice.SERVER
    SERVER        = "server", "the server started or stopped, a worker died, another DHCP server was heard", "", None, _FINE, _STILL | _SAID, Notice.SERVER
    PROGRESS      = "progress", "how far a running transfer is: live only, no event of the journal", "", None, _FINE
    WEBHOOK       = "webhook", "a receiver does not accept what it is sent, or accepts it again", "", None, _FINE, _STILL | _SAID
    # fmt: on


BY_LABEL = {kind.value: kind for kind in Kind}
"""Every kind by its label."""
