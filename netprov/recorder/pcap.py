"""The capture file that Wireshark, tcpdump and scapy open: pcap 2.4, Ethernet, microseconds."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import BinaryIO

from netprov.recorder.frames import Frame

_ETHERNET = 1  # LINKTYPE_ETHERNET
_SNAPLEN = 262_144  # tcpdump's
_FILE = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, _SNAPLEN, _ETHERNET)
_RECORD = struct.Struct("<IIII")


def write(file: BinaryIO, frames: Iterable[Frame]) -> int:
    """Write `frames` to `file`; how many there were. Raises OSError."""
    file.write(_FILE)
    count = 0
    for frame in frames:
        seconds, microseconds = divmod(round(frame.at * 1_000_000), 1_000_000)
        file.write(_RECORD.pack(seconds & 0xFFFFFFFF, microseconds, len(frame.data), frame.length))
        file.write(frame.data)
        count += 1
    return count
