"""Wireshark's own opinion of a capture file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

CHECKED = [word for name in ("ip", "udp", "tcp") for word in ("-o", f"{name}.check_checksum:TRUE")]


def needed() -> None:
    if shutil.which("tshark") is None:
        pytest.skip("needs tshark: apt-get install tshark")


def rows(path: Path, *fields: str, only: str = "", ports: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """These fields of every packet that the display filter `only` lets through. `ports`: "udp.port==4069,tftp"."""
    needed()
    command = ["tshark", "-n", "-r", str(path), *CHECKED, "-T", "fields"]
    for rule in ports:
        command += ["-d", rule]
    for field in fields:
        command += ["-e", field]
    if only:
        command += ["-Y", only]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


WRONG = (
    '_ws.malformed || ip.checksum.status == "Bad" || udp.checksum.status == "Bad" || tcp.checksum.status == "Bad" || '
    "udp.length.bad || ip.bogus_ip_length || tcp.analysis.retransmission || tcp.analysis.ack_lost_segment"
)


def assert_sound(path: Path, ports: tuple[str, ...] = ()) -> None:
    """Nothing malformed, and every length and checksum as it must be."""
    wrong = rows(path, "frame.number", "_ws.col.Info", "_ws.expert.message", only=WRONG, ports=ports)
    assert not wrong, wrong
