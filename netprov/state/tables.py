"""The tables. Addresses are numbers: they sort, and are read ten times as fast as text.

Times are seconds since the epoch. What is unknown is empty, as in the records; only `arch` can be NULL, for 0 is BIOS.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Integer, LargeBinary, MetaData, Table, Text

METADATA = MetaData()


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _octets(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _time(name: str, *, index: bool = False) -> Column[float]:
    return Column(name, Double, nullable=False, index=index)


LEASES = Table(
    "leases",
    METADATA,
    Column("ip", BigInteger, primary_key=True, autoincrement=False),
    _text("mac"),
    _octets("client_id"),
    _text("hostname"),
    _time("expires", index=True),
    _text("state"),
    _text("subnet"),
    _text("uuid"),
    Column("arch", Integer),
    _octets("circuit_id"),
    _octets("remote_id"),
    _text("system"),
)

SIGHTINGS = Table(
    "sightings",
    METADATA,
    Column("ip", BigInteger, primary_key=True, autoincrement=False),
    _text("mac"),
    _text("uuid"),
    _octets("client_id"),
    _text("serial"),
    _octets("circuit_id"),
    _octets("remote_id"),
    Column("arch", Integer),
    _time("at", index=True),
)

INSTALLS = Table(
    "installs",
    METADATA,
    Column("system", Text, primary_key=True),
    _text("state"),
    Column("token", Text, nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    _time("since"),
    _time("boot_at"),
    _text("note"),
)

META = Table(
    "meta",
    METADATA,
    Column("name", Text, primary_key=True),
    _text("value"),
)
"""One row, `schema`: the version of the tables. Whoever changes an install locks the row where rows have locks."""
