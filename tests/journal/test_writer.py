"""The writer stores what it gets, whatever happens to it, its file or its disk."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from netprov.boot.reason import Reason
from netprov.inventory.model import Inventory, ServerSettings, Settings
from netprov.journal.event import Event, Kind
from netprov.journal.fact import HOST
from netprov.journal.recorder import Recorder, channel
from netprov.journal.timeline import Timeline
from netprov.journal.writer import JournalWriter
from tests.world import until

from .scenes import Machine, bios_pxelinux, uefi_grub

MAC = "52:54:00:00:00:01"


def _event(n: int, at: float = 0.0) -> Event:
    return Event(at or time.time(), Kind.TFTP_DONE, Reason.TFTP_OK, stage="file", mac=MAC, ip="10.0.0.1", xid=n)


@contextmanager
def _writing(
    path: Path, settings: ServerSettings | None = None, clock: Callable[[], float] = time.time
) -> Iterator[tuple[Recorder, JournalWriter]]:
    workers, end = channel()
    writer = JournalWriter(path, [end], settings or ServerSettings(), clock)
    thread = threading.Thread(target=writer.run)
    thread.start()
    try:
        yield Recorder(workers), writer
    finally:
        writer.stop()
        thread.join(20)
        workers.close()
        end.close()
    assert not thread.is_alive()


def _stored(path: Path) -> list[Event]:
    with Timeline(path) as timeline:
        return [placed.event for _, placed in timeline.after(0, 1_000_000)]


def test_what_is_recorded_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "made" / "journal.db"
    with _writing(path) as (recorder, _):
        for n in range(3000):
            recorder.record(_event(n))
        until(lambda: path.exists() and len(_stored(path)) == 3000)  # while it runs
    stored = _stored(path)
    assert [event.xid for event in stored] == list(range(3000))
    assert path.stat().st_mode & 0o007 == 0


def test_stopping_stores_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with _writing(path) as (recorder, _):
        recorder.record(_event(1))
    assert len(_stored(path)) == 1


def test_a_writer_stopped_before_it_runs(tmp_path: Path) -> None:
    workers, end = channel()
    writer = JournalWriter(tmp_path / "journal.db", [end], ServerSettings())
    writer.stop()
    Recorder(workers).record(_event(1))
    writer.run()
    assert len(_stored(tmp_path / "journal.db")) == 1
    workers.close()
    end.close()


def test_boots_go_on_after_a_restart(tmp_path: Path) -> None:
    """Half a boot before, half after; then the next boot has the next number."""
    path = tmp_path / "journal.db"
    machine = bios_pxelinux(Machine())
    half = len(machine.events) // 2
    uefi_grub(machine.wait(15.0))
    for part in (machine.events[:half], machine.events[half:]):
        with _writing(path, clock=lambda: Machine.at) as (recorder, _):
            for event in part:
                recorder.record(event)
    (first,) = Timeline.read(path, machine.mac, last=2)[:1]
    assert [boot.number for boot in Timeline.read(path, "lady", last=9)] == [1, 2]
    assert len(first.events) == len(bios_pxelinux(Machine()).events)


def test_an_address_that_gets_a_name_brings_its_events_along(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    machine = Machine().tftp("ipxe.efi", "loader").tftp("script", "script", named=True).tftp("vmlinuz", "kernel")
    with _writing(path, clock=lambda: Machine.at) as (recorder, _):
        for event in machine.events:
            recorder.record(event)
    (boot,) = Timeline.read(path, machine.mac)
    assert len(boot.events) == 6
    assert Timeline.read(path, machine.ip) == ()


@pytest.mark.parametrize("damage", ["garbage", "cut", "other version", "inside"])
def test_a_damaged_journal_is_moved_aside(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "journal.db"
    with _writing(path) as (recorder, _):
        for n in range(500):
            recorder.record(_event(n))
    if damage == "garbage":
        path.write_bytes(os.urandom(10_000))
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "other version":
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 99")
        db.close()
    elif damage == "inside":
        octets = path.read_bytes()
        path.write_bytes(octets[:4096] + b"\xff" * (len(octets) - 4096))
    with _writing(path) as (recorder, _):
        for n in range(1000, 1020):
            recorder.record(_event(n))
            time.sleep(0.03)
        aside = tmp_path / "journal.db.corrupt-1"
        until(aside.exists)
        recorder.record(_event(2000))
        until(lambda: any(event.xid == 2000 for event in _stored(path)))
        until(lambda: any(event.reason is Reason.JOURNAL_DAMAGED for event in _stored(path)))
    assert "a new one is made" in caplog.text


def test_damaged_journals_do_not_fill_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    for _ in range(8):
        path.write_bytes(os.urandom(1000))
        with _writing(path) as (recorder, _):
            recorder.record(_event(1))
    assert len([file for file in tmp_path.iterdir() if file.name.endswith(tuple("12345678"))]) == 5


def test_a_journal_that_cannot_be_made_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "journal.db"
    with _writing(path) as (recorder, _):
        for n in range(50):
            recorder.record(_event(n))
        until(lambda: caplog.records)
        (tmp_path / "file").unlink()  # the trouble is over
        until(lambda: recorder.record(_event(99)) or any(e.xid == 99 for e in _stored(path)))
        assert any(event.reason is Reason.EVENTS_LOST for event in _stored(path))
    assert len(caplog.records) <= 3


def test_retention_by_count(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with _writing(path, ServerSettings(journal_events=100)) as (recorder, _):
        for n in range(1500):
            recorder.record(_event(n))
        until(lambda: [event.xid for event in _stored(path)][-1:] == [1499])
        recorder.record(_event(1500))
        until(lambda: [event.xid for event in _stored(path)] == list(range(1401, 1501)))


def test_retention_by_age_and_a_new_generation(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with _writing(path) as (recorder, writer):
        now = time.time()
        for n in range(50):
            recorder.record(_event(n, at=now - 10_000 + n))
        until(lambda: path.exists() and len(_stored(path)) == 50)
        writer.update(Inventory(settings=Settings(server=ServerSettings(journal_age=9975))))
        recorder.record(_event(50))
        until(lambda: 20 <= len(_stored(path)) <= 27)
        assert _stored(path)[-1].xid == 50


def test_garbage_from_a_worker_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    workers, end = channel()
    writer = JournalWriter(path, [end], ServerSettings())
    for data in (b"garbage", b"[]", b"\xff" * 1000):
        workers.send(data)
    Recorder(workers).record(_event(1))
    writer.stop()
    writer.run()
    assert [event.detail for event in _stored(path)] == [(), (("lost", "3"),)]
    workers.close()
    end.close()


def test_hostile_text_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    hostile = "\x1b[2J\0\udcff\u202e'; DROP TABLE events; --"
    with _writing(path) as (recorder, _):
        recorder.record(replace(_event(1), name=hostile, detail=((HOST, hostile),)))
    (event,) = _stored(path)
    assert event.name == event.detail[0][1] == hostile.replace("\udcff", "\\udcff")


def test_workers_that_end_leave_the_writer_idle(tmp_path: Path) -> None:
    """The end of the last worker is no reason to spin."""
    workers, end = channel()
    writer = JournalWriter(tmp_path / "journal.db", [end], ServerSettings())
    thread = threading.Thread(target=writer.run)
    thread.start()
    Recorder(workers).record(_event(1))
    workers.close()
    until(lambda: (tmp_path / "journal.db").exists() and _stored(tmp_path / "journal.db"))
    before = time.thread_time_ns(), time.process_time()
    time.sleep(0.5)
    assert time.process_time() - before[1] < 0.25
    writer.stop()
    thread.join(10)
    assert not thread.is_alive()
    end.close()


def test_a_killed_writer_loses_only_what_it_held(tmp_path: Path) -> None:
    """The socket keeps what is recorded until another writer reads it."""
    path = tmp_path / "journal.db"
    workers, end = channel()
    context = multiprocessing.get_context("fork")
    recorder = Recorder(workers)
    process = context.Process(target=lambda: JournalWriter(path, [end], ServerSettings()).run())
    process.start()
    assert process.pid is not None
    try:
        for n in range(200):
            recorder.record(_event(n))
        until(lambda: path.exists() and len(_stored(path)) == 200)
        os.kill(process.pid, signal.SIGKILL)
        process.join(10)
        for n in range(200, 400):
            recorder.record(_event(n))  # nobody listens: this returns at once
        assert recorder.lost == 0
    finally:
        process.kill()
        process.join(10)
    writer = JournalWriter(path, [end], ServerSettings())
    writer.stop()
    writer.run()
    assert [event.xid for event in _stored(path)] == list(range(400))
    workers.close()
    end.close()


FULL_DISK = """
import os, sys, threading, time
from pathlib import Path
from netprov.boot.reason import Reason
from netprov.inventory.model import ServerSettings
from netprov.journal.event import Event, Kind
from netprov.journal.recorder import Recorder, channel
from netprov.journal.timeline import Timeline
from netprov.journal.writer import JournalWriter
folder = Path(sys.argv[1])
workers, end = channel()
writer = JournalWriter(folder / "journal.db", [end], ServerSettings())
thread = threading.Thread(target=writer.run)
thread.start()
recorder = Recorder(workers)
def until(true):
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
def stored():
    with Timeline(folder / "journal.db") as timeline:
        return [placed.event for _, placed in timeline.after(0, 1_000_000)]
def record(n):
    recorder.record(Event(time.time(), Kind.TFTP_DONE, Reason.TFTP_OK, "x" * 1000, mac="52:54:00:00:00:01", xid=n))
for n in range(3000):
    record(n)
    if n % 100 == 0:
        time.sleep(0.25)
    if n % 100 == 0 and writer._lost:
        break
assert writer._lost, "the disk did not fill"
os.remove(folder / "ballast")
until(lambda: record(5000) or any(event.reason is Reason.EVENTS_LOST for event in stored()))
until(lambda: any(event.xid == 5000 for event in stored()))
writer.stop()
thread.join(10)
print("went on")
"""


def test_s3_a_full_disk_costs_events_and_nothing_else(tmp_path: Path) -> None:
    script = f"""
    mount -t tmpfs -o size=2m none {tmp_path}
    dd if=/dev/zero of={tmp_path}/ballast bs=1k count=1500 status=none
    exec {sys.executable} -c "$0" {tmp_path}
    """
    done = subprocess.run(["unshare", "-m", "sh", "-ec", script, FULL_DISK], capture_output=True, text=True, timeout=90)
    assert done.stdout == "went on\n", done.stderr
