"""What the two databases say differently: a condition on many values, an insert that may meet a row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, func
from sqlalchemy.dialects import postgresql, sqlite


def among(column: Any, name: str, dialect: str) -> ColumnElement[bool]:
    """Whether ``column`` is one of the list that is given as parameter ``name``.

    PostgreSQL gets it as one array: the text of the statement does not depend on the number of values, so
    the server plans it once. SQLite knows no arrays.
    """
    if dialect == "postgresql":
        values = bindparam(name, type_=postgresql.ARRAY(column.type))
        return column == func.any(values)  # type: ignore[no-any-return]
    return column.in_(bindparam(name, expanding=True))  # type: ignore[no-any-return]


def insert(table: Table, dialect: str) -> postgresql.Insert | sqlite.Insert:
    """An insert that can be told what to do if there is such a row (``on_conflict_…``)."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
