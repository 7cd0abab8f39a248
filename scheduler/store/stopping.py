"""Stops: declaring one, lifting it, its end, and what it does not reach any more.

Nothing catches up by itself: what came due while a stop was in force waits for a person when it is
lifted, whoever or whatever lifts it. Times in UTC.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, exists, func, or_, select, update
from sqlmodel import Session

from scheduler.states import Event, State
from scheduler.store import consents, holding
from scheduler.store.conditions import in_state
from scheduler.store.present import ends, hold_of, stopped
from scheduler.store.tables import Stop, attempts, deliveries, stops
from scheduler.store.transitions import Change, apply_changes, record


def declare(session: Session, stop: Stop) -> Stop:
    """Put a stop into force: what is claimed after this transaction is committed does not go out."""
    holding.changed(session)
    session.add(stop)
    session.flush()
    record(
        session,
        "stop_declared",
        actor=stop.declared_by,
        at=stop.declared_at,
        campaign_id=stop.target if stop.scope == "campaign" else "",
        detail=_facts(stop),
    )
    return stop


def _facts(stop: Stop) -> dict[str, Any]:
    facts = {
        "stop": stop.id,
        "scope": stop.scope,
        "target": stop.target,
        "reason": stop.reason,
        "letter": stop.letter,
        "until": stop.until.isoformat() if stop.until else "",
        "but_urgent": stop.but_urgent,
        "fresh_approval": stop.fresh_approval,
    }
    return {name: value for name, value in facts.items() if value}


def lift(session: Session, stop: Stop, *, actor: str, at: datetime, reason: str = "") -> int:
    """End a stop; return how many posts that came due meanwhile now wait for a person.

    What another stop still holds stays planned, and waits for the end of that one.
    """
    holding.changed(session)
    mine = session.connection().execute(
        update(stops)
        .where(stops.c.id == stop.id, stops.c.lifted_at.is_(None))
        .values(lifted_at=at, lifted_by=actor)
    )
    if not mine.rowcount:
        return 0  # somebody was first, and settled it
    record(
        session,
        "stop_lifted",
        actor=actor,
        at=at,
        campaign_id=stop.target if stop.scope == "campaign" else "",
        detail={"stop": stop.id, **({"reason": reason} if reason else {})},
    )
    others = holding.held(stopped(session))
    concerned = and_(holding.held([hold_of(stop)]), ~others)
    due = session.execute(
        select(deliveries.c.id, deliveries.c.campaign_id, deliveries.c.digest)
        .where(in_state(State.PLANNED), deliveries.c.allowed_at <= at, concerned)
        .with_for_update()
    ).all()
    apply_changes(
        session,
        [
            Change(
                row.id,
                State.PLANNED,
                Event.HELD,
                row.campaign_id,
                row.digest,
                {"code": "stopped", "reason": stop.reason},
                {"stop": stop.id},
            )
            for row in due
        ],
        actor=actor,
        at=at,
    )
    waiting = session.execute(
        select(deliveries.c.id, deliveries.c.campaign_id, deliveries.c.digest).where(
            deliveries.c.state == State.REVIEW, deliveries.c.code == "stopped", concerned
        )
    ).all()
    if stop.fresh_approval:
        pairs = [(row.campaign_id, row.digest) for row in waiting]
        consents.void(session, pairs, code="stop", actor=actor, at=at, reason=stop.reason)
    return len(waiting)


def end_expired(session: Session, now: datetime) -> None:
    """Lift every stop whose end has come; its posts wait for a person like those of any other."""
    over = [stop_id for until, stop_id in ends(session) if until <= now]
    for stop in [session.get_one(Stop, stop_id) for stop_id in over]:
        lift(session, stop, actor="daemon", at=now, reason="its end has come")


def next_end(session: Session, now: datetime) -> datetime | None:
    """When the next stop ends by itself."""
    return next((until for until, _stop in ends(session) if until > now), None)


def every(session: Session, *, lifted: bool = False) -> list[Stop]:
    """The stops in force, or with ``lifted`` all there ever were; newest first."""
    statement = select(Stop).order_by(stops.c.id.desc())
    if not lifted:
        statement = statement.where(stops.c.lifted_at.is_(None))
    return list(session.execute(statement).scalars())


def out_already(session: Session, stop: Stop, since: datetime) -> list[Row[Any]]:
    """What the stop does not reach any more: out since ``since``, in part, on its way, or with a person."""
    ended = exists().where(attempts.c.delivery_id == deliveries.c.id, attempts.c.outcome == Event.STOPPED)
    partly = and_(deliveries.c.state == State.REVIEW, ended)
    on_its_way = deliveries.c.state.in_((State.SENDING, State.UNSURE, State.HANDED))
    published = and_(deliveries.c.state == State.SENT, deliveries.c.published_at >= since)
    return list(
        session.execute(
            select(*deliveries.c)
            .where(
                or_(published, partly, on_its_way),
                holding.held([replace(hold_of(stop), but_urgent=False)]),
            )
            .order_by(func.coalesce(deliveries.c.published_at, deliveries.c.planned_at).desc())
        )
    )
