"""The connection to the state database: transactions, and every failure in one shape."""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, bindparam, create_engine, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from netprov.state.failure import BUSY_SECONDS, StateError, config_error, state_error
from netprov.state.migrations import NEWEST, NewerSchema, migrate, schema_of
from netprov.state.place import Place
from netprov.state.sqlite import immediately

PRAGMAS = (
    "PRAGMA synchronous = FULL",  # an ACK promises the lease: fsync at every commit (S1)
    "PRAGMA wal_autocheckpoint = 1000",
    "PRAGMA journal_size_limit = 16777216",
)

_FAILURES = (SQLAlchemyError, sqlite3.Error, OSError)


class Database:
    """One state database, from one process. Every method raises StateError and nothing else.

    SQLite must not be carried through fork() (sqlite.org/howtocorrupt.html, 2.6): a child would believe that it holds
    its parent's locks. So idle connections are closed before every fork, and each process opens its own.
    """

    def __init__(self, place: Place, engine: Engine) -> None:
        self.place = place
        self._engine = engine
        self._writing = engine.execution_options(netprov_write=True)
        this = weakref.ref(self)

        def close_before_fork() -> None:
            database = this()
            if database is not None:
                database.close()

        os.register_at_fork(before=close_before_fork)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except _FAILURES as error:
            raise state_error(self.place, error) from error

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its beginning; durable when the block is left."""
        try:
            with self._writing.begin() as connection:
                yield connection
        except _FAILURES as error:
            raise state_error(self.place, error) from error

    def store(self, *batches: tuple[Upsert, list[tuple[object, ...]]]) -> None:
        """Insert or replace these rows in one transaction; on return they are on the disk.

        On SQLite the driver does it alone: SQLAlchemy's transaction costs some 100 µs more, and a busy DHCP server
        commits hundreds of times a second.
        """
        if self._engine.dialect.name != "sqlite":
            with self.write() as connection:
                for upsert, rows in batches:
                    upsert.run(connection, rows)
            return
        with self._driver() as driver, immediately(driver):
            for upsert, rows in batches:
                driver.executemany(upsert.sql, rows)

    def find(self, lookup: Lookup, key: object) -> Sequence[Any] | None:
        """The row of that key, None where there is none. By the driver alone as in `store`: 12 µs against 127, and
        each packet of a declared machine asks for its install."""
        if self._engine.dialect.name != "sqlite":
            with self.read() as connection:
                return connection.execute(lookup.statement, {"key": key}).first()
        with self._driver() as driver:
            row: tuple[Any, ...] | None = driver.execute(lookup.sql, (key,)).fetchone()
        return row

    @contextmanager
    def _driver(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._engine.raw_connection()) as pooled:
                driver = pooled.driver_connection
                assert isinstance(driver, sqlite3.Connection)
                yield driver
        except _FAILURES as error:
            raise state_error(self.place, error) from error

    def lookup(self, column: Column[Any]) -> Lookup:
        """The statement that finds a row of the column's table by it."""
        return Lookup(column, self._engine)

    def upsert(self, table: Table) -> Upsert:
        """The statement that inserts or replaces rows of `table`."""
        return Upsert(table, self._engine)

    def close(self) -> None:
        """Close the connections; the next use opens them again."""
        self._engine.dispose()


class Lookup:
    """Find a row by one column: the statement, compiled once."""

    def __init__(self, column: Column[Any], engine: Engine) -> None:
        self.statement = select(column.table).where(column == bindparam("key"))
        self.sql = str(self.statement.compile(dialect=engine.dialect))


class Upsert:
    """Insert rows, or replace those of the same primary key: the statement, compiled once.

    SQLAlchemy's own executemany costs twice as much a row as the driver's, and leases are committed before their ACK
    leaves: 4 µs against 8 µs.
    """

    def __init__(self, table: Table, engine: Engine) -> None:
        make = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        statement = make(table)
        keys = [column.name for column in table.primary_key]
        changed = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
        compiled = statement.on_conflict_do_update(index_elements=keys, set_=changed).compile(dialect=engine.dialect)
        self.sql = str(compiled)
        self._positional = bool(compiled.positional)
        self._names = tuple(column.name for column in table.columns)

    def run(self, connection: Connection, rows: Iterable[tuple[object, ...]]) -> None:
        """Store `rows`, each the table's columns in order."""
        if self._positional:
            connection.exec_driver_sql(self.sql, list(rows))
        else:
            connection.exec_driver_sql(self.sql, [dict(zip(self._names, row, strict=True)) for row in rows])


def storable(text: str) -> str:
    """`text` as every database takes it: NUL and lone surrogates, which only clients send, are spelled out."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def connect(place: Place) -> Database:
    """Open the database at `place` and bring its tables up to date.

    Raises ConfigError where it is damaged, of a newer netprov, or its URL or driver is wrong; StateError where it
    cannot be opened now.
    """
    if place.database is not None:
        _make_file(place, place.database)
    database = Database(place, _engine(place))
    try:
        with database.read() as connection:
            up_to_date = schema_of(connection) == NEWEST
            if place.database is not None:
                _check(connection)
        if not up_to_date:
            with database.write() as connection:
                migrate(connection)
    except NewerSchema as error:
        raise config_error(
            place,
            f"the database was written by a newer netprov (schema {error.found}, this one knows {error.known}); "
            "install the newer netprov, or name another place",
        ) from None
    except StateError as error:
        if error.damaged:
            raise config_error(place, error.advice) from error
        raise
    return database


def _check(connection: Connection) -> None:
    """Raise what SQLite raises for a damaged file, should the file be damaged where nobody has read yet."""
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        error = sqlite3.DatabaseError(str(found))
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _make_file(place: Place, file: Path) -> None:
    """The file holds install tokens: it and what SQLite puts beside it are not for everybody's eyes."""
    try:
        file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640))
    except OSError as error:
        raise config_error(
            place, f"{error.strerror}; make the folder and give it to the user netprov runs as, or name another"
        ) from None


def _engine(place: Place) -> Engine:
    if place.database is None:
        try:
            return create_engine(place.where)
        except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
            raise config_error(place, f"{error}; write a folder, or postgresql+psycopg://… with its driver") from None
    engine = create_engine(f"sqlite:///{place.database}", connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own: _begin does
    _use_wal(connection)
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _use_wal(connection: sqlite3.Connection) -> None:
    """Readers then never wait for the writer. Two processes that change a new file's mode at once do not wait for each
    other as transactions do: one is told SQLITE_BUSY, and finds the mode changed a moment later."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _begin(connection: Connection) -> None:
    """A writer takes the lock at once: a reader that turned writer could fail half-way (SQLITE_BUSY_SNAPSHOT)."""
    writes = connection.get_execution_options().get("netprov_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
