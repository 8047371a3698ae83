"""A TFTP server of ours on loopback, and a client made of bare sockets and literal octets."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from netprov.files.opened import Identity, OpenedFile
from netprov.files.paths import open_beneath
from netprov.inventory.model import TftpSettings
from netprov.journal.event import Event, Kind
from netprov.tftp.server import TftpServer
from netprov.tftp.session import Crowd
from netprov.tftp.source import About, Address, Content, Kept

PATIENCE = 10.0  # seconds until a test gives up on an answer


class World:
    """A folder, rendered names, a running server, the events it told."""

    def __init__(
        self,
        root: Path,
        settings: TftpSettings | None = None,
        address: str = "127.0.0.1",
        crowd: Crowd | None = None,
        bind: str | None = None,
    ) -> None:
        self.root = root
        self.made: dict[str, Callable[[], Content]] = {}
        self.asked: list[tuple[str, Address, Address | None]] = []
        self.previewed: list[bool] = []
        self.events: list[Event] = []
        self.address = address
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.bind((bind or address, 0))
        self.port: int = sock.getsockname()[1]
        self._root_fd = os.open(root, os.O_PATH | os.O_DIRECTORY)
        self.settings = settings or TftpSettings()
        self.server = TftpServer([sock], lambda: self, self.events.append, crowd=crowd)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def rendered(
        self, name: str, peer: Address, server: Address | None, preview: bool = False
    ) -> Callable[[], Content] | None:
        self.asked.append((name, peer, server))
        self.previewed.append(preview)
        return self.made.get(name)

    def open(self, name: str) -> Kept:
        fd = open_beneath(self._root_fd, name)
        return Kept(OpenedFile(fd, Identity.of(fd)), About(stage="loader-file"))

    def stop(self, drain: float = 0.0) -> None:
        if self.thread.is_alive():
            self.server.stop(drain)
            self.thread.join(PATIENCE)
            assert not self.thread.is_alive()
            os.close(self._root_fd)

    def told(self, kind: Kind, count: int = 1) -> list[Event]:
        """The events of `kind`, once there are `count`."""
        until = time.monotonic() + PATIENCE
        while True:
            events = [event for event in self.events if event.kind is kind]
            if len(events) >= count or time.monotonic() > until:
                assert len(events) >= count, self.events
                return events
            time.sleep(0.005)

    def client(self, source: str = "") -> Client:
        return Client((self.address, self.port), source)


class Client:
    """One UDP socket. Packets are literal octets: nothing of the code under test is in it."""

    def __init__(self, server: tuple[str, int], source: str = "") -> None:
        self.server = server
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.bind((source, 0))
        self.sock.settimeout(PATIENCE)
        self.tid: tuple[str, int] = server

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def rrq(self, name: bytes, *options: bytes, mode: bytes = b"octet") -> bytes:
        return self.ask(b"\0\1" + b"".join(field + b"\0" for field in (name, mode, *options)))

    def ask(self, datagram: bytes) -> bytes:
        """Send to the server's listening port; the answer's port is the transfer's from then on."""
        self.sock.sendto(datagram, self.server)
        return self.hear()

    def say(self, datagram: bytes) -> None:
        self.sock.sendto(datagram, self.tid)

    def ack(self, block: int) -> None:
        self.say(b"\0\4" + block.to_bytes(2, "big"))

    def hear(self, patience: float = PATIENCE) -> bytes:
        self.sock.settimeout(patience)
        datagram, sender = self.sock.recvfrom(70000)
        self.tid = sender[:2]
        return datagram

    def hear_block(self, block: int) -> bytes:
        """The next packet that is not another block, sent again because this machine was too busy to acknowledge it."""
        while True:
            packet = self.hear()
            if packet[:2] != b"\0\3" or packet[2:4] == (block & 0xFFFF).to_bytes(2, "big"):
                return packet

    def silent(self, seconds: float = 0.15) -> bool:
        """Whether nothing comes for a moment."""
        try:
            self.hear(seconds)
        except TimeoutError:
            return True
        return False

    def get(self, name: bytes, *options: bytes, mode: bytes = b"octet") -> bytes:
        """The whole file, lock-step; raises AssertionError on an ERROR."""
        packet = self.rrq(name, *options, mode=mode)
        blksize, parts, expected = 512, [], 1
        if packet[:2] == b"\0\6":
            pairs = packet[2:].split(b"\0")[:-1]
            granted = dict(zip(pairs[::2], pairs[1::2], strict=True))
            blksize = int(granted.get(b"blksize", 512))
            self.ack(0)
            packet = self.hear()
        while True:
            assert packet[:2] == b"\0\3", packet
            if packet[2:4] == (expected & 0xFFFF).to_bytes(2, "big"):
                parts.append(packet[4:])
                expected += 1
            self.ack(expected - 1)
            if len(parts[-1]) < blksize:
                return b"".join(parts)
            packet = self.hear()


def options_of(packet: bytes) -> dict[bytes, bytes]:
    assert packet[:2] == b"\0\6", packet
    fields = packet[2:].split(b"\0")
    assert fields.pop() == b""
    return dict(zip(fields[::2], fields[1::2], strict=True))


def error_of(packet: bytes) -> tuple[int, str]:
    assert packet[:2] == b"\0\5", packet
    assert packet[-1:] == b"\0"
    return int.from_bytes(packet[2:4], "big"), packet[4:-1].decode()
