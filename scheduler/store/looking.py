"""Which posts of unknown outcome are looked for next on their platform. Times are UTC."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlmodel import Session

from scheduler.states import State
from scheduler.store.claiming import COLUMNS, Claim, of_row
from scheduler.store.conditions import NOW, in_state
from scheduler.store.dialects import among
from scheduler.store.tables import attempts, contents, deliveries

#: The code of an attempt that was given up though its process may still have been at it.
LEASE_EXPIRED = "lease-expired"


def look(
    session: Session,
    *,
    now: datetime,
    lease_until: datetime,
    node: str,
    limit: int,
    held: Collection[int] = (),
) -> list[Claim]:
    """Take up to ``limit`` uncertain deliveries whose next look at the platform is due.

    They stay ``unsure``; the lease only keeps another node from looking at the same time. ``held``
    are deliveries whose attempt is still running here, lease or no lease: it is never overtaken.
    """
    if limit <= 0:
        return []
    asked = {"now": now, "held": list(held), "limit": limit}
    connection = session.connection()
    rows = connection.execute(_lookable(connection.dialect.name), asked).all()
    if rows:
        session.execute(
            update(deliveries)
            .where(deliveries.c.id.in_([row.id for row in rows]))
            .values(node=node, lease_until=lease_until)
        )
    return [
        of_row(
            row,
            attempt_id=0,
            attempts=row.attempts,
            at=now,
            first_try_at=row.first_try_at,
            last_try_at=row.last_try_at,
            lost_at=row.lost_at,
        )
        for row in rows
    ]


@cache
def _lookable(dialect: str) -> Select[Any]:
    began = attempts.c.started_at
    # Subqueries of a row, not a join: SQLite would go through every attempt ever made, at every turn.
    return (
        select(
            *COLUMNS,
            _of_attempts(func.min(began)).label("first_try_at"),
            _of_attempts(func.max(func.coalesce(attempts.c.finished_at, began))).label("last_try_at"),
            _of_attempts(func.max(attempts.c.finished_at), attempts.c.code == LEASE_EXPIRED).label("lost_at"),
        )
        .join(contents, contents.c.digest == deliveries.c.digest)
        .where(
            in_state(State.UNSURE),
            deliveries.c.asks.is_(False),
            deliveries.c.due_at <= NOW,
            ~among(deliveries.c.id, "held", dialect),
            or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until < NOW),
        )
        .order_by(deliveries.c.due_at)
        .limit(bindparam("limit"))
        .with_for_update(of=deliveries, skip_locked=True)
    )


def _of_attempts(value: ColumnElement[Any], *conditions: ColumnElement[bool]) -> ScalarSelect[Any]:
    return select(value).where(attempts.c.delivery_id == deliveries.c.id, *conditions).scalar_subquery()
