# ruff: noqa: E501 - a row of the table is a line
"""The further facts of an event: each key with its type, what it says, and the kinds that carry it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from netprov.journal.kind import Kind


class Fact(str):
    """A key of Event.detail. Only the table's are keys; values travel as text, and Event reads them by the key's type."""

    meaning: str
    kinds: tuple[Kind, ...]

    def __new__(cls, key: str, meaning: str, *kinds: Kind) -> Self:
        self = super().__new__(cls, key)
        self.meaning, self.kinds = meaning, kinds
        return self


class Text(Fact):
    """Its values are read as they stand. What a client sent stands in them as it came."""


class Number(Fact):
    """Its values are whole numbers from 0; a client may have sent anything else."""


Pair = tuple[Fact, str]
Detail = tuple[Pair, ...]

_DHCP = tuple(kind for kind in Kind if kind.room == "dhcp")
_TFTP = tuple(kind for kind in Kind if kind.room == "tftp" and kind is not Kind.TFTP_DROP)
_HTTP = tuple(kind for kind in Kind if kind.room == "http")
_ASKED = (Kind.TFTP_REQUEST, Kind.TFTP_REFUSE)
_ENDED = (Kind.TFTP_DONE, Kind.TFTP_ABORT, Kind.TFTP_FAIL)
_DECIDED = (*_DHCP, *_TFTP, *_HTTP)

# the decision (netprov.journal.decided)
ACTION = Text("action", "what was decided to do: loader, kernel, menu, local …", *_DECIDED)
LOADER = Text("loader", "the program that asks: firmware, ipxe, grub, os …", *_DECIDED)
DECISION = Text("decision", "the label of the reason that settled the decision", *_DECIDED)
INITRDS = Number("initrds", "how many initrds the script names", *_DECIDED)
ANSWERS = Text("answers", "the installer's answers that the script names", *_DECIDED)
TEMPLATE = Text("template", "the template that the answer was made from", *_HTTP)
# DHCP
TYPE = Text("type", "the message's type", *_DHCP, Kind.SERVER)
ARCH = Text("arch", "the client architecture", *_DHCP)
VENDOR_CLASS = Text("vendor_class", "option 60", *_DHCP)
USER_CLASS = Text("user_class", "option 77", *_DHCP)
SECS = Number("secs", "for how long the client has been asking, in seconds, as it says", *_DHCP)
INTERFACE = Text("interface", "our interface that heard it", *_DHCP, Kind.SERVER)
PORT = Number("port", "our port, where that is not 67", *_DHCP)
NEXT_SERVER = Text("next_server", "where the boot file is to be fetched", *_DHCP)
CHOSEN = Text("chosen", "the server that the client chose", *_DHCP)
CIRCUIT_ID = Text("circuit_id", "the relay's circuit-id", *_DHCP)
# another DHCP server
SERVER = Text("server", "our address that was asked; of another DHCP server: its own", *_TFTP, Kind.SERVER)
SERVER_MAC = Text("server_mac", "another DHCP server's MAC", Kind.SERVER)
CLIENT = Text("client", "the MAC that another DHCP server answered", Kind.SERVER)
FILE = Text("file", "the boot file that another DHCP server named", Kind.SERVER)
# transfers
MODE = Text("mode", "TFTP's mode, where that is not octet", *_ASKED)
BLKSIZE = Number("blksize", "octets per block: asked, then agreed", *_ASKED, *_ENDED)
WINDOWSIZE = Number("windowsize", "blocks per window: asked, then agreed", *_ASKED, *_ENDED)
TSIZE = Number("tsize", "TFTP's option tsize, as asked", *_ASKED)
TIMEOUT = Number("timeout", "TFTP's option timeout, as asked", *_ASKED)
OPTIONS = Text("options", "TFTP's other options, as asked: name=value, a fact each", *_ASKED)
CODE = Number("code", "the code of the ERROR that was sent", Kind.TFTP_REFUSE)
ACKNOWLEDGED = Number("acknowledged", "octets that the client had acknowledged at the end", *_ENDED, Kind.HTTP_FAIL)
ERROR = Text("error", "the code and the text of the client's ERROR", *_ENDED)
END = Text("end", "how the client went away", *_ENDED, Kind.HTTP_FAIL)
STRAY = Number("stray", "packets that did not belong to the transfer", *_ENDED)
UNTOLD = Number("untold", "packets that no event reports", Kind.TFTP_DROP)
METHOD = Text("method", "HTTP's method, where that is not GET", *_HTTP)
STATUS = Number("status", "HTTP's status, where that is not 200", *_HTTP)
LENGTH = Number("length", "octets of a body that was not sent to its end", Kind.HTTP_FAIL)
RANGE = Text("range", "the header field Range", *_HTTP)
USER_AGENT = Text("user-agent", "the header field User-Agent", *_HTTP)
SENT = Number("sent", "octets that went out so far", Kind.PROGRESS)
RATE = Number("rate", "octets per second, in the last second", Kind.PROGRESS)
# a machine's own log
SEVERITY = Text("severity", "syslog's severity", Kind.SYSLOG_LINE)
FACILITY = Text("facility", "syslog's facility", Kind.SYSLOG_LINE)
HOST = Text("host", "the name that the machine has in its log", Kind.SYSLOG_LINE)
LINES = Number("lines", "lines that were left out", Kind.SYSLOG_DROP)
# the rest
STATE = Text("state", "the install's state: armed, installing, installed …", Kind.INSTALL)
ATTEMPT = Number("attempt", "how often the install was started", Kind.INSTALL)
BY = Text("by", "who changed the install, where a person or a program did", Kind.INSTALL)
LOST = Number("lost", "events that are missing", Kind.SERVER)

FACTS: Mapping[str, Fact] = {str(value): value for value in [*vars().values()] if isinstance(value, Fact)}
"""Every fact by its key; two with one key would be one entry short (a test counts)."""
