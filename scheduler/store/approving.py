"""Recorded approvals: what waits for one, and giving one. An approval binds to one content digest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session

from scheduler.states import EDITABLE
from scheduler.store.dispatching import approved
from scheduler.store.tables import Approval, Content, audit, contents, deliveries
from scheduler.store.transitions import record


@dataclass(frozen=True, slots=True)
class Waiting:
    """One content that waits for an approval, and the deliveries that wait with it."""

    campaign_id: str
    message_id: str
    content: Content
    deliveries: int
    first_at: datetime
    zone: str


def waiting(session: Session, campaign_id: str, message_id: str = "") -> list[Waiting]:
    """Every content of a campaign that has deliveries to come and no approval in force, by first time."""
    statement = (
        select(
            deliveries.c.message_id,
            deliveries.c.digest,
            func.count().label("deliveries"),
            func.min(deliveries.c.planned_at).label("first_at"),
            func.min(deliveries.c.zone).label("zone"),
        )
        .where(
            deliveries.c.campaign_id == campaign_id,
            deliveries.c.state.in_(EDITABLE),
            ~approved(),
        )
        .group_by(deliveries.c.message_id, deliveries.c.digest)
        .order_by(func.min(deliveries.c.planned_at), deliveries.c.digest)
    )
    if message_id:
        statement = statement.where(deliveries.c.message_id == message_id)
    rows = session.execute(statement).all()
    by_digest = {
        one.digest: one
        for one in session.execute(
            select(Content).where(contents.c.digest.in_([row.digest for row in rows]))
        ).scalars()
    }
    return [
        Waiting(campaign_id, row.message_id, by_digest[row.digest], row.deliveries, row.first_at, row.zone)
        for row in rows
    ]


def drafted_by(session: Session, campaign_id: str, digests: Sequence[str], actor: str) -> set[str]:
    """Which of the contents came into the campaign by this actor's hand."""
    return set(
        session.execute(
            select(audit.c.digest).where(
                audit.c.campaign_id == campaign_id,
                audit.c.digest.in_(digests),
                audit.c.actor == actor,
                audit.c.action.in_(("planned", "edited", "returned")),
            )
        ).scalars()
    )


def approve(
    session: Session, campaign_id: str, digests: Sequence[str], *, approver: str, os_user: str, at: datetime
) -> None:
    """Record that ``approver`` says yes to each of the contents, in this campaign."""
    for digest in digests:
        session.add(
            Approval(
                campaign_id=campaign_id, digest=digest, approver=approver, os_user=os_user, approved_at=at
            )
        )
        record(
            session,
            "approved",
            actor=approver,
            at=at,
            campaign_id=campaign_id,
            digest=digest,
            detail={"os_user": os_user},
        )
    session.flush()
