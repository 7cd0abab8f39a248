"""What people write under posts: when to ask for it next, what came, and who takes care of it.

Comments are only appended, each once; the case of a comment (assigned, closed) is a row of its own, and
so is an answer to it: a delivery, made in ``scheduler.store.replying``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, exists, func, select, update
from sqlmodel import Session

from scheduler.states import State
from scheduler.store.conditions import NOW, in_state
from scheduler.store.dialects import insert
from scheduler.store.tables import (
    Comment,
    CommentCase,
    UtcDateTime,
    accounts,
    audit,
    comment_cases,
    comments,
    deliveries,
    legal_holds,
)
from scheduler.store.transitions import record

Condition = Literal["open", "replying", "answered", "closed"]

#: An answer in one of these states may yet go out, or is on its way.
UNDER_WAY = frozenset({State.PLANNED, State.SENDING, State.UNSURE, State.HANDED})


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
    connection = session.connection()
    account = connection.execute(_first_due(), moment).scalar()
    if account is None:
        return None
    rows = connection.execute(_due_of(), {**moment, "account": account, "most": most})
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


def newest(session: Session, delivery_ids: Sequence[int]) -> dict[str, str]:
    """The comment that was written last under each post, as far as is known: remote id by remote id."""
    rows = session.execute(
        select(deliveries.c.remote_id, comments.c.remote_id.label("comment"))
        .join(comments, comments.c.delivery_id == deliveries.c.id)
        .where(deliveries.c.id.in_(delivery_ids))
        .order_by(comments.c.written_at, comments.c.id)
    )
    return {row.remote_id: row.comment for row in rows}


def keep(session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    """Append the comments that are not there yet; return how many those were."""
    if not rows:
        return 0
    connection = session.connection()
    before = session.execute(select(func.max(comments.c.id))).scalar() or 0
    statement = insert(comments, connection.dialect.name).on_conflict_do_nothing()
    connection.execute(statement, [dict(row) for row in rows])
    return session.execute(select(func.count()).where(comments.c.id > before)).scalar() or 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which comments are listed; empty means any."""

    campaign: str = ""
    account: str = ""
    assigned_to: str = ""
    condition: Condition | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The newest answer that was drafted here: a delivery."""

    key: str
    state: State
    code: str
    reason: str
    published_at: datetime | None
    permalink: str
    drafted_by: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A comment with its case, the post it stands under, and what became of answers to it."""

    comment: Comment
    case: CommentCase | None
    campaign_id: str
    message_id: str
    zone: str
    heard_at: datetime | None
    """When the account answered on the platform, as far as was heard there."""
    answer: Answer | None

    @property
    def answered_at(self) -> datetime | None:
        """When the account answered: on the platform, or through Gaung; None if it has not."""
        sent = self.answer.published_at if self.answer and self.answer.state is State.SENT else None
        return min((at for at in (self.heard_at, sent) if at), default=None)

    @property
    def response_seconds(self) -> int | None:
        """How long its author waited for an answer; None while there is none."""
        if self.answered_at is None:
            return None
        return max(0, int((self.answered_at - self.comment.written_at).total_seconds()))

    @property
    def condition(self) -> Condition:
        """Closed by a person, answered by the account, about to be answered, or open."""
        if self.case and self.case.closed_at:
            return "closed"
        if self.answered_at:
            return "answered"
        return "replying" if self.answer and self.answer.state in UNDER_WAY else "open"


def _heard() -> tuple[Any, ColumnElement[bool]]:
    """The account's own comments, and when one of them answers a comment."""
    heard, sent = comments.alias("heard"), deliveries.alias("sent")
    return heard, and_(
        heard.c.account_id == comments.c.account_id,
        heard.c.under == comments.c.remote_id,
        heard.c.own,
        # What was sent from here counts as the delivery says: it may have been taken down again.
        ~exists().where(
            sent.c.account_id == heard.c.account_id,
            sent.c.remote_id == heard.c.remote_id,
            sent.c.remote_id != "",
        ),
    )


def count_open(session: Session) -> int:
    """How many comments wait for somebody: neither closed nor answered, nor about to be."""
    heard, answers_it = _heard()
    done = (*UNDER_WAY, State.SENT)
    return (
        session.execute(
            select(func.count())
            .select_from(comments)
            .where(
                ~comments.c.own,
                ~exists().where(
                    comment_cases.c.comment_id == comments.c.id, comment_cases.c.closed_at.is_not(None)
                ),
                ~select(heard.c.id).where(answers_it).correlate(comments).exists(),
                ~exists().where(deliveries.c.comment_id == comments.c.id, deliveries.c.state.in_(done)),
            )
        ).scalar()
        or 0
    )


def entries(session: Session, wanted: Wanted) -> list[Entry]:
    """The comments of others, oldest first."""
    heard, answers_it = _heard()
    answered = select(func.min(heard.c.written_at)).where(answers_it).correlate(comments).scalar_subquery()
    statement = (
        select(
            Comment,
            CommentCase,
            deliveries.c.campaign_id,
            deliveries.c.message_id,
            deliveries.c.zone,
            answered.label("heard_at"),
        )
        .join(deliveries, deliveries.c.id == comments.c.delivery_id)
        .outerjoin(comment_cases, comment_cases.c.comment_id == comments.c.id)
        .where(~comments.c.own)
        .order_by(comments.c.written_at, comments.c.id)
    )
    if wanted.number:
        statement = statement.where(comments.c.id == wanted.number)
    if wanted.campaign:
        statement = statement.where(deliveries.c.campaign_id == wanted.campaign)
    if wanted.account:
        statement = statement.where(comments.c.account_id == wanted.account)
    if wanted.assigned_to:
        statement = statement.where(comment_cases.c.assigned_to == wanted.assigned_to)
    given = _answers(session, wanted.number)
    found = [
        Entry(row[0], row[1], row.campaign_id, row.message_id, row.zone, row.heard_at, given.get(row[0].id))
        for row in session.execute(statement)
    ]
    return [one for one in found if wanted.condition in {None, one.condition}]


def _answers(session: Session, number: int) -> dict[int, Answer]:
    """The newest answer to each comment (or to one), by the comment's number."""
    drafter = (
        select(audit.c.actor)
        .where(audit.c.delivery_id == deliveries.c.id, audit.c.action == "planned")
        .limit(1)
        .correlate(deliveries)
        .scalar_subquery()
    )
    columns = ("key", "state", "code", "reason", "published_at", "permalink")
    statement = (
        select(deliveries.c.comment_id, *(deliveries.c[name] for name in columns), drafter.label("by"))
        .where(deliveries.c.comment_id.is_not(None))
        .order_by(deliveries.c.id)
    )
    if number:
        statement = statement.where(deliveries.c.comment_id == number)
    return {row.comment_id: _answer(row) for row in session.execute(statement)}


def _answer(row: Row[Any]) -> Answer:
    state = State(row.state)
    return Answer(row.key, state, row.code, row.reason, row.published_at, row.permalink, row.by or "")


def one(session: Session, comment_id: int) -> Entry | None:
    """A comment by its number; None if there is no such comment of somebody else."""
    return next(iter(entries(session, Wanted(number=comment_id))), None) if comment_id else None


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


# The personal data of comments.


def _to_erase(before: datetime) -> tuple[ColumnElement[bool], ...]:
    """The comments whose time is over. Not those of the account itself, nor those about to be answered, nor
    what a legal hold covers (which the database refuses besides)."""
    post, answer = deliveries.alias("post"), deliveries.alias("answer")
    return (
        comments.c.erased_at.is_(None),
        ~comments.c.own,
        comments.c.seen_at < before,
        ~exists().where(answer.c.comment_id == comments.c.id, answer.c.state.in_(UNDER_WAY)),
        ~exists().where(
            post.c.id == comments.c.delivery_id,
            legal_holds.c.campaign_id == post.c.campaign_id,
            legal_holds.c.lifted_at.is_(None),
        ),
    )


def erasable(session: Session, before: datetime) -> int:
    """How many comments were seen before a moment, and still name their authors."""
    return session.execute(select(func.count()).select_from(comments).where(*_to_erase(before))).scalar() or 0


def erase(session: Session, before: datetime, *, at: datetime, by: str) -> int:
    """Take names, texts and addresses out of the comments that were seen before a moment; return how many.

    That there was a comment, when, and how long it waited for its answer stays.
    """
    erased = session.connection().execute(
        update(comments).where(*_to_erase(before)).values(author="", text="", url="", erased_at=at)
    )
    if erased.rowcount:
        detail = {"count": erased.rowcount, "seen_before": before.isoformat()}
        record(session, "comments-erased", actor=by, at=at, detail=detail)
    return erased.rowcount
