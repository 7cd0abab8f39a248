"""Whether the month's budget of an account has room for a delivery: one condition of a claim.

It reads one row of sums and one price, each by its key; ``scheduler.store.spending`` keeps them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, exists, or_, select

from scheduler.store.tables import charges, content_prices, deliveries, spending


def affordable(now: Any, rows: Any = deliveries) -> ColumnElement[bool]:
    """Whether the month's budget of its account, if there is one, has room for a delivery.

    A content that was not priced yet, or whose price is unknown, has none. What has begun (a thread of
    which a part is out) is finished: nobody is helped by half of it.
    """
    begun = exists().where(charges.c.delivery_id == rows.c.id).correlate(rows)
    return or_(~_beyond(now, rows), begun)


def over_budget(now: Any, rows: Any = deliveries) -> ColumnElement[bool]:
    """Whether a delivery is held by the budget: it was priced, and does not fit."""
    priced = exists().where(content_prices.c.digest == rows.c.digest).correlate(rows)
    return priced & ~affordable(now, rows)


def _beyond(now: Any, rows: Any) -> ColumnElement[bool]:
    amount = _amount(rows)
    return (
        exists()
        .where(
            spending.c.account_id == rows.c.account_id,
            spending.c.starts_at <= now,
            spending.c.ends_at > now,
            spending.c.budget.is_not(None),
            spending.c.unlimited.is_(False),
            or_(
                amount.is_(None),
                spending.c.spent + spending.c.reserved + amount > spending.c.budget + spending.c.allowed,
            ),
        )
        .correlate(rows)
    )


def _amount(rows: Any) -> ScalarSelect[Any]:
    return (
        select(content_prices.c.amount)
        .where(content_prices.c.digest == rows.c.digest)
        .correlate(rows)
        .scalar_subquery()
    )
