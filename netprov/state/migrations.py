"""From any older schema to this one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, MetaData, inspect, select

from netprov.state.tables import META, METADATA

Migration = Callable[[Connection], object]

MIGRATIONS: tuple[Migration, ...] = ()
"""What leads from schema 1 to 2, from 2 to 3, and so on, in order. A new database is made at the newest at once."""

NEWEST = 1 + len(MIGRATIONS)


class NewerSchema(Exception):
    """The tables were made by a newer netprov."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"schema {found}; this netprov knows {known}")
        self.found = found
        self.known = known


def schema_of(connection: Connection) -> int:
    """The version of the tables; 0 where there are none."""
    if not inspect(connection).has_table(META.name):
        return 0
    return int(connection.scalar(select(META.c.value).where(META.c.name == "schema")) or 0)


def migrate(
    connection: Connection, migrations: Sequence[Migration] = MIGRATIONS, metadata: MetaData = METADATA
) -> None:
    """Bring the tables to the newest schema, in the transaction that `connection` is in.

    Raises NewerSchema where they are newer than `migrations` lead to.
    """
    newest = 1 + len(migrations)
    found = schema_of(connection)
    if found > newest:
        raise NewerSchema(found, newest)
    if found == 0:
        metadata.create_all(connection)
        connection.execute(META.insert().values(name="schema", value=str(newest)))
    elif found < newest:
        for step in migrations[found - 1 :]:
            step(connection)
        connection.execute(META.update().where(META.c.name == "schema").values(value=str(newest)))
