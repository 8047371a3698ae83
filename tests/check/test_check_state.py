"""The state, the journal, the disk and the clock."""

from __future__ import annotations

import json
import os
import pwd
import sqlite3
import time
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace

import pytest

from netprov.boot.reason import Reason
from netprov.check import host
from netprov.check import state as states
from netprov.check.reader import Reader, acting_as
from netprov.check.subject import Severity, Subject, look
from netprov.inventory.model import ServerSettings
from netprov.journal.correlate import Placed
from netprov.journal.event import Event, Kind
from netprov.journal.store import Store
from netprov.state.leases import Lease
from netprov.state.state import open_state
from tests.world import edit

from .check_world import found, rows, run
from .test_check_files import USER, open_path, root_only  # noqa: F401


def subject(site: Path, now: float | None = None) -> Subject:
    seen = look(site / "netprov.yaml", probing=False)
    return Subject(seen.config, seen.loaded, seen.place, seen.server, False, now or time.time())


@pytest.fixture
def kept(site: Path) -> Path:
    """The site, with a state and a journal."""
    with open_state(str(site / "state")) as state:
        state.leases.commit([Lease(IPv4Address("10.0.0.9"), "52:54:00:00:00:09", expires=time.time() + 60)])
    tell(site, Event(time.time(), Kind.SERVER, Reason.SERVER_STARTED, "serves"))
    return site


def tell(site: Path, *events: Event) -> None:
    store = Store(site / "state" / "journal.db")
    store.add([Placed(event, "", 0) for event in events], 10_000, 0.0)
    store.close()


def test_sound(kept: Path) -> None:
    assert found(kept, 0, "state", "journal", "troubles", "disk", "clock") == []


def spoil(file: Path) -> None:
    """Over all pages but the first: SQLite still opens it."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    data = bytearray(file.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    file.write_bytes(data)


def no_database(file: Path) -> None:
    for ending in ("-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)
    file.write_bytes(b"lorem ipsum " * 1000)


@pytest.mark.parametrize("damage", [spoil, no_database])
def test_damaged_state(kept: Path, damage: Callable[[Path], None]) -> None:
    damage(kept / "state" / "state.db")
    (row,) = rows(kept, 1, "state")
    assert (row["id"], row["machines"]) == ("state-damaged", ["*"])
    assert "leases and installs then start from scratch" in row["advice"]
    found(kept, 1)  # the checks that read leases go on without


@pytest.mark.parametrize("damage", [spoil, no_database])
def test_damaged_journal(kept: Path, damage: Callable[[Path], None]) -> None:
    damage(kept / "state" / "journal.db")
    assert [row[:2] for row in found(kept, 0)] == [("journal-damaged", "warning")]


def test_a_newer_schema(kept: Path) -> None:
    connection = sqlite3.connect(kept / "state" / "state.db")
    connection.execute("UPDATE meta SET value = '999' WHERE name = 'schema'")
    connection.commit()
    connection.close()
    assert [row[:2] for row in found(kept, 1)] == [("state-newer", "error")]


def test_a_database_elsewhere_is_refused(site: Path) -> None:
    edit(site, "state: state,", 'state: "postgresql://user:secret@127.0.0.1:1/netprov",')
    (row,) = rows(site, 1, "configuration")
    assert "no driver yet; write a folder" in row["text"]
    assert "secret" not in row["text"]


def test_a_long_journal_is_read_for_a_moment_only(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [Event(time.time(), Kind.SERVER, Reason.SERVER_STARTED, "x" * 500) for _ in range(3000)]
    tell(kept, *events)
    monkeypatch.setattr(states, "PATIENCE", -1.0)
    assert found(kept, 0, "journal") == []


@root_only
def test_what_root_left_behind(kept: Path, open_path: None) -> None:  # noqa: F811
    """A command of root's that made state.db-wal: the server's user cannot write it."""
    edit(kept, "state: state,", f"state: state, user: {USER},")
    folder = kept / "state"
    folder.chmod(0o777)
    for path in folder.iterdir():
        path.chmod(0o666)
    assert found(kept, 0, "state", "disk") == []
    (folder / "state.db").chmod(0o644)
    (row,) = rows(kept, 1, "state")
    assert (row["id"], row["command"]) == ("state-not-writable", f"chown {USER} {folder / 'state.db'}")
    folder.chmod(0o755)
    assert [row["id"] for row in rows(kept, 1, "disk")] == ["state-not-writable"]


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "ext4"])
def test_network_file_systems(kept: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_text
    mounts = f"/dev/sda1 / ext4 rw 0 0\nfiler:/x {kept} {kind} rw 0 0\n"

    def told(path: Path, *arguments: object, **named: object) -> str:
        return mounts if str(path) == "/proc/mounts" else read(path, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "read_text", told)
    assert [row[0] for row in found(kept, 0, "state")] == (["state-remote"] if kind != "ext4" else [])


TROUBLES = [Reason.WORKER_DIED, Reason.EVENTS_LOST, Reason.DHCP_STORE_FAILED, Reason.INTERNAL_ERROR]


@pytest.mark.parametrize("reason", TROUBLES)
def test_troubles(kept: Path, reason: Reason) -> None:
    old = Event(time.time() - 2 * 86400, Kind.SERVER, reason, "long ago")
    tell(kept, old)
    assert found(kept, 0, "troubles") == []
    tell(kept, Event(time.time(), Kind.SERVER, reason, "the dhcp worker ended", system="lady"))
    ((id, severity, text),) = found(kept, 0, "troubles")
    assert (id, severity) == (reason.label, "warning")
    assert text.endswith("the dhcp worker ended")


# the disk and the clock


@pytest.mark.parametrize(("free", "expected"), [(10**12, []), (5 * 10**8, ["warning"]), (10**6, ["error"])])
def test_disk(site: Path, monkeypatch: pytest.MonkeyPatch, free: int, expected: list[str]) -> None:
    monkeypatch.setattr(host.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert [finding.severity for finding in host.disk(subject(site))] == expected


@pytest.mark.parametrize(("files", "left", "expected"), [
    (10**6, 10**5, []), (10**6, 10, ["warning"]), (10**6, 0, ["error"]), (0, 0, []),
])  # fmt: skip
def test_inodes(site: Path, monkeypatch: pytest.MonkeyPatch, files: int, left: int, expected: list[str]) -> None:
    monkeypatch.setattr(host.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**12))
    monkeypatch.setattr(host.os, "statvfs", lambda _: SimpleNamespace(f_files=files, f_favail=left))
    assert [finding.severity for finding in host.disk(subject(site))] == expected


@root_only
def test_a_folder_that_this_user_cannot_write(site: Path, open_path: None) -> None:  # noqa: F811
    (site / "state").mkdir(mode=0o555)
    run(site)
    entry = pwd.getpwnam(USER)
    with acting_as(Reader(USER, entry.pw_uid, entry.pw_gid)):
        found_by_it = list(host.disk(subject(site)))
    assert [(one.id, one.severity) for one in found_by_it] == [("state-not-writable", "warning")]


YEAR = 365 * 86400.0
CLOCKS = [
    # seconds from now, what is found
    (0.0, []),
    (-60.0, []),
    (-7200.0, ["clock-behind"]),
    (-60 * YEAR, ["clock-unset"]),
    (90 * YEAR, ["clock-unset"]),
]


@pytest.mark.parametrize(("moved", "expected"), CLOCKS)
def test_clock(kept: Path, moved: float, expected: list[str]) -> None:
    now = max(1.0, time.time() + moved)
    assert [finding.id for finding in host.clock(subject(kept, now))] == expected


def test_a_clock_behind_its_leases(site: Path) -> None:
    with open_state(str(site / "state")) as state:
        state.leases.commit([Lease(IPv4Address("10.0.0.9"), "x", expires=time.time() + 30 * 86400)])
    old = time.time() - 3600
    for path in (site / "netprov.yaml", *(site / "state").iterdir()):
        os.utime(path, (old, old))
    ((finding),) = host.clock(subject(site))
    assert (finding.id, finding.severity) == ("clock-behind", Severity.WARNING)
    assert "the newest lease is 30 days ahead of it" in finding.text


def test_the_state_is_looked_at_where_it_is(kept: Path) -> None:
    assert ServerSettings().state != str(kept / "state")
    before = sorted((path.name, path.stat().st_mtime_ns) for path in (kept / "state").iterdir())
    found(kept, 0)
    after = sorted((path.name, path.stat().st_mtime_ns) for path in (kept / "state").iterdir())
    assert [row for row in after if not row[0].endswith(("-shm", "-wal"))] == [
        row for row in before if not row[0].endswith(("-shm", "-wal"))
    ]


@root_only
@pytest.mark.parametrize("folder_mode", [0o700, 0o755])
def test_a_state_that_this_user_may_not_see(kept: Path, open_path: None, folder_mode: int) -> None:  # noqa: F811
    """The check is typed by somebody else than root or the server's user: it says so, and goes on."""
    for path in (kept / "state").iterdir():
        path.chmod(0o600)
    (kept / "state").chmod(folder_mode)
    entry = pwd.getpwnam(USER)
    run(kept)  # what Python has yet to import may be out of that user's reach
    with acting_as(Reader(USER, entry.pw_uid, entry.pw_gid)):
        result = run(kept, "--json")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    said = {(row["id"], row["severity"]) for row in json.loads(result.stdout)["findings"]}
    assert ("state-not-looked-at", "note") in said
    assert ("journal-not-looked-at", "note") in said


def test_a_file_system_that_refuses_wal(kept: Path) -> None:
    connection = sqlite3.connect(kept / "state" / "state.db")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    idle = subject(kept)
    assert not list(states.state(idle))
    served = Subject(idle.config, idle.loaded, idle.place, os.getpid(), False)
    assert [finding.id for finding in states.state(served)] == ["state-not-wal"]
