"""How many people follow the accounts: whom to ask, what was told, and what was known at a moment.

Counts are only ever appended. NULL is unknown, and ``why`` says why; a later count replaces nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import exists, func, select
from sqlmodel import Session

from scheduler.states import State
from scheduler.store.conditions import in_state
from scheduler.store.tables import FollowerCount, accounts, deliveries, follower_counts

#: An account is not asked so long before and after a post of its own is due.
_CLEAR = timedelta(minutes=2)


def counted(session: Session, account_ids: Sequence[str], since: datetime) -> set[str]:
    """Which of these accounts have a count since ``since``, told or refused."""
    statement = select(follower_counts.c.account_id).where(
        follower_counts.c.account_id.in_(account_ids), follower_counts.c.taken_at >= since
    )
    return set(session.execute(statement).scalars())


def held(session: Session, account_ids: Sequence[str], now: datetime) -> set[str]:
    """Which of these accounts may not be asked now.

    As with figures, an account that pauses is asked for nothing, nor one that has a post to send just now;
    nor one that is disabled, whose credentials are of no use.
    """
    if not account_ids:
        return set()
    resting = select(accounts.c.account_id).where(
        accounts.c.account_id.in_(account_ids),
        accounts.c.disabled_at.is_not(None) | (accounts.c.not_before > now),
    )
    busy = (
        select(deliveries.c.account_id)
        .where(
            deliveries.c.account_id.in_(account_ids),
            in_state(State.PLANNED),
            deliveries.c.allowed_at > now - _CLEAR,
            deliveries.c.allowed_at < now + _CLEAR,
        )
        .distinct()
    )
    return {*session.execute(resting).scalars(), *session.execute(busy).scalars()}


def add(session: Session, count: FollowerCount) -> None:
    """Append a count."""
    session.add(count)
    session.flush()


def known(session: Session, count: FollowerCount) -> bool:
    """Whether the same count of the same moment was entered before."""
    same = exists().where(
        follower_counts.c.account_id == count.account_id,
        follower_counts.c.taken_at == count.taken_at,
        follower_counts.c.followers == count.followers,
        follower_counts.c.source == count.source,
    )
    return bool(session.execute(select(same)).scalar())


def latest(session: Session, as_of: datetime) -> dict[str, FollowerCount]:
    """The newest row of each account until a moment, told or not."""
    newest = (
        select(follower_counts.c.account_id, func.max(follower_counts.c.taken_at).label("at"))
        .where(follower_counts.c.taken_at <= as_of)
        .group_by(follower_counts.c.account_id)
        .subquery()
    )
    rows = session.execute(
        select(FollowerCount)
        .join(
            newest,
            (newest.c.account_id == follower_counts.c.account_id)
            & (newest.c.at == follower_counts.c.taken_at),
        )
        .order_by(follower_counts.c.account_id, follower_counts.c.id)
    ).scalars()
    return {row.account_id: row for row in rows}


class Count(NamedTuple):
    """A number of followers that is known: when it was taken (UTC), and from whom."""

    at: datetime
    followers: int
    source: str


def counts(session: Session, until: datetime) -> Mapping[str, Sequence[Count]]:
    """What is known of each account until a moment, in the order of time."""
    columns = ("account_id", "taken_at", "followers", "source")
    rows = session.execute(
        select(*(follower_counts.c[name] for name in columns))
        .where(follower_counts.c.followers.is_not(None), follower_counts.c.taken_at <= until)
        .order_by(follower_counts.c.account_id, follower_counts.c.taken_at, follower_counts.c.id)
    )
    told: dict[str, list[Count]] = {}
    for account_id, *count in rows:
        told.setdefault(account_id, []).append(Count(*count))
    return told
