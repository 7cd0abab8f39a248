"""What the two databases say differently: a condition on many values, an insert that may meet a row.

A dialect is imported when it is needed: that of the other database would only take memory, 2 to 3 MB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, ColumnElement, Table, bindparam, func, select

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def among(column: Any, name: str, dialect: str) -> ColumnElement[bool]:
    """Whether ``column``, of texts or whole numbers, is one of the list that is given as parameter ``name``.

    PostgreSQL gets it as one array, SQLite, which knows none, as JSON: the text of the statement does not
    depend on the number of values, so it is compiled, and planned, once.
    """
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        values = bindparam(name, type_=postgresql.ARRAY(column.type))
        return column == func.any(values)  # type: ignore[no-any-return]
    listed = func.json_each(bindparam(name, type_=JSON)).table_valued("value")
    return column.in_(select(listed.c.value))  # type: ignore[no-any-return]


def insert(table: Table, dialect: str) -> postgresql.Insert | sqlite.Insert:
    """An insert that can be told what to do if there is such a row (``on_conflict_…``)."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
