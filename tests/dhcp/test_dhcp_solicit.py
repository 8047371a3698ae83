"""iPXE's router solicitations: who is told that there is nothing to wait for."""

from __future__ import annotations

import subprocess
import sys
import time
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.dhcp.solicit import NOTHING_HERE, Solicited
from netprov.mac import Mac

MAC = Mac("52:54:00:77:00:01")
LINK_LOCAL = IPv6Address("fe80::5054:ff:fe77:1")  # made of MAC
RANDOM = IPv6Address("fe80::1234:5678:9abc:def0")
BARE = b"\x85" + bytes(7)
WITH_MAC = BARE + b"\1\1" + bytes.fromhex("525400770001")
OTHER_MAC = BARE + b"\1\1" + bytes.fromhex("525400770002")

CASES = [
    ("by its address", BARE, LINK_LOCAL, 1.0, True),
    ("by the option", WITH_MAC, RANDOM, 1.0, True),
    ("after another option", BARE + b"\x0e\1" + bytes(6) + WITH_MAC[8:], RANDOM, 1.0, True),
    ("another machine", OTHER_MAC, LINK_LOCAL, 1.0, False),
    ("nobody known", BARE, RANDOM, 1.0, False),
    ("long after its boot", WITH_MAC, LINK_LOCAL, 121.0, False),
    ("not from this link", WITH_MAC, IPv6Address("2001:db8::1"), 1.0, False),
    ("from nowhere", WITH_MAC, IPv6Address("::"), 1.0, False),
    ("an advertisement", b"\x86" + WITH_MAC[1:], LINK_LOCAL, 1.0, False),
    ("cut short", BARE[:7], LINK_LOCAL, 1.0, False),
    ("an option of length 0", BARE + b"\1\0" + bytes(6), RANDOM, 1.0, False),
]


@pytest.mark.parametrize(("data", "source", "now", "answered"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_who_is_answered(data: bytes, source: IPv6Address, now: float, answered: bool) -> None:
    solicited = Solicited()
    solicited.expect(MAC, 0.0)
    assert solicited.receive(data, source, now) == (NOTHING_HERE if answered else None)


def test_the_answer_promises_nothing() -> None:
    """No prefix, no router: hop limit, flags, lifetime and timers are all unspecified."""
    assert b"\x86" + bytes(15) == NOTHING_HERE


def test_a_flood_is_forgotten() -> None:
    solicited = Solicited()
    for n in range(10_000):
        solicited.expect(Mac(str(n)), float(n))
    assert len(solicited._expected) == 4096


@given(st.binary(max_size=80))
def test_anything_may_come(data: bytes) -> None:
    solicited = Solicited()
    solicited.receive(data, LINK_LOCAL, 0.0)
    solicited.receive(BARE + data, RANDOM, 0.0)


SOLICIT = """
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
index = socket.if_nametoindex("cli0")
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
s.settimeout(0.4)
for _ in range(3):
    s.sendto(b"\\x85" + bytes(7) + b"\\1\\1" + bytes.fromhex("020000770050"), ("ff02::2", 0, 0, index))
    try:
        while True:
            data, peer = s.recvfrom(2000)
            if data[0] == 134:
                print(data[4:].hex())
                sys.exit()
    except TimeoutError:
        pass
print("none")
"""


def has_link_local(space: str, device: str) -> bool:
    """Waits until duplicate address detection is over."""
    words = ["ip", "-n", space, "-6", "-o", "addr", "show", "dev", device, "scope", "link", "-tentative"]
    end = time.monotonic() + 6
    while time.monotonic() < end:
        if "fe80" in subprocess.run(words, capture_output=True, text=True, check=False).stdout:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.e2e
def test_on_the_wire(wire: Any, tmp_path: Path) -> None:
    if not (has_link_local(wire.server, "srv0") and has_link_local(wire.client, "cli0")):
        pytest.skip("this kernel has no IPv6")
    wire.serve(tmp_path, systems={"lady": ("02:00:00:77:00:50", "10.77.0.14/16")})
    assert wire.python(SOLICIT).strip() == "none"
    done = wire.run(sys.executable, "-c", "from scapy_client import *; print(ask('discover', *PXE)['file'])")
    assert done.stdout.strip() == "shimx64.efi", done.stderr
    assert wire.python(SOLICIT).strip() == bytes(12).hex()
