"""The packets of boots, as frames. Which packets are a boot's, its events in the journal say: by MAC, address and time.

So a TFTP transfer from an address that the journal learnt to be this machine's is there, and one of the same address a
day later, when it was another's, is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address

from netprov.journal.boots import Boot
from netprov.mac import octets_of
from netprov.recorder.connection import Connection
from netprov.recorder.entry import Entry, What
from netprov.recorder.frames import End, Frame, link_address, udp
from netprov.recorder.reader import Reader

_BEFORE = 1.0  # seconds: an event is told after its first packet
_AFTER = 1.0  # and a reply goes out after its event
_TRANSFER = 30.0  # how long a transfer may go on that nothing more was heard of, with its retransmissions
_GIADDR = slice(24, 28)
_DATA = b"\0\3"

Span = tuple[float, float]
Talk = tuple[bytes, int]
"""A machine's address, packed, and its port."""


def frames_of(boots: Sequence[Boot], reader: Reader) -> list[Frame]:
    """Every packet of these boots that is on record, by time. Raises ConfigError."""
    found: list[Frame] = []
    for boot in boots:
        for mac in _macs(boot):
            entries = reader.dhcp(mac, boot.events[0].at, boot.events[-1].at + _AFTER)
            found += map(_dhcp_frame, entries)
        for (ip, port), spans in _talks(boot).items():
            # stable: what was said at once stays in its order
            said = sorted((e for span in spans for e in reader.talk(ip, port, *span)), key=lambda entry: entry.at)
            machine = End(_octets(boot.machine) or link_address(ip), ip, port)
            found += _tftp_frames(machine, [e for e in said if e.what in _TFTP])
            found += _http_frames(machine, [e for e in said if e.what in _HTTP])
    found.sort(key=lambda frame: frame.at)
    return found


_TFTP = (What.TFTP_HEARD, What.TFTP_SENT, What.TFTP_SCRIPT)
_HTTP = (What.HTTP_REQUEST, What.HTTP_ANSWER, What.HTTP_DONE, What.HTTP_CLOSED)


def _macs(boot: Boot) -> Iterable[str]:
    return dict.fromkeys(mac for mac in (boot.machine, *(event.mac for event in boot.events)) if _octets(mac))


def _octets(mac: str) -> bytes:
    """A MAC's octets; none of what is no MAC."""
    try:
        octets = octets_of(mac)
    except ValueError:
        return b""
    return octets if len(octets) == 6 else b""


def _talks(boot: Boot) -> Mapping[Talk, list[Span]]:
    """When which end of the machine's talked to us by TFTP or HTTP; spans that meet are one."""
    spans: dict[Talk, list[Span]] = {}
    for event in boot.events:
        room = event.kind.room
        if room not in ("tftp", "http"):
            continue
        host, _, port = event.peer.rpartition(":")
        try:
            talk = ip_address(host.strip("[]")).packed, int(port)
        except ValueError:
            continue
        until = event.at + (_TRANSFER if room == "tftp" else _AFTER)
        spans.setdefault(talk, []).append((event.at - event.seconds - _BEFORE, until))
    return {talk: _joined(found) for talk, found in spans.items()}


def _joined(spans: list[Span]) -> list[Span]:
    found: list[Span] = []
    for since, until in sorted(spans):
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(until, found[-1][1]))
        else:
            found.append((since, until))
    return found


def _dhcp_frame(entry: Entry) -> Frame:
    relayed = entry.data[_GIADDR] != bytes(4)
    mac = (not relayed and _octets(entry.mac)) or link_address(entry.ip)
    everybody = link_address(entry.ip) == b"\xff" * 6
    machine = End(link_address(entry.ip) if everybody else mac, entry.ip, entry.port)
    server = End(link_address(entry.local), entry.local, entry.local_port)
    if entry.what.heard:
        return udp(entry.at, machine, server, entry.data, entry.length, entry.checksum)
    return udp(entry.at, server, machine, entry.data, entry.length, entry.checksum)


def _tftp_frames(machine: End, entries: Sequence[Entry]) -> Iterator[Frame]:
    """The datagrams; what DATA of a script carried is put where it was."""
    scripts: dict[tuple[bytes, int], Entry] = {}
    for entry in entries:
        server = End(link_address(entry.local), entry.local, entry.local_port)
        if entry.what is What.TFTP_SCRIPT:
            scripts[entry.local, entry.local_port] = entry
        elif entry.what is What.TFTP_HEARD:
            yield udp(entry.at, machine, server, entry.data, entry.length, entry.checksum)
        else:
            payload = entry.data + _carried(entry, scripts.get((entry.local, entry.local_port)))
            yield udp(entry.at, server, machine, payload, entry.length, entry.checksum)


def _carried(entry: Entry, script: Entry | None) -> bytes:
    """The octets of a DATA packet of `script`, where all of them are on record."""
    size = entry.length - len(entry.data)
    if script is None or entry.data[:2] != _DATA or size <= 0:
        return b""
    at = (int.from_bytes(entry.data[2:4], "big") - 1) * script.length
    part = script.data[at : at + size]
    return part if len(part) == size else b""


def _http_frames(machine: End, entries: Sequence[Entry]) -> Iterator[Frame]:
    by_server: dict[tuple[bytes, int], list[Entry]] = {}
    for entry in entries:
        by_server.setdefault((entry.local, entry.local_port), []).append(entry)
    for (ip, port), talk in by_server.items():
        yield from Connection(machine, End(link_address(ip), ip, port)).frames(talk)
