"""What one of the daemons does for all: whose turn it is, decided in the transaction that does the work.

On PostgreSQL an advisory lock keeps the others from waiting for it; SQLite has one writer anyway.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zlib import crc32

from sqlalchemy import Delete, Insert, Select, bindparam, delete, func, select
from sqlmodel import Session

from scheduler.store.dialects import insert
from scheduler.store.tables import routines

#: "Gaun", and a number for each routine: pg_try_advisory_xact_lock(int, int).
_LOCKS = 0x4761756E


def take(session: Session, name: str, *, now: datetime, every: timedelta, node: str) -> bool:
    """Whether ``node`` is to do ``name`` now, because nobody has done it for as long as ``every``.

    It counts as done if this transaction is committed; until then no other daemon does it.
    """
    return _take(session, name, now, every, node, own=False)


def hold(session: Session, name: str, *, now: datetime, lasts: timedelta, node: str) -> bool:
    """Whether ``node`` may do ``name`` now, because no other has begun it for as long as it ``lasts``."""
    return _take(session, name, now, lasts, node, own=True)


def let_go(session: Session, name: str, *, node: str) -> None:
    """``node`` is through with what it held, if it did: others need not wait until its time is over."""
    session.connection().execute(_let_go(), {"_name": name, "_node": node})


def _take(session: Session, name: str, now: datetime, every: timedelta, node: str, *, own: bool) -> bool:
    """``own``: what this node itself has done does not keep it from doing it again."""
    connection = session.connection()
    dialect = connection.dialect.name
    if dialect == "postgresql":
        lock = func.pg_try_advisory_xact_lock(_LOCKS, _number(name))
        if not connection.execute(select(lock)).scalar():
            return False
    last = connection.execute(_last(), {"_name": name}).first()
    # One that was done in the future was done before somebody set the clock back.
    if last and timedelta(0) <= now - last.done_at < every and not (own and last.node == node):
        return False
    connection.execute(_note(dialect), {"name": name, "done_at": now, "node": node})
    return True


def wait(session: Session, name: str) -> None:
    """Wait until no other daemon is at ``name``, and let none begin before this transaction ends."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCKS, _number(name))))


def _number(name: str) -> int:
    return crc32(name.encode()) & 0x7FFFFFFF


@cache
def _last() -> Select[Any]:
    return select(routines.c.done_at, routines.c.node).where(routines.c.name == bindparam("_name"))


@cache
def _let_go() -> Delete:
    return delete(routines).where(
        routines.c.name == bindparam("_name"), routines.c.node == bindparam("_node")
    )


@cache
def _note(dialect: str) -> Insert:
    done = insert(routines, dialect)
    return done.on_conflict_do_update(
        index_elements=["name"], set_={"done_at": done.excluded.done_at, "node": done.excluded.node}
    )
