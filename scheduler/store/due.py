"""What time brings by itself: what has become too late to go out, and when the next thing is due (UTC)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    func,
    select,
)
from sqlmodel import Session

from scheduler.states import Event, State
from scheduler.store import holding
from scheduler.store.budgets import over_budget
from scheduler.store.conditions import NOW, approved, in_state
from scheduler.store.holding import Holds
from scheduler.store.present import present
from scheduler.store.tables import accounts, deliveries
from scheduler.store.transitions import Change, apply_changes

#: Deliveries that are put away in one transaction, at most.
AT_ONCE = 1000
#: The code of a delivery whose time passed while its account's budget held it.
OVER_BUDGET = "over-budget"


def expire(session: Session, now: datetime) -> bool:
    """Move planned deliveries that are too late to ``missed`` or ``review``; return whether more are left.

    A thousand at once, the earliest first: after a long standstill nobody else waits for all of them.
    What was held back is put to a person, whatever its campaign does with what it misses; and so is what was
    begun, since a part of it may be public.
    """
    rows = session.connection().execute(_expired(present(session, now)), {"now": now}).all()
    apply_changes(
        session,
        [
            Change(
                row.id,
                State.PLANNED,
                Event.MISSED if row.if_missed == "skip" and not _concerns_a_person(row) else Event.HELD,
                row.campaign_id,
                row.digest,
                {"code": _why_late(row)},
            )
            for row in rows
        ],
        actor="daemon",
        at=now,
    )
    return len(rows) == AT_ONCE


def _concerns_a_person(row: Row[Any]) -> bool:
    return bool(row.held or row.over_budget or row.progress)


def _why_late(row: Row[Any]) -> str:
    if row.held or not row.approved:
        return row.held or "not-approved"
    return OVER_BUDGET if row.over_budget else "too-late"


@lru_cache(maxsize=8)
def _expired(holds: Holds) -> Select[Any]:
    return (
        select(
            deliveries.c.id,
            deliveries.c.campaign_id,
            deliveries.c.digest,
            deliveries.c.if_missed,
            deliveries.c.progress,
            approved().label("approved"),
            holding.code(holds).label("held"),
            over_budget(NOW).label("over_budget"),
        )
        .where(in_state(State.PLANNED), deliveries.c.allowed_at <= NOW, deliveries.c.expires_at < NOW)
        .order_by(deliveries.c.allowed_at, deliveries.c.id)
        .limit(AT_ONCE)
        .with_for_update(of=deliveries, skip_locked=True)
    )


def next_due(session: Session, now: datetime) -> datetime | None:
    """The next instant at which something may have to be done, later than ``now``; None if nothing waits."""
    found = session.connection().execute(_next_due(), {"now": now}).one()._mapping
    moments = [moment + _PAST[name] if name in _PAST else moment for name, moment in found.items() if moment]
    return min(moments, default=None)


#: At the very instant at which a post expires it may still go out; it is overdue just after.
_PAST = {"expiring": timedelta(milliseconds=1)}


@cache
def _next_due() -> Select[Any]:
    begun = (in_state(State.PLANNED), deliveries.c.allowed_at <= NOW)
    moments = {
        "waiting": _earliest(deliveries.c.allowed_at, in_state(State.PLANNED)),
        "retrying": _earliest(deliveries.c.due_at, *begun),
        "expiring": _earliest(deliveries.c.expires_at, *begun, or_now=True),
        "looking": _earliest(deliveries.c.due_at, in_state(State.UNSURE), deliveries.c.asks.is_(False)),
        "pausing": _earliest(accounts.c.not_before),
        "resting": _earliest(accounts.c.resting_until),
        "measuring": _earliest(deliveries.c.reach_at, deliveries.c.reach_at.is_not(None)),
    }
    return select(*(moment.label(name) for name, moment in moments.items()))


def _earliest(
    column: ColumnElement[Any], *conditions: ColumnElement[bool], or_now: bool = False
) -> ScalarSelect[Any]:
    later = column >= NOW if or_now else column > NOW
    return select(func.min(column)).where(later, *conditions).scalar_subquery()
