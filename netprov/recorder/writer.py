"""The recorder's process: takes what the workers heard and said, blanks the secrets, stores it in batches."""

from __future__ import annotations

import logging
import os
import select
import socket
import sqlite3
import time
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

from netprov.errors import PeerError
from netprov.inventory.model import Inventory
from netprov.recent import Recent
from netprov.recorder.blank import Blanker
from netprov.recorder.entry import Entry, What, decoded, encode
from netprov.recorder.secrets import secrets_of
from netprov.recorder.store import Piece, Store
from netprov.recorder.tap import MAX_OCTETS
from netprov.state.sqlite import is_damaged, put_aside

log = logging.getLogger(__name__)

BATCH_SECONDS = 0.5
BATCH_OCTETS = 1 << 20
_PIECE = 16_384  # octets of entries that are stored as one
_NICE = 10  # where processors are scarce, machines are served first
_RETRY = 1.0  # seconds between attempts at a file that does not open
_ADDRESSES = 65_536  # whose they are is remembered


class PacketWriter:
    """Stores what comes over `sock` in the record at `path`, `server.capture` octets of it.

    For a process of its own: `run()` until `stop()`, which a signal handler may call. Nothing that the file or its disk
    does makes it raise: packets are dropped, and it goes on when the trouble is over.
    """

    def __init__(self, path: Path, sock: socket.socket, inventory: Inventory) -> None:
        self._path = path
        self._sock = sock
        self._poll = select.poll()
        self._store: Store | None = None
        self._retry_at = 0.0
        self._trouble = ""  # what was said last, so that it is said once
        self._batch = Batch()
        self._stopping = False
        self._awake, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.update(inventory)

    def update(self, inventory: Inventory) -> None:
        """A new generation: other secrets, other systems, another bound."""
        self._bound = inventory.settings.server.capture
        self._batch.update(Blanker(secrets_of(inventory)), frozenset(mac for mac, _ in inventory.macs()))

    def stop(self) -> None:
        """Let `run()` store what came so far, and return."""
        self._stopping = True
        os.write(self._wake, b"x")

    def run(self) -> None:
        os.nice(_NICE)
        self._open(time.monotonic())
        self._poll.register(self._awake, select.POLLIN)
        self._poll.register(self._sock, select.POLLIN)
        due: float | None = None
        while not self._stopping:
            now = time.monotonic()
            self._poll.poll(None if due is None else max(0.0, due - now) * 1000)
            self._read()
            now = time.monotonic()
            if self._batch.octets and due is None:
                due = now + BATCH_SECONDS
            if due is not None and (now >= due or self._batch.octets >= BATCH_OCTETS):
                self._write(now)
                due = None
        self._read()
        self._write(time.monotonic())
        self._close()

    def _read(self) -> None:
        while self._batch.octets < BATCH_OCTETS:
            try:
                message = self._sock.recv(MAX_OCTETS + 1024)
            except OSError:  # nothing more
                return
            if not message:  # every worker has ended
                self._poll.unregister(self._sock)
                return
            try:
                for entry, octets in decoded(message):
                    self._batch.take(entry, octets)
            except PeerError as error:
                self._say(f"dropped what a worker recorded: {error}")

    # storing

    def _write(self, now: float) -> None:
        pieces = self._batch.pieces()
        if self._store is None:
            self._open(now)
        if self._store is None or not pieces:
            return
        try:
            self._store.add(pieces, self._bound)
            self._trouble = ""
        except (sqlite3.Error, OSError) as error:
            self._fail(error, now)

    def _open(self, now: float) -> None:
        if now < self._retry_at:
            return
        self._retry_at = now + _RETRY
        try:
            self._store = Store(self._path)
            self._batch.remember(self._store.owners())
        except (sqlite3.Error, OSError) as error:
            self._fail(error, now)

    def _fail(self, error: Exception, now: float) -> None:
        """The next batch begins with a fresh connection; what is no record of ours goes out of the way."""
        self._close()
        self._retry_at = now + _RETRY
        self._say(f"{self._path}: {error}; packets are not recorded until this is over")
        if is_damaged(error):
            aside = put_aside(self._path, error)
            self._say(aside.text)
            if aside.moved:
                self._retry_at = 0.0

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _say(self, text: str) -> None:
        if text != self._trouble:
            self._trouble = text
            log.error("%s", text)


class Batch:
    """What waits to be stored: blanked, and by conversation. It knows whose address is whose, as well as can be told.

    That decides whose share a packet counts to. Which boot it belongs to, the journal says (export.py).
    """

    def __init__(self) -> None:
        self.octets = 0
        self._talks: dict[tuple[str, bytes, int], list[_Stored]] = {}
        self._owners: Recent[bytes, str] = Recent(_ADDRESSES)
        self._blanker = Blanker()
        self._declared: frozenset[str] = frozenset()

    def update(self, blanker: Blanker, declared: frozenset[str]) -> None:
        """`declared`: the MACs that are."""
        self._blanker, self._declared = blanker, declared

    def remember(self, owners: dict[bytes, str]) -> None:
        for ip, owner in owners.items():
            if self._owners.get(ip) is None:
                self._owners.put(ip, owner)

    def take(self, entry: Entry, octets: bytes) -> None:
        """An entry, and as what it came: so it is stored where there is nothing to blank."""
        owner = self._owner(entry)
        dhcp = entry.what in (What.DHCP_HEARD, What.DHCP_SENT)
        data = self._blanker.entry(entry)
        declared = entry.declared or owner in self._declared
        talk = (owner, b"", 0) if dhcp else (owner, entry.ip, entry.port)
        if data != entry.data or entry.secret:
            octets = encode(replace(entry, data=data, secret=""))
        self._talks.setdefault(talk, []).append((entry.at, declared, octets))
        self.octets += len(octets)

    def _owner(self, entry: Entry) -> str:
        if not entry.mac:
            return self._owners.get(entry.ip) or f"ip {ip_address(entry.ip)}"
        try:
            claim = ip_address(entry.claim).packed if entry.claim else b""
        except ValueError:
            claim = b""
        if claim:
            self._owners.put(claim, entry.mac)
        return entry.mac

    def pieces(self) -> list[Piece]:
        """All that waits; nothing does any more."""
        talks, self._talks, self.octets = self._talks, {}, 0
        return [piece for talk, entries in talks.items() for piece in _pieces(talk, entries)]


_Stored = tuple[float, bool, bytes]
"""When it was, whether a declared system's, and the entry's octets."""


def _pieces(talk: tuple[str, bytes, int], entries: list[_Stored]) -> list[Piece]:
    found: list[Piece] = []
    begin, octets = 0, 0
    for number, entry in enumerate(entries, 1):
        octets += len(entry[2])
        if number == len(entries) or octets >= _PIECE:
            times, declared, parts = zip(*entries[begin:number], strict=True)
            found.append(Piece(*talk, min(times), max(times), any(declared), b"".join(parts)))
            begin, octets = number, 0
    return found
