"""Which accounts will publish shortly: their platforms are asked beforehand whether they have room."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select
from sqlmodel import Session

from scheduler.states import State
from scheduler.store.conditions import in_state
from scheduler.store.tables import accounts, deliveries


def soon(session: Session, among: Collection[str], now: datetime, until: datetime) -> list[str]:
    """The accounts of which a post may be claimed for the first time, or again, in this time (UTC).

    Not those whose pause lasts longer, nor those that a person must check; answers to comments are no posts.
    """
    rows = session.execute(
        select(deliveries.c.account_id)
        .outerjoin(accounts, accounts.c.account_id == deliveries.c.account_id)
        .where(
            in_state(State.PLANNED),
            deliveries.c.account_id.in_(among),
            deliveries.c.comment_id.is_(None),
            deliveries.c.allowed_at <= until,
            deliveries.c.due_at <= until,
            or_(deliveries.c.allowed_at > now, deliveries.c.due_at > now, accounts.c.not_before > now),
            or_(accounts.c.not_before.is_(None), accounts.c.not_before <= until),
            accounts.c.disabled_at.is_(None),
        )
        .distinct()
        .order_by(deliveries.c.account_id)
    )
    return list(rows.scalars())
