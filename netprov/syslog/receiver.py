"""Which lines are kept, and whose they are. No I/O; `now` is seconds since the epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind
from netprov.journal.fact import FACILITY, HOST, LINES, SEVERITY
from netprov.recent import Recent
from netprov.syslog.message import Message, parse

BURST, RATE = 500, 50.0
"""Lines of one machine at once, and a second thereafter: Debian's installer logs some 10,000 in ten minutes."""

ALL_BURST, ALL_RATE = 5000, 1000.0
"""The same for all together: the journal takes ten times as much, and DHCP needs it too."""

TELL = 10.0
"""Seconds after which it is told how many lines were left out."""

TOLD = 20
"""Machines of which that is told one by one; of the others together: a flood of invented addresses is one line."""

SENDERS = 4096
"""Addresses that are remembered. One that was forgotten begins with a full bucket."""


class Who(NamedTuple):
    """The machine that has an address; "" where it is not known."""

    mac: str = ""
    system: str = ""


WhoHas = Callable[[str], Who]


@dataclass(slots=True)
class _Bucket:
    """`left` lines may come at once; `rate` more every second."""

    left: float
    at: float

    def take(self, now: float, burst: float, rate: float) -> bool:
        self.left = min(burst, self.left + max(0.0, now - self.at) * rate)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(slots=True)
class _Sender:
    bucket: _Bucket
    left_out: int = 0
    since: float = 0.0  # when the first of these came


@dataclass(slots=True)
class Receiver:
    """Takes messages, gives events. `who` says whose an address is."""

    who: WhoHas
    _senders: Recent[str, _Sender] = field(default_factory=lambda: Recent(SENDERS))
    _all: _Bucket = field(default_factory=lambda: _Bucket(ALL_BURST, 0.0))
    _owing: dict[str, _Sender] = field(default_factory=dict)  # of whom lines were left out, which is yet to be told

    def receive(self, data: bytes, address: str, now: float) -> Event | None:
        """The event of the message `data` that came from `address`; None where it is left out."""
        sender = self._senders.get(address)
        if sender is None:
            sender = _Sender(_Bucket(BURST, now))
            self._senders.put(address, sender)
        if not sender.bucket.take(now, BURST, RATE) or not self._all.take(now, ALL_BURST, ALL_RATE):
            self._leave_out(address, sender, now)
            return None
        return line_event(parse(data), address, self.who(address), now)

    def timer(self) -> float | None:
        """When `due` has something to tell next."""
        return min((sender.since for sender in self._owing.values()), default=None)

    def due(self, now: float) -> list[Event]:
        """How many lines were left out, of each machine whose were, once in TELL seconds."""
        owing = [
            (sender.left_out, address)
            for address, sender in self._owing.items()
            if now >= sender.since + TELL or now < sender.since
        ]
        for _, address in owing:
            self._owing.pop(address).left_out = 0
        owing.sort(reverse=True)
        found = [
            _flood_event(f"{_lines(count)} of its log", address, self.who(address), count, now)
            for count, address in owing[:TOLD]
        ]
        if rest := owing[TOLD:]:
            count = sum(count for count, _ in rest)
            found.append(_flood_event(f"{_lines(count)} of {len(rest)} other addresses", "", Who(), count, now))
        return found

    def _leave_out(self, address: str, sender: _Sender, now: float) -> None:
        if address not in self._owing:
            if len(self._owing) >= SENDERS:
                return
            sender.since = now
            self._owing[address] = sender
        sender.left_out += 1


def line_event(message: Message, address: str, who: Who, now: float) -> Event:
    """The event of a line. Its own time is not believed: an installer's clock is often wrong by hours."""
    text = f"{message.program}: {message.text}" if message.program else message.text
    host = ((HOST, message.host),) if message.host else ()
    return Event(
        at=now,
        kind=Kind.SYSLOG_LINE,
        reason=Reason.SYSLOG_LINE,
        text=text,
        mac=who.mac,
        ip=address,
        system=who.system,
        name=message.program,
        detail=((SEVERITY, message.severity), (FACILITY, message.facility), *host),
    )


def _lines(count: int) -> str:
    return f"{count} line{'s' if count > 1 else ''}"


def _flood_event(what: str, address: str, who: Who, count: int, now: float) -> Event:
    text = f"{what} left out: they came too fast"
    return Event(
        at=now,
        kind=Kind.SYSLOG_DROP,
        reason=Reason.SYSLOG_FLOOD,
        text=text,
        mac=who.mac,
        ip=address,
        system=who.system,
        detail=((LINES, str(count)),),
    )
