"""Which machine an event is about: learnt from the events that say it themselves.

A machine is a MAC. TFTP and HTTP requests come from an address alone; what came before says whose it is:

| evidence              | learnt from                              | given up                                        |
|-----------------------|------------------------------------------|-------------------------------------------------|
| the MAC               | the event itself                         |                                                 |
| the install's token   | an event of a known machine that has it  | another machine has it                          |
| a leased address      | DHCP ACK                                 | ACK to another, RELEASE, DECLINE, a day's quiet |
| the UUID              | an event with MAC and UUID               | a second MAC has it: boards share bogus UUIDs   |
| the client identifier | an event with MAC and client identifier  | a second MAC has it                             |
| the system            | an event with MAC and system             | another MAC of the system boots                 |
| a claimed address     | a question with MAC that came from it,   | two MACs at once: a NAT, or a relay's address   |
|                       | or asked for it (another server gave it) |                                                 |

What is left is known by its address alone, as "ip ADDRESS".
"""

from __future__ import annotations

from netprov.journal.event import Event
from netprov.recent import Recent

MACHINES = 32_768
"""Machines, and addresses, tokens… each, kept in memory, some 20 MB at the most. A machine fallen out is looked up in
the journal, which takes longer than all else that is done with an event."""

STALE = 86_400.0
"""Seconds without an ACK after which another's claim to an address counts: the longest lease anybody gives to a machine
that boots from the network."""

QUIET = 600.0
"""Seconds after which an address claimed by one machine may be another's; within them it is shared."""

_SHARED = ""  # in place of a machine: several have it


class Identity:
    """What is known about who is who. Bounded; knows no clock but the events'."""

    def __init__(self, limit: int = MACHINES) -> None:
        self._tokens: Recent[str, str] = Recent(limit)
        self._leased: Recent[str, tuple[str, float]] = Recent(limit)
        self._claimed: Recent[str, tuple[str, float]] = Recent(limit)
        self._uuids: Recent[str, str] = Recent(limit)
        self._client_ids: Recent[str, str] = Recent(limit)
        self._systems: Recent[str, str] = Recent(limit)

    def machine(self, event: Event) -> str:
        """The MAC of the machine that `event` is about, "ip ADDRESS" where only that is known, "" where nothing is."""
        if event.mac:
            return event.mac
        ip = address(event)
        return (
            (event.token and self._tokens.get(event.token))
            or (ip and self._holder(self._leased, ip, event.at))
            or (event.uuid and self._uuids.get(event.uuid))
            or (event.client_id and self._client_ids.get(event.client_id))
            or (event.system and self._systems.get(event.system))
            or (ip and self._holder(self._claimed, ip, event.at))
            or (ip and f"ip {ip}")
            or ""
        )

    def claimed(self, ip: str, at: float) -> bool:
        """Whether at `at` some machine, or several, are known to have `ip`."""
        claim = self._claimed.get(ip)
        shared = claim is not None and claim[0] == _SHARED
        return shared or bool(self._holder(self._leased, ip, at) or self._holder(self._claimed, ip, at))

    def learn(self, event: Event, machine: str) -> None:
        """Take in what `event`, which is about `machine`, says about who is who."""
        if event.token and machine and not machine.startswith("ip ") and not self._tokens.get(event.token):
            self._tokens.put(event.token, machine)
        if not event.mac:
            return
        mac, ip = event.mac, address(event)
        if event.token:
            self._tokens.put(event.token, mac)
        if event.system:
            self._systems.put(event.system, mac)
        _learn_unique(self._uuids, event.uuid, mac)
        _learn_unique(self._client_ids, event.client_id, mac)
        if not ip:
            return
        if event.kind.grants:
            self._leased.put(ip, (mac, event.at))
            self._claimed.drop(ip)
        elif event.kind.returns:
            for holders in (self._leased, self._claimed):
                holder = holders.get(ip)
                if holder is not None and holder[0] == mac:
                    holders.drop(ip)
        elif event.kind.claims:
            self._claim(ip, mac, event.at)

    def _claim(self, ip: str, mac: str, at: float) -> None:
        leased = self._leased.get(ip)
        if leased is not None:
            if at - leased[1] < STALE:
                return
            self._leased.drop(ip)
        claim = self._claimed.get(ip)
        another = claim is not None and claim[0] != mac and at - claim[1] < QUIET
        self._claimed.put(ip, (_SHARED if another else mac, at))

    @staticmethod
    def _holder(holders: Recent[str, tuple[str, float]], ip: str, at: float) -> str:
        holder = holders.get(ip)
        return holder[0] if holder is not None and at - holder[1] < STALE else ""


def _learn_unique(known: Recent[str, str], key: str, mac: str) -> None:
    if not key:
        return
    before = known.get(key)
    if before is None:
        known.put(key, mac)
    elif before != mac:
        known.put(key, _SHARED)


def address(event: Event) -> str:
    """The client's address: as DHCP knows it, else the one the other side used (a DHCP packet's may be a relay's)."""
    ip = event.ip or ("" if event.kind.room == "dhcp" else event.peer.rpartition(":")[0].strip("[]"))
    return "" if ip in ("0.0.0.0", "::") else ip
