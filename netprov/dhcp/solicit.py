"""Spares iPXE its wait for IPv6.

iPXE sets up IPv6 beside IPv4, and goes on only when both have ended: where no IPv6 router answers, that is after 15
seconds of router solicitations (measured: QEMU's ROM asks for its script 4 s after power-on with an answer, 19 s
without). So whoever was just given a boot by us is told that there is nothing to wait for: a router advertisement
without a prefix, of a router with a lifetime of 0, which is no router (RFC 4861 §4.2). It goes to that machine alone,
and changes nothing for one that hears a real router too.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from ipaddress import IPv6Address

from netprov.mac import Mac, mac_of

SOLICITATION, ADVERTISEMENT = 133, 134  # ICMPv6 types
NOTHING_HERE = struct.pack("!BBHBBHII", ADVERTISEMENT, 0, 0, 0, 0, 0, 0, 0)  # the kernel fills in the checksum

EXPECTED = 120.0  # seconds after a DHCP answer within which a machine's solicitation is its boot's
_MACHINES = 4096  # remembered at once
_SOURCE_ADDRESS = 1  # the option that carries the sender's Ethernet address, in units of 8 octets


class Solicited:
    """Which machines to answer, and with what."""

    def __init__(self) -> None:
        self._expected: OrderedDict[Mac, float] = OrderedDict()

    def expect(self, mac: Mac, now: float) -> None:
        """The machine was given a boot."""
        self._expected[mac] = now
        self._expected.move_to_end(mac)
        if len(self._expected) > _MACHINES:
            self._expected.popitem(last=False)

    def receive(self, data: bytes, source: IPv6Address, now: float) -> bytes | None:
        """The answer to the ICMPv6 message `data`; None: no solicitation, or of a machine that is none of ours."""
        if len(data) < 8 or data[0] != SOLICITATION or data[1] != 0 or not source.is_link_local:
            return None
        mac = _sender(data[8:]) or _from_eui64(source)
        at = self._expected.get(mac) if mac is not None else None
        return NOTHING_HERE if at is not None and abs(now - at) < EXPECTED else None


def _sender(options: bytes) -> Mac | None:
    at = 0
    while at + 8 <= len(options) and options[at + 1]:
        if options[at] == _SOURCE_ADDRESS and options[at + 1] == 1:
            return mac_of(options[at + 2 : at + 8])
        at += options[at + 1] * 8
    return None


def _from_eui64(source: IPv6Address) -> Mac | None:
    """The Ethernet address that a link-local address is made of (RFC 4291, appendix A)."""
    octets = source.packed[8:]
    if octets[3:5] != b"\xff\xfe":
        return None
    return mac_of(bytes((octets[0] ^ 2,)) + octets[1:3] + octets[5:])
