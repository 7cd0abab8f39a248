"""What one of the daemons does for all: whose turn it is, decided in the transaction that does the work.

On PostgreSQL an advisory lock keeps the others from waiting for it; SQLite has one writer anyway.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zlib import crc32

from sqlalchemy import func, select
from sqlmodel import Session

from scheduler.store.tables import Routine

#: "Gaun", and a number for each routine: pg_try_advisory_xact_lock(int, int).
_LOCKS = 0x4761756E


def take(session: Session, name: str, *, now: datetime, every: timedelta, node: str) -> bool:
    """Whether ``node`` is to do ``name`` now, because nobody has done it for as long as ``every``.

    It counts as done if this transaction is committed; until then no other daemon does it.
    """
    if session.connection().dialect.name == "postgresql":
        lock = func.pg_try_advisory_xact_lock(_LOCKS, crc32(name.encode()) & 0x7FFFFFFF)
        if not session.execute(select(lock)).scalar():
            return False
    done = session.get(Routine, name)
    # One that was done in the future was done before somebody set the clock back.
    if done and timedelta(0) <= now - done.done_at < every:
        return False
    done = done or Routine(name=name, done_at=now, node=node)
    done.done_at, done.node = now, node
    session.add(done)
    session.flush()
    return True
