"""One condition, as each database likes it best: whether a column has one of many values."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, bindparam, func
from sqlalchemy.dialects.postgresql import ARRAY


def among(column: Any, name: str, dialect: str) -> ColumnElement[bool]:
    """Whether ``column`` is one of the list that is given as parameter ``name``.

    PostgreSQL gets it as one array: the text of the statement does not depend on the number of values, so
    the server plans it once. SQLite knows no arrays.
    """
    if dialect == "postgresql":
        return column == func.any(bindparam(name, type_=ARRAY(column.type)))  # type: ignore[no-any-return]
    return column.in_(bindparam(name, expanding=True))  # type: ignore[no-any-return]
