"""What must not go out now although it is due: stops and windows, as one condition of a claim.

Both are read inside the transaction that claims, so what a claim sees is what holds until it commits:
SQLite lets only one transaction write at a time; on PostgreSQL a claim shares a lock that whoever
declares a stop takes alone. So nothing is claimed after a stop was committed, and a claim that was
first is committed before the stop is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, literal, select, true
from sqlmodel import Session

from scheduler.store.tables import Stop, deliveries, stops

#: "Gaun", and a number of this lock's own: pg_advisory_xact_lock(int, int).
_LOCK = (0x4761756E, 1)


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason to hold, and whom it concerns: an empty tuple means everybody. ``code`` as in a delivery."""

    code: str
    accounts: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    but_urgent: bool = False


Holds = tuple[Hold, ...]
#: Where a session, which lives for one transaction, keeps what it has read.
HOLDS = "holds"


def present(session: Session) -> Holds:
    """What holds until this writing transaction ends; read once in it, before it claims anything."""
    if HOLDS not in session.info:
        _lock(session, "pg_advisory_xact_lock_shared")
        session.info[HOLDS] = stopped(session)
    holds: Holds = session.info[HOLDS]
    return holds


def alone(session: Session) -> None:
    """Wait for the claims that are under way and keep further ones out until this transaction ends."""
    _lock(session, "pg_advisory_xact_lock")
    session.info.pop(HOLDS, None)


def _lock(session: Session, function: str) -> None:
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT {function}({_LOCK[0]}, {_LOCK[1]})")


def in_force(session: Session) -> list[Stop]:
    """The stops that nobody has lifted, oldest first; one whose end has come holds until it is settled."""
    statement = select(Stop).where(stops.c.lifted_at.is_(None)).order_by(stops.c.id)
    return list(session.execute(statement).scalars())


def stopped(session: Session) -> Holds:
    """The stops in force as holds, those of one kind as one: SQLite takes no thousand terms in a row."""
    kinds: dict[tuple[str, bool], list[str]] = {}
    found = select(stops.c.scope, stops.c.target, stops.c.but_urgent).where(stops.c.lifted_at.is_(None))
    for scope, target, but_urgent in session.execute(found):
        kinds.setdefault((scope, but_urgent), []).append(target)
    return tuple(_hold(scope, tuple(targets), but_urgent) for (scope, but_urgent), targets in kinds.items())


def hold_of(stop: Stop) -> Hold:
    """A stop as a hold."""
    return _hold(stop.scope, (stop.target,), stop.but_urgent)


def _hold(scope: str, targets: tuple[str, ...], but_urgent: bool) -> Hold:
    names = {} if scope == "everything" else {_PLURAL[scope]: targets}
    return Hold("stopped", but_urgent=but_urgent, **names)


_PLURAL = {"account": "accounts", "agency": "agencies", "campaign": "campaigns", "platform": "platforms"}


def held(holds: Iterable[Hold], rows: Any = deliveries) -> ColumnElement[bool]:
    """Whether one of ``holds`` concerns a delivery. Plain comparisons: without holds they cost nothing."""
    found: ColumnElement[bool] = false()
    for hold in holds:
        found |= _concerns(hold, rows)
    return found


def code(holds: Iterable[Hold], rows: Any = deliveries) -> ColumnElement[str]:
    """The code of the first of ``holds`` that concerns a delivery; empty if none does."""
    cases = [(_concerns(hold, rows), literal(hold.code)) for hold in holds]
    return case(*cases, else_="") if cases else literal("")


def _concerns(hold: Hold, rows: Any) -> ColumnElement[bool]:
    named = (
        (rows.c.account_id, hold.accounts),
        (rows.c.agency, hold.agencies),
        (rows.c.campaign_id, hold.campaigns),
        (rows.c.platform, hold.platforms),
    )
    conditions = [column.in_(names) for column, names in named if names]
    if hold.but_urgent:
        conditions.append(rows.c.message_class != "urgent")
    return and_(true(), *conditions)
