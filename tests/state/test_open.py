"""Opening a state: what is wrong with it is said, with the file and what to do."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from netprov.errors import ConfigError
from netprov.state.failure import StateError
from netprov.state.migrations import NewerSchema, migrate, schema_of
from netprov.state.place import Place
from netprov.state.state import open_state


def _made(folder: Path) -> Path:
    open_state(str(folder)).close()
    return folder / "state.db"


def _problem(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        open_state(str(folder))
    assert len(caught.value.problems) == 1
    assert str(folder) in str(caught.value)
    return str(caught.value)


def test_s2_garbage_is_refused_with_advice(tmp_path: Path) -> None:
    _made(tmp_path).write_bytes(os.urandom(8192))
    text = _problem(tmp_path)
    assert "not a SQLite database" in text
    assert "backup" in text


@pytest.mark.parametrize("keep", [100, 4096, 5000])
def test_s2_a_cut_database_is_refused_with_advice(tmp_path: Path, keep: int) -> None:
    file = _made(tmp_path)
    file.write_bytes(file.read_bytes()[:keep])
    assert "backup" in _problem(tmp_path)


def test_s2_damage_where_nobody_reads_is_found(tmp_path: Path) -> None:
    file = _made(tmp_path)
    octets = bytearray(file.read_bytes())
    octets[-4096:] = b"\xff" * 4096
    file.write_bytes(octets)
    assert "damaged" in _problem(tmp_path)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(_made(tmp_path)) as connection:
        connection.execute("UPDATE meta SET value = '7' WHERE name = 'schema'")
    connection.close()
    text = _problem(tmp_path)
    assert "newer netprov (schema 7, this one knows 1)" in text


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "make the folder" in _problem(tmp_path / "file" / "state")


@pytest.mark.parametrize("url", ["nosuch://host/db", "postgresql+nosuch://host/db", "://", "mysql+:///x"])
def test_a_url_without_its_driver(url: str) -> None:
    with pytest.raises(ConfigError, match="write a folder, or postgresql"):
        open_state(url)


def test_messages_hide_a_password() -> None:
    assert str(Place("postgresql://netprov:secret@db.example.org/site")) == "postgresql://db.example.org/site"


def test_the_files_are_not_for_everybody(tmp_path: Path) -> None:
    file = _made(tmp_path / "new")
    assert file.stat().st_mode & 0o007 == 0
    assert file.parent.stat().st_mode & 0o007 == 0


def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    before = _made(tmp_path).read_bytes()
    assert _made(tmp_path).read_bytes() == before


def test_a_state_in_use_that_is_damaged(tmp_path: Path) -> None:
    """SQLite finds it when it reads the file again; whoever asked gets a StateError that says what to do."""
    state = open_state(str(tmp_path))
    state.close()
    (tmp_path / "state.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StateError, match="backup") as caught:
        state.leases.all()
    assert caught.value.damaged


def test_a_locked_state(tmp_path: Path) -> None:
    state = open_state(str(tmp_path))
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert state.leases.all() == []  # reading waits for nobody
    with pytest.raises(StateError, match="another process kept it locked"):
        state.leases.purge(1.0)
    other.execute("ROLLBACK")
    other.close()
    assert state.leases.purge(1.0) == 0
    state.close()


def test_migrations_run_in_order_and_once() -> None:
    engine = create_engine("sqlite://")
    done: list[int] = []
    with engine.begin() as connection:
        migrate(connection, ())
        assert schema_of(connection) == 1
        steps = (lambda _connection: done.append(2), lambda _connection: done.append(3))
        migrate(connection, steps[:1])
        assert (done, schema_of(connection)) == ([2], 2)
        migrate(connection, steps)
        migrate(connection, steps)
        assert (done, schema_of(connection)) == ([2, 3], 3)
        with pytest.raises(NewerSchema):
            migrate(connection, steps[:1])


def test_a_new_database_is_made_at_the_newest_schema() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrate(connection, (lambda _connection: pytest.fail("nothing to migrate"),))
        assert schema_of(connection) == 2
        assert sorted(inspect(connection).get_table_names()) == ["installs", "leases", "meta", "sightings"]
