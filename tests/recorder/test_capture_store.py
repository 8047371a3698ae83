"""The record's file: bounded, private, readable while it is written, and no trouble where it is broken."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import pytest

from netprov.errors import ConfigError
from netprov.inventory.model import Interface, Inventory, ServerSettings, Settings, Target
from netprov.journal.recorder import channel
from netprov.mac import Mac
from netprov.recorder.entry import Entry, What, encode
from netprov.recorder.reader import Reader
from netprov.recorder.store import Piece, Store
from netprov.recorder.tap import Tap
from netprov.recorder.writer import PacketWriter

MIB = 1 << 20
MAC = "52:54:00:00:00:01"
OURS = ip_address("10.77.0.1").packed
LADY = ip_address("10.77.0.2").packed


def inventory(capture: int = 4 * MIB) -> Inventory:
    card = Interface("eth0", Mac(MAC))
    lady = Target("system", "lady", interfaces=(card,), autoinstall_meta={"rootpw": "geheim123"})
    server = ServerSettings(capture=capture)
    return Inventory.of(lady, settings=Settings(server=server))


def dhcp(mac: str, at: float, data: bytes = bytes(300), claim: str = "") -> Entry:
    return Entry(at, What.DHCP_HEARD, bytes(4), 68, b"\xff" * 4, 67, data, len(data), 0, mac, claim)


def tftp(ip: bytes, at: float, data: bytes = b"\0\4\0\1", port: int = 2070) -> Entry:
    return Entry(at, What.TFTP_HEARD, ip, port, OURS, 69, data, len(data))


def piece(owner: str, number: int, size: int, declared: bool = True) -> Piece:
    data = encode(dhcp(owner, float(number), os.urandom(size)))
    return Piece(owner, b"", 0, float(number), float(number), declared, data)


def size_of(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))


class Running:
    """A PacketWriter in a thread, as its process would run it."""

    def __init__(self, path: Path, capture: int = 4 * MIB) -> None:
        self.sender, receiver = channel()
        self.tap = Tap(self.sender)
        self.writer = PacketWriter(path, receiver, inventory(capture))
        self.thread = threading.Thread(target=self.writer.run)
        self.thread.start()

    def put(self, *entries: Entry) -> None:
        for entry in entries:
            self.tap.put(entry)
        self.tap.flush()

    def stop(self) -> None:
        self.writer.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()


def recorded(path: Path, mac: str = MAC) -> list[Entry]:
    with Reader(path) as reader:
        return list(reader.dhcp(mac, 0.0, 4e9))


def test_what_is_recorded_can_be_read_and_nobody_else_may(tmp_path):
    path = tmp_path / "capture.db"
    running = Running(path)
    running.put(dhcp(MAC, 1.0), dhcp(MAC, 2.0))
    running.put(tftp(LADY, 3.0))
    running.stop()
    assert [entry.at for entry in recorded(path)] == [1.0, 2.0]
    with Reader(path) as reader:
        assert [entry.at for entry in reader.talk(LADY, 2070, 0.0, 4.0)] == [3.0]
        assert not list(reader.talk(LADY, 2071, 0.0, 4.0))
        assert not list(reader.talk(LADY, 2070, 3.5, 4.0))
    assert path.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "capture.db-wal").exists() or (tmp_path / "capture.db-wal").stat().st_mode & 0o077 == 0


def test_secrets_are_blanked_before_they_reach_the_disk(tmp_path):
    path = tmp_path / "capture.db"
    running = Running(path)
    running.put(tftp(LADY, 1.0, b"\0\1x?token=abcdefghij\0octet\0"), tftp(LADY, 2.0, b"\0\5\0\0say geheim123 to me\0"))
    secret = Entry(3.0, What.HTTP_REQUEST, LADY, 4000, OURS, 80, b"GET /odd/thetoken HTTP/1.1\r\n\r\n", 30,
                   secret="thetoken")  # fmt: skip
    running.put(secret)
    running.stop()
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"say *********" in stored
    for word in (b"abcdefghij", b"geheim123", b"thetoken"):
        assert word not in stored


def test_another_generations_secrets_are_blanked_from_the_next_packet_on(tmp_path):
    running = Running(tmp_path / "capture.db")
    lady = Target("system", "lady", autoinstall_meta={"rootpw": "secret456"})
    running.writer.update(Inventory.of(lady, settings=inventory().settings))
    running.put(tftp(LADY, 1.0, b"\0\5\0\0say secret456 to me\0"))
    running.stop()
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"say *********" in stored
    assert b"secret456" not in stored


def test_it_goes_on_after_a_restart_and_knows_whose_address_is_whose(tmp_path):
    path = tmp_path / "capture.db"
    first = Running(path)
    first.put(dhcp(MAC, 1.0, claim="10.77.0.2"))
    first.put(tftp(LADY, 2.0))
    first.stop()
    second = Running(path)
    second.put(tftp(LADY, 3.0))
    second.stop()
    rows = sqlite3.connect(path).execute("SELECT owner, declared FROM pieces ORDER BY id").fetchall()
    assert rows == [(MAC, 1)] * 3


def test_the_file_is_bounded_and_a_noisy_machine_pushes_nobody_out(tmp_path):
    path, bound = tmp_path / "capture.db", 2 * MIB
    store = Store(path)
    store.add([piece(f"02:00:00:00:00:{n:02x}", n, 600) for n in range(10)], bound)
    for number in range(10, 400):
        store.add([piece("noisy", number, 16_000), piece("noisy", number, 900)], bound)
    held = {owner for (owner,) in store._db.execute("SELECT DISTINCT owner FROM pieces")}
    assert {f"02:00:00:00:00:{n:02x}" for n in range(10)} <= held
    assert store.shares.octets == sum(
        octets + 150 for (octets,) in store._db.execute("SELECT length(entries) FROM pieces")
    )
    newest = store._db.execute("SELECT max(first) FROM pieces").fetchone()[0]
    store.close()
    assert newest == 399.0
    assert size_of(path) < bound * 1.2


@pytest.mark.parametrize("octets", [100, 1500, 4200])
def test_pages_that_are_not_quite_full_count_too(tmp_path, octets):
    path, bound = tmp_path / "capture.db", MIB
    store = Store(path)
    for number in range(3 * MIB // octets // 20):
        store.add([piece(f"02:00:00:00:{number % 7:02x}:01", number, octets) for _ in range(20)], bound)
    store.close()
    assert bound // 2 < size_of(path) < bound * 1.2


def test_a_smaller_bound_gives_the_disk_back(tmp_path):
    path = tmp_path / "capture.db"
    store = Store(path)
    for number in range(300):
        store.add([piece(MAC, number, 16_000)], 4 * MIB)
    for number in range(300, 320):
        store.add([piece(MAC, number, 100)], MIB)
    store.close()
    assert size_of(path) < MIB * 1.3


def test_it_is_read_while_it_is_written(tmp_path):
    path = tmp_path / "capture.db"
    running = Running(path, MIB)
    stop = time.monotonic() + 2.0
    number = seen = 0
    while time.monotonic() < stop:
        running.put(*(dhcp(MAC, float(number + n), os.urandom(1000)) for n in range(20)))
        number += 20
        time.sleep(0.01)
        seen = max(seen, len(recorded(path)))
    running.stop()
    assert seen > 0
    found = [entry.at for entry in recorded(path)]
    assert found == sorted(found)
    assert found[-1] == number - 1


BROKEN = {
    "garbage": lambda data: b"no database\n" * 500,
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2 + 100],
    "overwritten": lambda data: data[:4096] + os.urandom(len(data) - 4096),
    "its header only": lambda data: data[:100],
    "a pcap": lambda data: b"\xd4\xc3\xb2\xa1\2\0\4\0" + bytes(5000),
}


def make(path: Path, pieces: int = 40) -> None:
    store = Store(path)
    store.add([piece(MAC, number, 500) for number in range(pieces)], MIB)
    store.close()


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_file_is_told_to_who_reads_and_replaced_by_who_writes(tmp_path, how):
    path = tmp_path / "capture.db"
    make(path)
    path.write_bytes(BROKEN[how](path.read_bytes()))
    with suppress(ConfigError):  # of a file that is cut or overwritten some may be readable
        recorded(path)
    running = Running(path)
    running.put(dhcp(MAC, 99.0))
    time.sleep(0.7)
    running.put(dhcp(MAC, 100.0))
    running.stop()
    assert recorded(path)[-1].at == 100.0


@pytest.mark.parametrize("how", ["garbage", "a pcap"])
def test_who_reads_a_file_that_is_no_record_is_told_so(tmp_path, how):
    path = tmp_path / "capture.db"
    path.write_bytes(BROKEN[how](b""))
    with pytest.raises(ConfigError, match=r"capture\.db: the recorded packets cannot be read: .*begins a new one"):
        recorded(path)


def test_somebody_elses_database_is_no_record(tmp_path):
    path = tmp_path / "capture.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE events (id)")
        other.execute("PRAGMA user_version = 3")
    other.close()
    with pytest.raises(ConfigError, match="it is not a record of packets"):
        recorded(path)
    running = Running(path)
    running.put(dhcp(MAC, 1.0))
    running.stop()
    assert len(recorded(path)) == 1
    assert (tmp_path / "capture.db.corrupt-1").exists()


def test_octets_that_went_bad_within_a_piece_cost_that_piece(tmp_path):
    path = tmp_path / "capture.db"
    make(path, 3)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE pieces SET entries = x'00112233' WHERE id = 2")
        db.execute("UPDATE pieces SET entries = 'text' WHERE id = 3")
    db.close()
    assert [entry.at for entry in recorded(path)] == [0.0]


def test_a_record_that_is_not_there_is_an_empty_one(tmp_path):
    assert recorded(tmp_path / "nothing.db") == []


def test_a_disk_that_fails_stops_nobody_and_is_told_once(tmp_path, caplog):
    path = tmp_path / "capture.db"
    path.mkdir()  # no file can be there
    running = Running(path)
    for number in range(30):
        running.put(dhcp(MAC, float(number)))
        time.sleep(0.05)
    assert running.thread.is_alive()
    running.stop()
    assert caplog.text.count("packets are not recorded until this is over") == 1


def test_it_goes_on_when_the_trouble_is_over(tmp_path, caplog):
    path = tmp_path / "capture.db"
    path.mkdir()
    running = Running(path)
    running.put(dhcp(MAC, 1.0))
    time.sleep(0.7)
    path.rmdir()
    time.sleep(1.0)
    running.put(dhcp(MAC, 2.0))
    running.stop()
    assert [entry.at for entry in recorded(path)] == [2.0]


def test_what_no_worker_would_send_is_dropped(tmp_path, caplog):
    path = tmp_path / "capture.db"
    running = Running(path)
    for octets in (b"x", os.urandom(500), encode(dhcp(MAC, 1.0))[:-3]):
        running.sender.send(octets)
    running.put(dhcp(MAC, 2.0))
    running.put(dhcp("\N{SNOWMAN}"[:0] or MAC, 3.0, claim="not an address"))
    running.stop()
    assert [entry.at for entry in recorded(path)] == [2.0, 3.0]
    assert "dropped what a worker recorded" in caplog.text
