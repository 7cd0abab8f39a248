"""What accounts may spend in a month, and what they spent: a row of sums for claims, charges for the trail.

The sums are changed together with the charges they add up, in the transaction of the claim or of the
settlement, so a claim reads one row by its key and no history. Times in UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, exists, func, select, update
from sqlmodel import Session

from scheduler.costs import Cost
from scheduler.states import State
from scheduler.store.conditions import NOW, in_state
from scheduler.store.dialects import among
from scheduler.store.tables import (
    Charge,
    Content,
    Delivery,
    Spending,
    charges,
    content_prices,
    contents,
    deliveries,
    snapshots,
    spending,
)
from scheduler.store.transitions import record


def not_open(session: Session, month: str, terms: Mapping[str, tuple[Decimal | None, str]]) -> Sequence[str]:
    """Which accounts have no row of a month yet, or one with another budget or currency than in ``terms``."""
    connection = session.connection()
    named = {"accounts": list(terms), "month": month}
    rows = connection.execute(_months(connection.dialect.name), named)
    opened = {row.account_id for row in rows if terms[row.account_id] == (row.budget, row.currency)}
    return [account_id for account_id in terms if account_id not in opened]


@cache
def _months(dialect: str) -> Select[Any]:
    c = spending.c
    return select(c.account_id, c.budget, c.currency).where(
        among(c.account_id, "accounts", dialect), c.month == bindparam("month")
    )


def open_month(session: Session, row: Spending) -> None:
    """See that an account has its row of a month, with the budget that the configuration gives it now."""
    key = (spending.c.account_id == row.account_id, spending.c.month == row.month)
    known = session.execute(select(spending.c.budget, spending.c.currency).where(*key)).first()
    if known is None:
        session.add(row)
        session.flush()
    elif (known.budget, known.currency) != (row.budget, row.currency):
        session.execute(update(spending).where(*key).values(budget=row.budget, currency=row.currency))


def to_price(session: Session, accounts: Collection[str], now: datetime, prices: str) -> Sequence[Content]:
    """The contents of what is due on ``accounts`` that have no amount at these prices yet."""
    connection = session.connection()
    named = {"accounts": list(accounts), "now": now, "prices": prices}
    digests = connection.execute(_to_price(connection.dialect.name), named).scalars().all()
    if not digests:
        return []
    return session.execute(select(Content).where(contents.c.digest.in_(digests))).scalars().all()


@cache
def _to_price(dialect: str) -> Select[Any]:
    known = exists().where(
        content_prices.c.digest == deliveries.c.digest, content_prices.c.prices == bindparam("prices")
    )
    return (
        select(deliveries.c.digest)
        .where(
            among(deliveries.c.account_id, "accounts", dialect),
            in_state(State.PLANNED),
            deliveries.c.allowed_at <= NOW,
            ~known,
        )
        .distinct()
    )


def set_prices(session: Session, amounts: Mapping[str, Decimal | None], prices: str) -> None:
    """Store what contents cost."""
    if amounts:
        session.execute(delete(content_prices).where(content_prices.c.digest.in_(list(amounts))))
        rows = [{"digest": digest, "amount": one, "prices": prices} for digest, one in amounts.items()]
        session.connection().execute(content_prices.insert(), rows)


def charge(session: Session, one: Charge) -> None:
    """Write a charge and add it to its month: reserved while it is open, spent if it is closed."""
    session.add(one)
    session.flush()
    column = spending.c.reserved if one.closed_at is None else spending.c.spent
    closed = 0 if one.closed_at is None else sum(one.unpriced.values())
    _add(session, one, {column: one.amount, spending.c.unpriced: closed})


def add_comments(session: Session, row: Spending, amount: Decimal) -> None:
    """Note how much of what was spent in a month was for comments that were read."""
    session.execute(
        update(spending)
        .where(spending.c.account_id == row.account_id, spending.c.month == row.month)
        .values(comments_spent=spending.c.comments_spent + amount)
    )


def close(session: Session, one: Charge, cost: Cost, *, now: datetime) -> None:
    """End the reservation of an open charge with what was really done; forget it if that is nothing."""
    _add(
        session,
        one,
        {
            spending.c.reserved: -one.amount,
            spending.c.spent: cost.amount,
            spending.c.unpriced: sum(cost.unpriced.values()),
        },
    )
    if not cost.acts:
        session.delete(one)
    else:
        one.acts, one.unpriced, one.amount, one.closed_at = (
            dict(cost.acts),
            dict(cost.unpriced),
            cost.amount,
            now,
        )
        session.add(one)
    session.flush()


def _add(session: Session, one: Charge, sums: Mapping[Any, Decimal | int]) -> None:
    session.execute(
        update(spending)
        .where(spending.c.account_id == one.account_id, spending.c.month == one.month)
        .values({column.name: column + more for column, more in sums.items()})
    )


def ended(session: Session) -> Sequence[tuple[Charge, Delivery]]:
    """The open charges whose delivery is neither on its way nor of unknown outcome any more."""
    over = session.connection().execute(_ended()).scalars().all()
    if not over:
        return []
    rows = session.execute(
        select(Charge, Delivery)
        .join(Delivery, deliveries.c.id == charges.c.delivery_id)
        .where(charges.c.id.in_(over))
        .order_by(charges.c.id)
        .execution_options(populate_existing=True)
    )
    return [(row[0], row[1]) for row in rows]


@cache
def _ended() -> Select[Any]:
    return (
        select(charges.c.id)
        .join(deliveries, deliveries.c.id == charges.c.delivery_id)
        .where(charges.c.closed_at.is_(None), ~in_state(State.SENDING), ~in_state(State.UNSURE))
    )


def published(
    session: Session, delivery_ids: Collection[int], accounts: Collection[str]
) -> Sequence[Delivery]:
    """Which of these deliveries of ``accounts`` are on their platform."""
    if not delivery_ids:
        return []
    statement = select(Delivery).where(
        deliveries.c.id.in_(delivery_ids),
        deliveries.c.account_id.in_(accounts),
        deliveries.c.state == State.SENT,
    )
    return session.execute(statement.execution_options(populate_existing=True)).scalars().all()


def charges_of(session: Session, delivery_id: int) -> list[Charge]:
    """Every charge of a delivery, oldest first."""
    statement = select(Charge).where(charges.c.delivery_id == delivery_id).order_by(charges.c.id)
    return list(session.execute(statement).scalars())


def content(session: Session, digest: str) -> Content:
    """A content; raise LookupError if there is none."""
    found = session.get(Content, digest)
    if found is None:
        raise LookupError(digest)
    return found


def read_since(session: Session, delivery_ids: Sequence[int], since: datetime) -> int:
    """Of how many of these posts the platform was asked for figures since a moment."""
    asked = select(func.count(func.distinct(snapshots.c.delivery_id))).where(
        snapshots.c.delivery_id.in_(delivery_ids), snapshots.c.taken_at >= since, snapshots.c.source == "api"
    )
    return session.execute(asked).scalar() or 0


def month(session: Session, month: str) -> dict[str, Spending]:
    """The rows of a month, by account."""
    found = session.execute(select(Spending).where(spending.c.month == month)).scalars()
    return {one.account_id: one for one in found}


def allow(
    session: Session,
    row: Spending,
    *,
    amount: Decimal,
    unlimited: bool,
    actor: str,
    at: datetime,
    reason: str,
) -> None:
    """A person lets an account spend ``amount`` more in the month of ``row``, or without a limit."""
    session.execute(
        update(spending)
        .where(spending.c.account_id == row.account_id, spending.c.month == row.month)
        .values(allowed=spending.c.allowed + amount, unlimited=unlimited or spending.c.unlimited)
    )
    record(
        session,
        "budget-lifted" if unlimited else "budget-raised",
        actor=actor,
        at=at,
        detail={
            "account": row.account_id,
            "month": row.month,
            "amount": f"{amount:f}",
            "currency": row.currency,
            "reason": reason,
        },
    )


def coming(
    session: Session, accounts: Collection[str], until: datetime, but: Collection[str]
) -> list[Row[Any]]:
    """What is planned on ``accounts`` before ``until``, except of campaigns ``but``: content and time."""
    statement = (
        select(deliveries.c.allowed_at, *contents.c)
        .join(contents, contents.c.digest == deliveries.c.digest)
        .where(
            in_state(State.PLANNED),
            deliveries.c.account_id.in_(accounts),
            deliveries.c.allowed_at < until,
            deliveries.c.campaign_id.not_in(but),
        )
    )
    return list(session.execute(statement))
