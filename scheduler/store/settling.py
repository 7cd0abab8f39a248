"""Writing down what platforms answered: outcomes of attempts, of looks, and figures.

All of them go into the dispatcher's one transaction. An answer that comes after its delivery has
moved on is recorded, and forced into nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Insert, Select, Update, bindparam, exists, literal_column, or_, select, update
from sqlmodel import Session

from scheduler.states import Event, State
from scheduler.store.chain import answers_hash
from scheduler.store.conditions import NOW, in_state
from scheduler.store.dialects import among, insert
from scheduler.store.tables import accounts, answers, attempts, deliveries, snapshots
from scheduler.store.transitions import Change, apply_changes


@dataclass(frozen=True, slots=True)
class Standing:
    """How a delivery stands in the store at this moment."""

    state: State
    attempts: int
    looks: int
    open_attempt: int | None


def standings(session: Session, delivery_ids: Sequence[int]) -> dict[int, Standing]:
    """How each delivery stands; on PostgreSQL nobody else changes it before this transaction ends."""
    if not delivery_ids:
        return {}
    connection = session.connection()
    rows = connection.execute(_standings(connection.dialect.name), {"ids": list(delivery_ids)})
    return {row.id: Standing(State(row.state), row.attempts, row.looks, row.open_attempt) for row in rows}


@cache
def _standings(dialect: str) -> Select[Any]:
    return (
        select(
            deliveries.c.id,
            deliveries.c.state,
            deliveries.c.attempts,
            deliveries.c.looks,
            attempts.c.id.label("open_attempt"),
        )
        .outerjoin(attempts, (attempts.c.delivery_id == deliveries.c.id) & attempts.c.finished_at.is_(None))
        .where(among(deliveries.c.id, "ids", dialect))
        .order_by(deliveries.c.id)
        .with_for_update(of=deliveries)
    )


def settle(session: Session, changes: Sequence[Change], *, now: datetime) -> None:
    """Apply the changes that answers mean."""
    apply_changes(session, changes, actor="daemon", at=now)


def end_attempts(session: Session, ends: Sequence[Mapping[str, Any]]) -> None:
    """End attempts; each row has ``attempt_id``, ``at``, ``outcome``, ``code``, ``reason``, ``remote_id``."""
    if not ends:
        return
    session.connection().execute(
        _end_attempt(),
        [
            {
                "_attempt": end["attempt_id"],
                "_at": end["at"],
                "_outcome": end["outcome"],
                "_code": end["code"],
                "_reason": end["reason"],
                "_remote": end["remote_id"],
            }
            for end in ends
        ],
    )


@cache
def _end_attempt() -> Update:
    return (
        update(attempts)
        .where(attempts.c.id == bindparam("_attempt"))
        .values(
            finished_at=bindparam("_at"),
            outcome=bindparam("_outcome"),
            code=bindparam("_code"),
            reason=bindparam("_reason"),
            remote_id=bindparam("_remote"),
        )
    )


def add_answers(
    session: Session, heard: Mapping[int, tuple[datetime, Sequence[Mapping[str, Any]]]]
) -> dict[int, dict[str, Any]]:
    """Append what platforms answered to attempts: attempt -> when (UTC), answers; written once for each.

    Return, by attempt, what the audit's row must say of them so that nobody can change them unseen.
    """
    if not heard:
        return {}
    connection = session.connection()
    rows = [
        {"attempt_id": attempt_id, "at": at, "answers": [dict(one) for one in several]}
        for attempt_id, (at, several) in heard.items()
    ]
    connection.execute(_add_answers(connection.dialect.name), rows)
    return {
        attempt_id: {"attempt": attempt_id, "answers": answers_hash(attempt_id, several)}
        for attempt_id, (_at, several) in heard.items()
    }


@cache
def _add_answers(dialect: str) -> Insert:
    return insert(answers, dialect).on_conflict_do_nothing(index_elements=["attempt_id"])


def owners(session: Session, posts: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Which delivery already has each of these posts (account, remote id) as its own; without the rest."""
    if not posts:
        return {}
    named = {"accounts": [account for account, _ in posts], "ids": [remote_id for _, remote_id in posts]}
    connection = session.connection()
    rows = connection.execute(_owners(connection.dialect.name), named)
    return {(row.account_id, row.remote_id): row.id for row in rows}


@cache
def _owners(dialect: str) -> Select[Any]:
    return select(deliveries.c.account_id, deliveries.c.remote_id, deliveries.c.id).where(
        among(deliveries.c.account_id, "accounts", dialect),
        among(deliveries.c.remote_id, "ids", dialect),
        deliveries.c.remote_id != literal_column("''"),  # for the partial index
    )


def settled(session: Session, attempt_id: int) -> bool:
    """Whether an attempt has ended by its own answer, and not only because nobody heard of it."""
    outcome = session.execute(select(attempts.c.outcome).where(attempts.c.id == attempt_id)).scalar()
    return outcome not in {None, "", Event.LOST.value}


def reach_due(session: Session, now: datetime, limit: int) -> dict[str, dict[str, int]]:
    """Posts whose figures are due: account -> remote id -> delivery, at most ``limit`` posts in all.

    An account that pauses is asked for nothing, nor one that has a post to send just now: on most
    platforms reading counts against the same limits, and publishing goes first. But figures that have
    waited for ``_PATIENCE`` are asked for in any case.
    """
    rows = session.connection().execute(
        _reach_due(),
        {
            "now": now,
            "limit": limit,
            "_before": now - _CLEAR,
            "_after": now + _CLEAR,
            "_waited": now - _PATIENCE,
        },
    )
    due: dict[str, dict[str, int]] = {}
    for row in rows:
        due.setdefault(row.account_id, {})[row.remote_id] = row.id
    return due


#: Figures are not asked for so long before and after a post of the same account is due.
_CLEAR = timedelta(minutes=2)
#: Nor do they wait for longer than this, however many posts an account sends.
_PATIENCE = timedelta(hours=1)


@cache
def _reach_due() -> Select[Any]:
    others = deliveries.alias("others")
    return (
        select(deliveries.c.id, deliveries.c.account_id, deliveries.c.remote_id)
        .where(
            deliveries.c.reach_at.is_not(None),
            deliveries.c.reach_at <= NOW,
            in_state(State.SENT),
            ~exists().where(accounts.c.account_id == deliveries.c.account_id, accounts.c.not_before > NOW),
            or_(
                deliveries.c.reach_at <= bindparam("_waited"),
                ~exists().where(
                    others.c.account_id == deliveries.c.account_id,
                    in_state(State.PLANNED, others),
                    others.c.allowed_at > bindparam("_before"),
                    others.c.allowed_at < bindparam("_after"),
                ),
            ),
        )
        .order_by(deliveries.c.reach_at)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)
    )


def asked(session: Session, delivery_ids: Sequence[int], until: datetime) -> None:
    """Nobody else asks for the figures of these posts before ``until``, nor later if an answer comes."""
    if delivery_ids:
        session.execute(update(deliveries).where(deliveries.c.id.in_(delivery_ids)).values(reach_at=until))


def published(session: Session, delivery_ids: Sequence[int]) -> dict[int, datetime]:
    """When each delivery was published."""
    rows = session.execute(
        select(deliveries.c.id, deliveries.c.published_at).where(
            deliveries.c.id.in_(delivery_ids), deliveries.c.published_at.is_not(None)
        )
    )
    return {row.id: row.published_at for row in rows}


def add_snapshots(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append snapshots; each row has the columns of the table, figures unknown as None."""
    if rows:
        session.connection().execute(snapshots.insert(), [dict(row) for row in rows])


def next_measure(session: Session, when: Mapping[int, datetime | None]) -> None:
    """Set when the figures of each delivery are to be taken next; None for never again."""
    if when:
        session.connection().execute(
            update(deliveries).where(deliveries.c.id == bindparam("_id")).values(reach_at=bindparam("_at")),
            [{"_id": delivery_id, "_at": at} for delivery_id, at in when.items()],
        )
