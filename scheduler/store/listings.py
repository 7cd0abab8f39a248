"""What is read for a person: posts with filters, one post with its attempts, the overall standing.

Only reading; every instant comes back in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, or_, select
from sqlmodel import Session

from scheduler.states import State
from scheduler.store import budgets, inbox, presence
from scheduler.store.conditions import approved, in_state
from scheduler.store.doubles import Double, doubles
from scheduler.store.present import stops_in_force
from scheduler.store.reporting import FIGURES
from scheduler.store.tables import (
    AccountState,
    Approval,
    Attempt,
    AuditEvent,
    CampaignVersion,
    Charge,
    Content,
    Delivery,
    Snapshot,
    Stop,
    answers,
    approvals,
    attempts,
    audit,
    charges,
    contents,
    deliveries,
    snapshots,
)


@dataclass(frozen=True, slots=True)
class PostFilter:
    """Which posts to list; empty means any."""

    campaign: str = ""
    account: str = ""
    message: str = ""
    states: Sequence[State] = ()
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 0
    replies: bool | None = None
    """True for answers to comments only, False for posts only."""
    now: datetime | None = None
    """Approvals that came to their end before are none; without it their end is not looked at."""


def posts(session: Session, wanted: PostFilter) -> list[Row[Any]]:
    """The posts that are wanted, by time: the columns of ``delivery``, and text, link, media, approved."""
    statement = _narrow(
        select(
            *deliveries.c,
            contents.c.text,
            contents.c.link,
            contents.c.media,
            approved(now=wanted.now).label("approved"),
        ).join(contents, contents.c.digest == deliveries.c.digest),
        wanted,
    ).order_by(deliveries.c.planned_at, deliveries.c.id)
    return list(session.execute(statement.limit(wanted.limit) if wanted.limit else statement))


def _narrow(statement: Select[Any], wanted: PostFilter) -> Select[Any]:
    conditions = [
        deliveries.c.campaign_id == wanted.campaign if wanted.campaign else None,
        deliveries.c.account_id == wanted.account if wanted.account else None,
        deliveries.c.message_id == wanted.message if wanted.message else None,
        deliveries.c.state.in_(wanted.states) if wanted.states else None,
        deliveries.c.planned_at >= wanted.since if wanted.since else None,
        deliveries.c.planned_at < wanted.until if wanted.until else None,
        deliveries.c.comment_id.is_not(None) if wanted.replies else None,
        deliveries.c.comment_id.is_(None) if wanted.replies is False else None,
    ]
    return statement.where(*(condition for condition in conditions if condition is not None))


@dataclass(frozen=True, slots=True)
class PostDetails:
    """One post with everything that is recorded of it."""

    delivery: Delivery
    content: Content
    attempts: list[Attempt]
    events: list[AuditEvent]
    snapshots: list[Snapshot]
    approvals: list[Approval]
    """Those in force, by stage."""
    charges: list[Charge]
    answers: dict[int, list[dict[str, Any]]]
    """What the platform answered to each attempt, by the attempt's number."""


def details(session: Session, delivery: Delivery) -> PostDetails:
    """Everything that is recorded of one post."""
    content = session.get(Content, delivery.digest)
    if content is None:
        raise LookupError(delivery.digest)
    return PostDetails(
        delivery,
        content,
        list(
            session.execute(
                select(Attempt).where(attempts.c.delivery_id == delivery.id).order_by(attempts.c.id)
            ).scalars()
        ),
        list(
            session.execute(
                select(AuditEvent).where(audit.c.delivery_id == delivery.id).order_by(audit.c.id)
            ).scalars()
        ),
        list(
            session.execute(
                select(Snapshot).where(snapshots.c.delivery_id == delivery.id).order_by(snapshots.c.taken_at)
            ).scalars()
        ),
        list(
            session.execute(
                select(Approval)
                .where(
                    approvals.c.campaign_id == delivery.campaign_id,
                    approvals.c.digest == delivery.digest,
                    approvals.c.void_at.is_(None),
                )
                .order_by(approvals.c.stage, approvals.c.id)
            ).scalars()
        ),
        list(
            session.execute(
                select(Charge).where(charges.c.delivery_id == delivery.id).order_by(charges.c.id)
            ).scalars()
        ),
        {
            row.attempt_id: row.answers
            for row in session.execute(
                select(answers.c.attempt_id, answers.c.answers)
                .join(attempts, attempts.c.id == answers.c.attempt_id)
                .where(attempts.c.delivery_id == delivery.id)
            )
        },
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """How everything stands."""

    by_state: dict[State, int]
    """Posts and answers to comments."""
    replies: dict[State, int]
    """The answers among them."""
    next_due: Row[Any] | None
    overdue: int
    unapproved: int
    asking: int
    over_budget: dict[str, int]
    """How many posts that are due and approved the budget of each account holds."""
    comments_open: int
    """Comments under posts that wait for somebody."""
    accounts: list[AccountState]
    nodes: list[presence.Standing]
    stops: list[Stop]
    doubles: list[Double]
    """What was accepted twice, and nobody has seen to."""


def standing(session: Session, now: datetime) -> Standing:
    """How everything stands at ``now``."""
    counts = session.execute(select(deliveries.c.state, func.count()).group_by(deliveries.c.state))
    replies = session.execute(
        select(deliveries.c.state, func.count())
        .where(deliveries.c.comment_id.is_not(None))
        .group_by(deliveries.c.state)
    )
    upcoming = (
        select(*deliveries.c, approved(now=now).label("approved"))
        .where(deliveries.c.state == State.PLANNED, deliveries.c.allowed_at >= now)
        .order_by(deliveries.c.allowed_at, deliveries.c.id)
        .limit(1)
    )
    planned = deliveries.c.state == State.PLANNED
    return Standing(
        by_state={State(state): count for state, count in counts},
        replies={State(state): count for state, count in replies},
        next_due=session.execute(upcoming).first(),
        # An answer is due as soon as it is drafted: that it waits for its approval is nothing unusual.
        overdue=_count(session, planned, deliveries.c.allowed_at < now, deliveries.c.comment_id.is_(None)),
        unapproved=_count(session, planned, ~approved(now=now)),
        asking=_count(session, deliveries.c.state == State.UNSURE, deliveries.c.asks.is_(True)),
        over_budget=over_budget(session, now),
        comments_open=inbox.count_open(session),
        accounts=list(session.execute(select(AccountState)).scalars()),
        nodes=presence.every(session, now),
        stops=stops_in_force(session),
        doubles=doubles(session),
    )


def over_budget(session: Session, now: datetime) -> dict[str, int]:
    """How many posts that are due and approved wait for a decision about the budget, by account."""
    rows = session.execute(
        select(deliveries.c.account_id, func.count().label("held"))
        .where(*_held_by_budget(now))
        .group_by(deliveries.c.account_id)
        .order_by(deliveries.c.account_id)
    )
    return {row.account_id: row.held for row in rows}


def _held_by_budget(now: datetime) -> tuple[Any, ...]:
    return (
        in_state(State.PLANNED),
        deliveries.c.allowed_at <= now,
        approved(now=now),
        budgets.over_budget(now),
    )


def is_over_budget(session: Session, delivery: Delivery, now: datetime) -> bool:
    """Whether a delivery is due and waits for a decision about the budget of its account."""
    return bool(
        session.execute(
            select(deliveries.c.id).where(deliveries.c.id == delivery.id, *_held_by_budget(now))
        ).first()
    )


def _count(session: Session, *conditions: Any) -> int:
    return session.execute(select(func.count()).select_from(deliveries).where(*conditions)).scalar() or 0


def latest_snapshots(session: Session, campaign_id: str = "") -> dict[int, Snapshot]:
    """The newest snapshot that tells anything of every post of a campaign (or of all), by delivery."""
    newest = (
        select(snapshots.c.delivery_id, func.max(snapshots.c.id).label("id"))
        .join(deliveries, deliveries.c.id == snapshots.c.delivery_id)
        .where(or_(*(snapshots.c[name].is_not(None) for name in FIGURES)))
        .group_by(snapshots.c.delivery_id)
    )
    if campaign_id:
        newest = newest.where(deliveries.c.campaign_id == campaign_id)
    chosen = newest.subquery()
    rows = session.execute(select(Snapshot).join(chosen, chosen.c.id == snapshots.c.id)).scalars()
    return {row.delivery_id: row for row in rows}


def approvers(session: Session, campaign_id: str) -> dict[str, str]:
    """Who approved each content of a campaign, by digest; several names separated by commas."""
    rows = session.execute(
        select(approvals.c.digest, approvals.c.approver)
        .where(approvals.c.campaign_id == campaign_id, approvals.c.void_at.is_(None))
        .order_by(approvals.c.id)
    )
    names: dict[str, list[str]] = {}
    for digest, approver in rows:
        names.setdefault(digest, []).append(approver)
    return {digest: ", ".join(dict.fromkeys(several)) for digest, several in names.items()}


def version_in_force(session: Session, campaign_id: str) -> CampaignVersion | None:
    """The version of a campaign that is in force."""
    from scheduler.store import campaigns

    return campaigns.current(session, campaign_id)
