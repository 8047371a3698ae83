"""A capture file → the DHCP datagrams in it, one after another, however large it is. scapy reads the file."""

from __future__ import annotations

import gzip
import logging
import os
import stat
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from netprov.datagram import Datagram, parse_datagram

PORTS = (67, 68, 4011)

LONGEST_READ = 1 << 20
"""Octets that a capture's record may claim: tcpdump's own limit is 262,144."""

MOST_OCTETS = 8 << 30
"""Of an (unpacked) capture: some minutes' reading."""

_LARGEST = 1 << 16  # octets of an IP packet, more or less

_MALFORMED = (struct.error, ValueError, IndexError, KeyError, TypeError, OverflowError)
_GZIP = b"\x1f\x8b"


class CaptureError(Exception):
    """The file is no capture, or cannot be read. Its text says what to do."""


@dataclass(frozen=True, slots=True)
class Captured:
    """A datagram of DHCP's ports. `number` counts the capture's packets from 1, as Wireshark does; `at` is in seconds
    since the epoch, `cut` how many octets the capture left out; `vlans` are its tags, the outermost first."""

    number: int
    at: float
    datagram: Datagram
    vlans: tuple[int, ...] = ()
    cut: int = 0


@dataclass(slots=True)
class Tally:
    """What was read. `damage`: why reading ended before the file did; "" where it did not."""

    packets: int = 0
    others: int = 0  # that are no DHCP
    damage: str = ""
    links: set[int] = field(default_factory=set)  # link types that are not known here


def read(path: Path, tally: Tally) -> Iterator[Captured]:
    """The DHCP datagrams of the capture at `path` (pcap or pcapng, also gzipped), in its order; `tally` is kept up to
    date. Raises CaptureError where it is no capture."""
    logging.getLogger("scapy").setLevel(logging.ERROR)  # it warns of each truncated record
    from scapy.error import Scapy_Exception
    from scapy.utils import RawPcapReader

    with _open(path) as file:
        watched = _Watched(file)
        opened: Any = RawPcapReader  # makes a RawPcapNgReader, where it is one
        try:
            reader = opened(watched)
        except (Scapy_Exception, EOFError, _Damaged, AttributeError, *_MALFORMED):
            raise CaptureError(_no_capture(path)) from None
        try:
            for data, meta in reader:
                tally.packets += 1
                found = _datagram(data, meta, reader, tally)
                if found is None:
                    tally.others += 1
                else:
                    yield found
        except (Scapy_Exception, EOFError, _Damaged, *_MALFORMED) as error:
            tally.damage = str(error) or "it is malformed"
        tally.damage = tally.damage or watched.damage


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    """The capture, unpacked. A FIFO would keep us waiting for ever."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise CaptureError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise CaptureError(f"{path}: not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        yield cast(IO[bytes], gzip.GzipFile(fileobj=file)) if packed else file


class _Damaged(Exception):
    """The capture goes on with what is none."""


class _Watched:
    """What scapy reads from: bounds each read, and notes where a record is cut short, of which scapy says nothing."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._read = 0
        self.name = "capture"
        self.damage = ""

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= LONGEST_READ:
            raise _Damaged(f"a record of {size} octets: it is damaged")
        try:
            data = self._file.read(size)
        except (EOFError, OSError, zlib.error):
            raise _Damaged("its compression is damaged, or it was cut short") from None
        self._read += len(data)
        if 0 < len(data) < size:
            self.damage = "it was cut short in the middle of a packet"
        if self._read > MOST_OCTETS:
            raise _Damaged(f"it is longer than {MOST_OCTETS >> 30} GiB: the rest was not read")
        return data

    def close(self) -> None:
        """Its opener's to do."""


def _no_capture(path: Path) -> str:
    if os.path.getsize(path) == 0:
        return f"{path}: an empty file"
    return f"{path}: neither pcap nor pcapng; tcpdump -i IF -s 0 -w FILE 'port 67 or port 68 or port 4011' makes one"


def _datagram(data: bytes, meta: Any, reader: Any, tally: Tally) -> Captured | None:
    link = getattr(meta, "linktype", None)  # pcapng: each interface's own
    link = reader.linktype if link is None else link
    strip = _LINKS.get(link)
    if strip is None:
        tally.links.add(link)
        return None
    found = strip(data)
    if found is None:
        return None
    packet, vlans = found
    whole = getattr(meta, "wirelen", None) or len(data)
    cut = 0
    datagram = parse_datagram(packet)
    if datagram is None and whole > len(data):  # its headers tell of more than was kept
        cut = min(whole, _LARGEST) - len(data)
        datagram = parse_datagram(packet + bytes(max(0, cut)))
    if datagram is None or not {datagram.port, datagram.to_port} & set(PORTS):
        return None
    return Captured(tally.packets, _time(meta, reader), datagram, vlans, cut)


def _time(meta: Any, reader: Any) -> float:
    if hasattr(meta, "sec"):
        return float(meta.sec + meta.usec / (1e9 if getattr(reader, "nano", False) else 1e6))
    if getattr(meta, "tshigh", None) is None:
        return 0.0
    return float((meta.tshigh << 32 | meta.tslow) / (meta.tsresol or 1_000_000))


_Stripped = tuple[bytes, tuple[int, ...]] | None
_IP = 0x0800
_TAGS = (0x8100, 0x88A8, 0x9100)  # 802.1Q, 802.1ad, and what was there before it


def _tagged(data: bytes, at: int) -> _Stripped:
    """What follows the EtherType at `at`, its VLAN tags taken off."""
    vlans: list[int] = []
    while len(data) >= at + 2:
        kind = int.from_bytes(data[at : at + 2], "big")
        if kind == _IP:
            return data[at + 2 :], tuple(vlans)
        if kind not in _TAGS or len(data) < at + 4:
            return None
        vlans.append(int.from_bytes(data[at + 2 : at + 4], "big") & 0x0FFF)
        at += 4
    return None


def _bare(data: bytes) -> _Stripped:
    return data, ()


_LINKS: Mapping[int, Callable[[bytes], _Stripped]] = {
    0: lambda data: (data[4:], ()),  # NULL: BSD's loopback
    1: lambda data: _tagged(data, 12),  # Ethernet
    12: _bare,  # RAW, as OpenBSD numbers it
    101: _bare,  # RAW
    108: lambda data: (data[4:], ()),  # LOOP
    113: lambda data: _tagged(data, 14),  # LINUX_SLL: tcpdump -i any
    228: _bare,  # IPV4
    276: lambda data: _tagged(data[:2] + data[20:], 0),  # LINUX_SLL2
}
"""By link type (www.tcpdump.org/linktypes.html): the IPv4 packet in a frame, and its VLANs."""
