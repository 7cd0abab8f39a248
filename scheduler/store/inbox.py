"""What people write under posts: when to ask for it next, what came, and who takes care of it.

Comments are only appended, each once; the case of a comment (assigned, closed) is a row of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from scheduler.states import State
from scheduler.store.dispatching import NOW, in_state
from scheduler.store.tables import (
    Comment,
    CommentCase,
    UtcDateTime,
    accounts,
    comment_cases,
    comments,
    deliveries,
)
from scheduler.store.transitions import record

Condition = Literal["open", "answered", "closed"]


@dataclass(frozen=True, slots=True)
class Due:
    """A post under which people may have written something."""

    delivery_id: int
    remote_id: str
    published_at: datetime


def due(session: Session, now: datetime, most: int) -> tuple[str, list[Due]] | None:
    """The posts of one account whose comments are due, at most ``most``; None if there are none.

    As with figures, an account that pauses is asked for nothing, nor one that has a post to send just now.
    """
    moment = {"now": now, "_before": now - _CLEAR, "_after": now + _CLEAR}
    account = session.execute(_first_due(), moment).scalar()
    if account is None:
        return None
    rows = session.execute(_due_of(), {**moment, "account": account, "most": most})
    return account, [Due(row.id, row.remote_id, row.published_at) for row in rows]


#: Comments are not asked for so long before and after a post of the same account is due.
_CLEAR = timedelta(minutes=2)


# Asked twice a minute for as long as a daemon runs, so built once: to build them costs more than to run them.


@cache
def _first_due() -> Select[Any]:
    statement = select(deliveries.c.account_id).where(*_waiting())
    return statement.order_by(deliveries.c.replies_at).limit(1)


@cache
def _due_of() -> Select[Any]:
    return (
        select(deliveries.c.id, deliveries.c.remote_id, deliveries.c.published_at)
        .where(*_waiting(), deliveries.c.account_id == bindparam("account"))
        .order_by(deliveries.c.replies_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )


def _waiting() -> tuple[ColumnElement[bool], ...]:
    others = deliveries.alias("others")
    return (
        deliveries.c.replies_at.is_not(None),
        deliveries.c.replies_at <= NOW,
        in_state(State.SENT),
        ~exists().where(accounts.c.account_id == deliveries.c.account_id, accounts.c.not_before > NOW),
        ~exists().where(
            others.c.account_id == deliveries.c.account_id,
            in_state(State.PLANNED, others),
            others.c.allowed_at > bindparam("_before", type_=UtcDateTime()),
            others.c.allowed_at < bindparam("_after", type_=UtcDateTime()),
        ),
    )


def ask_next(session: Session, when: Mapping[int, datetime | None]) -> None:
    """Set when the comments of each delivery are asked for next; None for never again."""
    if when:
        session.connection().execute(
            update(deliveries).where(deliveries.c.id == bindparam("_id")).values(replies_at=bindparam("_at")),
            [{"_id": delivery_id, "_at": at} for delivery_id, at in when.items()],
        )


def keep(session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    """Append the comments that are not there yet; return how many those were."""
    if not rows:
        return 0
    dialect = session.connection().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    before = session.execute(select(func.max(comments.c.id))).scalar() or 0
    session.connection().execute(insert(comments).on_conflict_do_nothing(), [dict(row) for row in rows])
    return session.execute(select(func.count()).where(comments.c.id > before)).scalar() or 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which comments are listed."""

    campaign: str = ""
    account: str = ""
    assigned_to: str = ""
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A comment with its case, the post it stands under, and when the account answered."""

    comment: Comment
    case: CommentCase | None
    campaign_id: str
    message_id: str
    zone: str
    answered_at: datetime | None

    @property
    def condition(self) -> Condition:
        """Closed by a person, answered by the account, or open."""
        if self.case and self.case.closed_at:
            return "closed"
        return "answered" if self.answered_at else "open"


def entries(session: Session, wanted: Wanted) -> list[Entry]:
    """The comments of others, oldest first."""
    answers = comments.alias("answers")
    answered = (
        select(func.min(answers.c.written_at))
        .where(
            answers.c.account_id == comments.c.account_id,
            answers.c.under == comments.c.remote_id,
            answers.c.own,
        )
        .correlate(comments)
        .scalar_subquery()
    )
    statement = (
        select(
            Comment,
            CommentCase,
            deliveries.c.campaign_id,
            deliveries.c.message_id,
            deliveries.c.zone,
            answered.label("answered_at"),
        )
        .join(deliveries, deliveries.c.id == comments.c.delivery_id)
        .outerjoin(comment_cases, comment_cases.c.comment_id == comments.c.id)
        .where(~comments.c.own)
        .order_by(comments.c.written_at, comments.c.id)
    )
    if wanted.campaign:
        statement = statement.where(deliveries.c.campaign_id == wanted.campaign)
    if wanted.account:
        statement = statement.where(comments.c.account_id == wanted.account)
    if wanted.assigned_to:
        statement = statement.where(comment_cases.c.assigned_to == wanted.assigned_to)
    found = [Entry(*row) for row in session.execute(statement)]
    return [one for one in found if wanted.condition in {None, one.condition}]


def one(session: Session, comment_id: int) -> Entry | None:
    """A comment by its number; None if there is no such comment of somebody else."""
    return next((entry for entry in entries(session, Wanted()) if entry.comment.id == comment_id), None)


def assign(session: Session, entry: Entry, *, to: str, by: str, at: datetime) -> None:
    """Give a comment into somebody's care."""
    case = _case(session, entry)
    case.assigned_to, case.assigned_at = to, at
    _record(session, entry, "comment-assigned", by=by, at=at, detail={"to": to})


def close(session: Session, entry: Entry, *, by: str, at: datetime, note: str) -> None:
    """End the case of a comment with a note."""
    case = _case(session, entry)
    case.closed_at, case.closed_by, case.note = at, by, note
    _record(session, entry, "comment-closed", by=by, at=at, detail={"note": note})


def _case(session: Session, entry: Entry) -> CommentCase:
    case = session.get(CommentCase, entry.comment.id) or CommentCase(comment_id=entry.comment.id or 0)
    session.add(case)
    return case


def _record(
    session: Session, entry: Entry, action: str, *, by: str, at: datetime, detail: Mapping[str, object]
) -> None:
    record(
        session,
        action,
        actor=by,
        at=at,
        campaign_id=entry.campaign_id,
        delivery_id=entry.comment.delivery_id,
        detail={"comment": entry.comment.id, **detail},
    )
