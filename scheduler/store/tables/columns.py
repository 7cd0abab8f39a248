"""Kinds of columns, and what tables are declared with: instants in UTC, exact amounts, partial indexes."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    DateTime,
    Index,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

#: Characters of a time to the microsecond, without an offset.
_LENGTH = 26


class Row(SQLModel):
    """What every table is. No pydantic validators are built: nobody asks tables for them."""

    model_config = {"defer_build": True}


class UtcDateTime(TypeDecorator[datetime]):
    """An instant in UTC. SQLite alone would silently drop an offset (DESIGN.md section 10)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        """On SQLite the text that SQLAlchemy would write, at a third of its cost: rows have many times."""
        if dialect.name != "sqlite":
            return super().bind_processor(dialect)

        def written(value: datetime | None) -> str | None:
            if value is None or value.tzinfo is not UTC:
                value = self.process_bind_param(value, dialect)
            return None if value is None else value.isoformat(" ", "microseconds")[:_LENGTH]

        return written

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse times without a zone; give SQLite plain UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give every instant back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Money(TypeDecorator[Decimal]):
    """An exact amount: whole millionths, since SQLite has no decimal numbers; sums and comparisons hold."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Refuse what is finer than a millionth."""
        if value is None:
            return None
        millionths = Decimal(value).scaleb(6)
        if millionths != int(millionths):
            raise ValueError(f"{value} is finer than a millionth")
        return int(millionths)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Give the amount back without needless zeros."""
        return None if value is None else Decimal(value).scaleb(-6).normalize() + 0


def money(*, null: bool = False) -> Any:
    """An exact amount; zero if nothing else is said."""
    return Field(default=None if null else Decimal(0), sa_type=Money, nullable=null)


def instant(*, null: bool = True) -> Any:
    """An instant in UTC."""
    return Field(default=None, sa_type=UtcDateTime, nullable=null)


def stored(default: type) -> Any:
    """A list or a mapping, as JSON."""
    return Field(default_factory=default, sa_column=Column(JSON, nullable=False))


def stored_later(default: type) -> Any:
    """As :func:`stored`, for a table that had rows before it had the column."""
    return Field(default_factory=default, sa_column=Column(JSON, nullable=False, server_default="{}"))


def long_text(default: str = "") -> Any:
    """A text of any length."""
    return Field(default=default, sa_column=Column(Text, nullable=False))


def partial_index(condition: str, name: str, *columns: str, unique: bool = False) -> Index:
    """An index over the rows that meet ``condition`` only, in both databases."""
    return Index(name, *columns, unique=unique, info={"where": condition})


def say_conditions(metadata: MetaData, connection: Connection, **_: Any) -> None:
    """Before tables are made: to name a dialect earlier would import that of the other database too."""
    for index in chain.from_iterable(one.indexes for one in metadata.tables.values()):
        if condition := index.info.get("where"):
            index.dialect_options[connection.dialect.name]["where"] = text(condition)


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a model, for statements on whole sets of rows."""
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found
