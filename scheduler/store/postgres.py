"""What is special to PostgreSQL: patience with a server that does not answer, whose turn it is to write,
and which clock counts.

Daemons write side by side. A person's command writes alone, as every writer does on SQLite: so a stop,
an approval taken back, or an edit that was committed is known to every claim that is committed after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, func, select, text
from sqlmodel import Session

#: Connection parameters of libpq (postgresql.org/docs/18/libpq-connect.html); what a URL says wins.
#: Seconds; ``tcp_user_timeout`` and the time-outs of the server are in milliseconds. They see to it that
#: a server or a network that went away is noticed, and that a forgotten transaction holds nobody up.
#: Whatever the server's own setting: a claim that a power cut forgets would be posted twice.
CONNECTION: Mapping[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "application_name": "gaung",
    "options": "-c statement_timeout=60000 -c lock_timeout=10000"
    " -c idle_in_transaction_session_timeout=60000 -c synchronous_commit=on",
}

#: The channel on which a committed change wakes the daemons (LISTEN, NOTIFY).
CHANNEL = "gaung"
#: The advisory lock of writers ("Gaun" in ASCII).
_WRITERS = 0x4761756E


def take_turn(session: Session | Connection, *, alone: bool) -> datetime:
    """Begin a writing transaction: wait for who writes alone, or until nobody else writes.

    Return the server's time; the lock is given back at the end of the transaction.
    """
    connection = session.connection() if isinstance(session, Session) else session
    moment: datetime = connection.execute(_turn(alone)).one()[1]
    return moment


@cache
def _turn(alone: bool) -> Select[Any]:
    lock = func.pg_advisory_xact_lock if alone else func.pg_advisory_xact_lock_shared
    # In this order: the time is wanted after the waiting.
    return select(lock(_WRITERS), func.clock_timestamp())


def now(session: Session) -> datetime:
    """The server's time."""
    moment: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return moment


def wake(session: Session) -> None:
    """Wake every daemon once this transaction is committed."""
    session.execute(text(f"NOTIFY {CHANNEL}"))
