"""Answers to comments as deliveries: drafted here, then approved, claimed and settled like any post.

An answer is bound to its comment by its content, so an approval of it counts under no other comment.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session

from campaigns.planning import digest_of
from campaigns.timetable import to_local
from scheduler.errors import GaungError
from scheduler.i18n import N_
from scheduler.states import EDITABLE, State
from scheduler.store import auditing, operations
from scheduler.store.inbox import Entry
from scheduler.store.tables import Comment, Content, Delivery, comments, deliveries


def message_id(post: Delivery, comment_id: int) -> str:
    """What an answer is called where posts have their message: the message of the post, and the comment."""
    return f"{post.message_id}#{comment_id}"


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer that was drafted, and the draft that it replaces, if there was one."""

    delivery: Delivery
    replaced: Delivery | None


def draft(
    session: Session, entry: Entry, post: Delivery, text: str, *, by: str, at: datetime, within: timedelta
) -> Draft:
    """Draft an answer to a comment, to go out as soon as it is approved, but not later than ``within``.

    ``post`` is the delivery under which the comment stands. A draft that has not left the house is taken
    out, and the new one takes its place. Raise GaungError if the comment is answered, or about to be.
    """
    _refuse_second(entry)
    number = entry.comment.id or 0
    replaced = _earlier(session, number)
    if replaced is not None:
        operations.cancel(session, replaced, actor=by, at=at, reason="replaced")
    kept = _kept(session, content(entry, post, text))
    rank = session.execute(select(func.count()).where(deliveries.c.comment_id == number)).scalar() or 0
    facts = "\n".join(("reply", post.account_id, entry.comment.remote_id, str(rank)))
    local = to_local(at, post.zone).replace(tzinfo=None)
    answer = Delivery(
        key=hashlib.sha256(facts.encode()).hexdigest()[:32],
        campaign_id=post.campaign_id,
        message_id=message_id(post, number),
        topic=post.topic,
        account_id=post.account_id,
        platform=post.platform,
        agency=post.agency,
        region=post.region,
        message_class=post.message_class,
        slot=local.isoformat(timespec="seconds"),
        zone=post.zone,
        planned_at=at,
        allowed_at=at,
        expires_at=at + within,
        if_missed="review",
        due_at=at,
        state=State.PLANNED,
        digest=kept.digest,
        comment_id=number,
    )
    session.add(answer)
    session.flush()
    event = auditing.Event(
        at,
        by,
        "planned",
        post.campaign_id,
        answer.id,
        after=State.PLANNED,
        digest=kept.digest,
        detail={"comment": number, "planned_at": at.isoformat()},
    )
    auditing.note(session, [event])
    return Draft(answer, replaced)


def _refuse_second(entry: Entry) -> None:
    """Raise GaungError if the comment is answered, or an answer to it is on its way."""
    if entry.answered_at:
        raise GaungError(
            N_("Comment {number} is answered already."),
            hint=N_("What is to be corrected is taken down first: gaung takedown ID."),
            number=entry.comment.id,
        )
    if entry.answer and entry.condition == "replying" and entry.answer.state not in EDITABLE:
        raise GaungError(
            N_("An answer to comment {number} is on its way."),
            hint=N_("“gaung posts show {id}” says how it stands."),
            number=entry.comment.id,
            id=entry.answer.key[:8],
        )


def _earlier(session: Session, comment_id: int) -> Delivery | None:
    """The draft that has not left the house, if there is one."""
    statement = select(Delivery).where(
        deliveries.c.comment_id == comment_id, deliveries.c.state.in_(EDITABLE)
    )
    return session.execute(statement).scalars().first()


def content(entry: Entry, post: Delivery, text: str) -> Content:
    """An answer in the shape in which it would be stored; ``post`` as for :func:`draft`."""
    reply_to = {"comment": entry.comment.remote_id, "post": post.remote_id}
    digest = digest_of(
        post.account_id, post.platform, text, "", [], "post", [], "", post.message_class, reply_to
    )
    return Content(
        digest=digest, account_id=post.account_id, platform=post.platform, text=text, reply_to=reply_to
    )


def _kept(session: Session, one: Content) -> Content:
    if known := session.get(Content, one.digest):
        return known
    session.add(one)
    session.flush()
    return one


def answered_by(session: Session, one: Content) -> Comment | None:
    """The comment that a content answers; None if it is that of a post."""
    if not one.reply_to:
        return None
    statement = select(Comment).where(
        comments.c.account_id == one.account_id, comments.c.remote_id == one.reply_to["comment"]
    )
    return session.execute(statement).scalars().first()
