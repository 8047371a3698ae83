"""The look into a server's database: the same as netprov.state sees, or nothing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from netprov.boot.install import UNDECLARED, Arm, Boot, Fail
from netprov.errors import ConfigError
from netprov.explain.look import SCHEMA, NotHere, look
from netprov.explain.state import kept
from netprov.inventory.load import load
from netprov.render.preview import ReadOnly
from netprov.state.failure import StateError
from netprov.state.migrations import NEWEST
from netprov.state.place import Place
from netprov.state.records import Lease
from netprov.state.state import open_state
from tests.explain.house import said
from tests.world import edit

LEASES = [
    Lease(
        IPv4Address("10.0.0.20"),
        "52:54:00:00:00:20",
        b"\1\2",
        "host\x1b",
        5.5,
        "declined",
        "10.0.0.0/24",
        "u",
        7,
        b"c",
        b"r",
        "lady",
    ),
    Lease(IPv4Address("10.0.0.9"), "", b"\xff", expires=9.0),
]


def test_it_knows_the_newest_schema() -> None:
    assert str(NEWEST) == SCHEMA


def test_the_same_as_the_stores(tmp_path: Path) -> None:
    place = Place(str(tmp_path))
    assert place.database is not None
    with open_state(str(tmp_path)) as state:
        for event in (Arm(), Boot(), Fail(note="no disk")):
            state.installs.apply({"lady": UNDECLARED}, event, 1.25)
        state.leases.commit(LEASES)
        with look(place, place.database) as here:  # while a server has it open
            for name in ("lady", "nobody", "la'dy"):
                assert here.installs.get(name) == state.installs.get(name)
            assert here.leases.all() == state.leases.all()
            for ip in (IPv4Address("10.0.0.20"), IPv4Address("10.0.0.21")):
                assert here.leases.at(ip) == state.leases.at(ip)


def test_nothing_can_be_changed(tmp_path: Path) -> None:
    place = Place(str(tmp_path))
    assert place.database is not None
    open_state(str(tmp_path)).close()
    with look(place, place.database) as here:
        with pytest.raises(ReadOnly):
            here.installs.apply({"lady": UNDECLARED}, Arm(), 1.0)
        assert here.installs.by_token("x") is None
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            here.connection.execute("DELETE FROM installs")
        with pytest.raises(StateError, match=r"state\.db"):
            here.rows("SELECT nonsense")


def test_what_is_not_here(tmp_path: Path) -> None:
    """Another schema, no database at all, a damaged one: netprov.state opens it, or says what is wrong."""
    place = Place(str(tmp_path))
    file = tmp_path / "state.db"
    file.write_bytes(b"no database " * 100)
    with pytest.raises(NotHere), look(place, file):
        pass
    with pytest.raises(NotHere), look(place, tmp_path / "nosuch.db"):
        pass
    file.unlink()
    open_state(str(tmp_path)).close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE meta SET value = '99'")
    with pytest.raises(NotHere), look(place, file):
        pass


def test_damaged_database_is_explained(house: Path) -> None:
    (house / "state").mkdir()
    (house / "state" / "state.db").write_bytes(b"no database " * 100)
    result = said(house, "lady")
    assert result.exit_code == 1
    assert "it is not a SQLite database, or damaged" in result.output
    with pytest.raises(ConfigError), kept(load(house / "netprov.yaml")):
        pass


def test_running_server_is_looked_at(house: Path) -> None:
    with open_state(str(house / "state")) as state:
        for event in (Arm(), Boot()):
            state.installs.apply({"duke": UNDECLARED}, event, 1.0)
        assert "the install is under way (booting, attempt 1 of 3)" in said(house, "duke").output
        with kept(load(house / "netprov.yaml")) as known:
            assert known.records.get("duke") == state.installs.get("duke")
    edit(house, "state: state", "state: elsewhere")
    assert "no install is armed" in said(house, "duke").output


def test_no_database_library_from_the_shell(house: Path) -> None:
    """SQLAlchemy takes longer to import than everything that explain does."""
    open_state(str(house / "state")).close()
    code = (
        "import sys\nfrom netprov.cli import main\n"
        f"try: main(['explain', 'lady', '-c', {str(house / 'netprov.yaml')!r}])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print([m for m in ('sqlalchemy', 'scapy', 'flask', 'pykickstart') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
