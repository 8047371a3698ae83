"""What happened: the typed events every worker tells the journal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from netprov.boot.reason import Reason
from netprov.quick import quick


class Kind(StrEnum):
    """What happened. The prefix is the room that saw it."""

    DHCP_DISCOVER = "dhcp.discover"
    DHCP_OFFER = "dhcp.offer"
    DHCP_REQUEST = "dhcp.request"
    DHCP_ACK = "dhcp.ack"
    DHCP_NAK = "dhcp.nak"
    DHCP_DECLINE = "dhcp.decline"
    DHCP_RELEASE = "dhcp.release"
    DHCP_INFORM = "dhcp.inform"
    DHCP_BOOTP = "dhcp.bootp"
    DHCP_DROP = "dhcp.drop"
    TFTP_REQUEST = "tftp.request"
    TFTP_DONE = "tftp.done"
    TFTP_ABORT = "tftp.abort"  # the client ended it (OVMF does, having learnt the size)
    TFTP_FAIL = "tftp.fail"  # it stopped half-way
    TFTP_REFUSE = "tftp.refuse"
    TFTP_DROP = "tftp.drop"
    HTTP_DONE = "http.done"
    HTTP_FAIL = "http.fail"
    HTTP_REFUSE = "http.refuse"
    SYSLOG_LINE = "syslog.line"  # a line of the machine's own log
    SYSLOG_DROP = "syslog.drop"  # lines that were left out
    INSTALL = "install"  # the install state of a system changed
    INVENTORY = "inventory"  # a new generation, or one refused
    SERVER = "server"  # started, stopped, a worker died
    PROGRESS = "progress"  # how far a running transfer is; no event of the journal (netprov.journal.running)
    WEBHOOK = "webhook"  # a receiver does not take what it is sent, or takes it again


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
    detail: tuple[tuple[str, str], ...] = ()  # further facts in the order to show: options negotiated, loader, arch …
