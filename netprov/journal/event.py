"""What happened: the typed events every worker tells the journal."""

from __future__ import annotations

from dataclasses import dataclass

from netprov.boot.chance import ABSENT
from netprov.boot.reason import Reason
from netprov.journal.fact import Detail, Fact, Number
from netprov.journal.kind import Kind, Severity
from netprov.quick import quick

__all__ = ["FAILING", "Event", "Kind", "Severity"]

FAILING = frozenset({Reason.INSTALL_FAILED, Reason.XEN_REFUSED, Reason.EVENTS_LOST})
"""Reasons that make a failure of any event."""
_DIGITS = 100  # of a number that is read: what a client sent may be longer than int() takes


@quick
@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, at `at` (seconds since the epoch). What is unknown is empty or 0.

    `stage` is what the machine got by it: "address", "loader", "loader-file", "script", "kernel", "initrd",
    "handed-over" (a domU's kernel and initrd, to Xen), "autoinstall", "callback", "file" or "". `text` is the sentence
    a user reads; `name` the file, path or boot file; `size` octets, `seconds` the time a transfer took. What a client
    sent stands in it as it came: whoever shows it escapes it.
    """

    at: float
    kind: Kind
    reason: Reason
    text: str = ""
    stage: str = ""
    mac: str = ""
    uuid: str = ""
    client_id: str = ""  # hex
    xid: int = 0
    ip: str = ""  # the client's address: leased, offered, or the peer's
    peer: str = ""  # "address:port" the other side used (the TFTP TID, the HTTP connection)
    relay: str = ""
    system: str = ""
    token: str = ""  # the install's token, where a URL carried one
    name: str = ""
    size: int = 0
    seconds: float = 0.0
    retransmits: int = 0
    trace: tuple[str, ...] = ()  # the steps of the decision that it tells of: sentences, the last settled it
    detail: Detail = ()  # further facts in the order to show (netprov.journal.fact)

    def fact(self, key: Fact) -> str:
        """What it says by `key`, as text; "" where it says nothing."""
        return next((value for name, value in self.detail if name == key), "")

    def number(self, key: Number, default: int = 0) -> int:
        """What it says by `key`; `default` where it says nothing, or no whole number."""
        value = self.fact(key)
        return int(value) if value.isascii() and value.isdigit() and len(value) <= _DIGITS else default

    @property
    def settled(self) -> str:
        """The last step of its trace; "" where there is none."""
        return self.trace[-1] if self.trace else ""

    @property
    def severity(self) -> Severity:
        """How bad it is. A packet left unanswered is a failure where there is something to do about it."""
        if self.reason in FAILING or (self.kind is Kind.DHCP_DROP and self.reason.advice):
            return Severity.FAILED
        return Severity.MINOR if self.reason in ABSENT else self.kind.severity

    @property
    def warns(self) -> bool:
        """Whether it is a warning on the server's log. Strangers whom nobody answers ask every few seconds: they are
        none."""
        return self.reason in FAILING or (self.kind.warns and self.reason not in ABSENT)
