"""What holds at this moment: the stops in force, and the hard windows in force."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session

from scheduler.store import holding, windowing
from scheduler.store.holding import Hold, Holds
from scheduler.store.tables import Stop, stops


def present(session: Session, now: datetime) -> Holds:
    """What holds until this writing transaction ends; read once in it, before it claims anything."""
    if holding.HOLDS not in session.info:
        session.info[holding.HOLDS] = (*stopped(session), *windowing.holds(session, now))
    holds: Holds = session.info[holding.HOLDS]
    return holds


def stopped(session: Session) -> Holds:
    """The stops in force as holds, those of one kind as one: SQLite takes no thousand terms in a row."""
    kinds: dict[tuple[str, bool], list[str]] = {}
    for scope, target, but_urgent in session.connection().execute(_stopped()):
        kinds.setdefault((scope, but_urgent), []).append(target)
    return tuple(_hold(scope, tuple(targets), but_urgent) for (scope, but_urgent), targets in kinds.items())


@cache
def _stopped() -> Select[Any]:
    return select(stops.c.scope, stops.c.target, stops.c.but_urgent).where(stops.c.lifted_at.is_(None))


def stops_in_force(session: Session) -> list[Stop]:
    """The stops that nobody has lifted, oldest first; one whose end has come holds until it is settled."""
    statement = select(Stop).where(stops.c.lifted_at.is_(None)).order_by(stops.c.id)
    return list(session.execute(statement).scalars())


def hold_of(stop: Stop) -> Hold:
    """A stop as a hold."""
    return _hold(stop.scope, (stop.target,), stop.but_urgent)


def _hold(scope: str, targets: tuple[str, ...], but_urgent: bool) -> Hold:
    def named(one: str) -> tuple[str, ...]:
        return targets if scope == one else ()

    return Hold(
        "stopped",
        accounts=named("account"),
        agencies=named("agency"),
        campaigns=named("campaign"),
        platforms=named("platform"),
        but_urgent=but_urgent,
    )
