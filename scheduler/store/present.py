"""What holds at this moment: the stops in force, and the hard windows in force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, select
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
    for stop in _stops(session):
        kinds.setdefault((stop.scope, stop.but_urgent), []).append(stop.target)
    return tuple(_hold(scope, tuple(targets), but_urgent) for (scope, but_urgent), targets in kinds.items())


def ends(session: Session) -> list[tuple[datetime, int]]:
    """When stops in force end by themselves (UTC), and the ids of those stops; earliest first."""
    return sorted((stop.until, stop.id) for stop in _stops(session) if stop.until is not None)


def _stops(session: Session) -> Sequence[Row[Any]]:
    if holding.STOPS not in session.info:
        session.info[holding.STOPS] = session.connection().execute(_stopped()).all()
    found: Sequence[Row[Any]] = session.info[holding.STOPS]
    return found


@cache
def _stopped() -> Select[Any]:
    c = stops.c
    return select(c.id, c.scope, c.target, c.but_urgent, c.until).where(c.lifted_at.is_(None)).order_by(c.id)


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
