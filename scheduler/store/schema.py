"""Which schema a database has, told without Alembic, so that every command can afford to ask.

Migrations themselves are in ``migrations/``; a test holds :data:`REVISIONS` to them.
"""

from __future__ import annotations

from enum import Enum

from sqlalchemy import Connection, inspect, text

#: Every revision, oldest first; the last is what this program works with.
REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
    "0015",
    "0016",
)

#: "Gaun" in ASCII, in the header of the SQLite file (PRAGMA application_id).
APPLICATION_ID = 0x4761756E


class Status(Enum):
    """What a database is to this program."""

    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"
    FOREIGN = "foreign"


def status(connection: Connection) -> Status:
    """Given a connection, say what the database is; changes nothing."""
    tables = set(inspect(connection).get_table_names())
    if connection.dialect.name == "sqlite":
        owner = connection.exec_driver_sql("PRAGMA application_id").scalar()
        if owner not in {0, APPLICATION_ID} or (tables and owner != APPLICATION_ID):
            return Status.FOREIGN
    if "alembic_version" not in tables:
        return Status.FOREIGN if tables & {"delivery", "campaign_version"} else Status.EMPTY
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision == REVISIONS[-1]:
        return Status.CURRENT
    if revision is None:
        return Status.EMPTY
    return Status.OLDER if revision in REVISIONS else Status.NEWER
