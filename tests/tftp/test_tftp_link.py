"""Over an Ethernet link in network namespaces: what loopback's MTU of 65536 cannot show."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SERVER = "10.99.69.1"


@dataclass(frozen=True)
class Link:
    root: Path
    log: Path
    client: str  # the namespace

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["ip", "netns", "exec", self.client, *words]
        return subprocess.run(command, cwd=self.root.parent, capture_output=True, text=True, timeout=60, check=False)

    def logged(self, text: str) -> bool:
        until = time.monotonic() + 10
        while text not in self.log.read_text() and time.monotonic() < until:
            time.sleep(0.02)
        return text in self.log.read_text()


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def link(tmp_path: Path) -> Iterator[Link]:
    names = [f"tftp{os.getpid()}{side}" for side in "sc"]
    root, log = tmp_path / "root", tmp_path / "log"
    root.mkdir()
    process = None
    try:
        for name in names:
            ip("netns", "add", name)
        ip("link", "add", "eth0", "netns", names[0], "type", "veth", "peer", "name", "eth0", "netns", names[1])
        for number, name in enumerate(names, 1):
            ip("-n", name, "addr", "add", f"10.99.69.{number}/24", "brd", "+", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
        words = ["ip", "netns", "exec", names[0], sys.executable, str(REPOSITORY / "bench" / "tftp_serve.py")]
        with log.open("w") as out:
            process = subprocess.Popen([*words, str(root), "69", "0.0.0.0"], stdout=out, stderr=out)
        until = time.monotonic() + 10
        while (
            ":69 "
            not in subprocess.run(
                ["ip", "netns", "exec", names[0], "ss", "-uln"], capture_output=True, text=True, check=True
            ).stdout
        ):
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield Link(root, log, names[1])
    finally:
        if process is not None:
            process.terminate()
            process.wait(10)
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


ASK = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.settimeout(1)
s.sendto(bytes.fromhex(sys.argv[2]), (sys.argv[1], 69))
try:
    print(s.recv(2000).hex())
except TimeoutError:
    print("silence")
"""


def ask(link: Link, address: str, datagram: bytes) -> str:
    return link.run(sys.executable, "-c", ASK, address, datagram.hex()).stdout.strip()


@pytest.mark.e2e
def test_t4_blocks_fit_the_link(link: Link) -> None:
    (link.root / "f").write_bytes(bytes(5000))
    answer = ask(link, SERVER, b"\0\1f\0octet\0blksize\00065464\0")
    assert bytes.fromhex(answer) == b"\0\6blksize\0001468\0"


@pytest.mark.e2e
def test_a_broadcast_request_is_not_answered(link: Link) -> None:
    """RFC 1123 §4.2.3.5."""
    (link.root / "f").write_bytes(b"x")
    assert ask(link, "10.99.69.255", b"\0\1f\0octet\0") == "silence"
    assert link.logged("sent to many")


@pytest.mark.e2e
@pytest.mark.parametrize("window", [1, 16, 64])
def test_t6_windows_over_the_link(link: Link, window: int) -> None:
    data = os.urandom(3_000_003)
    (link.root / "f").write_bytes(data)
    options = [f"--option=windowsize {window}", "--option=blksize 1468"]
    link.run("atftp", *options, "--get", "-r", "f", "-l", "got", SERVER)
    assert (link.root.parent / "got").read_bytes() == data
    assert link.logged("tftp.done")
