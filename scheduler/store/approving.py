"""What waits for an approval, and giving one; which approvals hold is in ``consents``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select, update
from sqlmodel import Session

from scheduler.states import EDITABLE
from scheduler.store.conditions import approved
from scheduler.store.consents import BATCH, Pair, in_force
from scheduler.store.tables import (
    Approval,
    Content,
    SentBack,
    approvals,
    audit,
    contents,
    deliveries,
    sent_back,
    versions,
)
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
    given: Sequence[Approval] = ()
    """The stages that are given already, in order."""
    back: SentBack | None = None
    """It was sent back to its drafter."""
    before: frozenset[str] = field(default_factory=frozenset)
    """How approvals of exactly this content ended before: reasons why they are void."""


def waiting(
    session: Session, campaign_id: str, message_id: str = "", now: datetime | None = None
) -> list[Waiting]:
    """Every content of a campaign that has deliveries to come and no approval in force, by first time.

    Approvals that ended before ``now`` (UTC) are none; without it their end is not looked at.
    """
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
            ~approved(now=now),
        )
        .group_by(deliveries.c.message_id, deliveries.c.digest)
        .order_by(func.min(deliveries.c.planned_at), deliveries.c.digest)
    )
    if message_id:
        statement = statement.where(deliveries.c.message_id == message_id)
    rows = session.execute(statement).all()
    digests = [row.digest for row in rows]
    by_digest = {
        one.digest: one
        for one in session.execute(select(Content).where(contents.c.digest.in_(digests))).scalars()
    }
    given = in_force(session, [(campaign_id, digest) for digest in digests], now)
    back = {
        one.digest: one
        for one in session.execute(
            select(SentBack).where(sent_back.c.campaign_id == campaign_id, sent_back.c.over_at.is_(None))
        ).scalars()
    }
    ended = _ended(session, digests, now)
    return [
        Waiting(
            campaign_id,
            row.message_id,
            by_digest[row.digest],
            row.deliveries,
            row.first_at,
            row.zone,
            given.get((campaign_id, row.digest), ()),
            back.get(row.digest),
            frozenset(ended.get(row.digest, ())),
        )
        for row in rows
    ]


def _ended(session: Session, digests: Sequence[str], now: datetime | None) -> dict[str, set[str]]:
    """How complete approvals of each content ended, in whatever campaign."""
    found: dict[str, set[str]] = defaultdict(set)
    for start in range(0, len(digests), BATCH):
        rows = session.execute(
            select(approvals.c.digest, approvals.c.void_at, approvals.c.void_reason, approvals.c.expires_at)
            .where(approvals.c.digest.in_(digests[start : start + BATCH]), approvals.c.complete.is_(True))
            .order_by(approvals.c.id)
        )
        for row in rows:
            expired = now is not None and row.expires_at is not None and row.expires_at <= now
            found[row.digest].add(row.void_reason if row.void_at else "expired" if expired else "")
    return found


def drafted_by(session: Session, campaign_id: str, digests: Sequence[str], actor: str) -> set[str]:
    """Which of the contents came into the campaign by this actor's hand.

    What the daemon planned from an applied file came by the hand of everybody who applied one.
    """
    rows = session.execute(
        select(audit.c.digest, audit.c.actor).where(
            audit.c.campaign_id == campaign_id,
            audit.c.digest.in_(digests),
            audit.c.action.in_(("planned", "edited", "returned")),
        )
    ).all()
    own = {row.digest for row in rows if row.actor == actor}
    by_people = {row.digest for row in rows if row.actor != "daemon"}
    by_daemon = {row.digest for row in rows} - by_people
    if (
        by_daemon
        and session.execute(
            select(versions.c.id).where(versions.c.campaign_id == campaign_id, versions.c.applied_by == actor)
        ).first()
    ):
        own |= by_daemon
    return own


def approve(
    session: Session,
    campaign_id: str,
    digests: Sequence[str],
    *,
    approver: str,
    os_user: str,
    at: datetime,
    stage: int = 1,
    role: str = "approver",
    complete: bool = True,
    expires_at: Mapping[str, datetime] | None = None,
    statement_id: int | None = None,
) -> None:
    """Record that ``approver`` says yes to each of the contents, in this campaign."""
    for digest in digests:
        end = (expires_at or {}).get(digest)
        session.add(
            Approval(
                campaign_id=campaign_id,
                digest=digest,
                approver=approver,
                os_user=os_user,
                approved_at=at,
                stage=stage,
                role=role,
                complete=complete,
                expires_at=end,
                statement_id=statement_id,
            )
        )
        record(
            session,
            "approved",
            actor=approver,
            at=at,
            campaign_id=campaign_id,
            digest=digest,
            detail={
                "os_user": os_user,
                "stage": stage,
                "role": role,
                "complete": complete,
                **({"expires_at": end.isoformat()} if end else {}),
                **({"statement": statement_id} if statement_id else {}),
            },
        )
    session.flush()
    session.execute(
        update(sent_back)
        .where(
            sent_back.c.campaign_id == campaign_id,
            sent_back.c.digest.in_(digests),
            sent_back.c.over_at.is_(None),
        )
        .values(over_at=at)
    )


def editable(session: Session, campaign_id: str, message_id: str = "") -> dict[Pair, str]:
    """The contents with deliveries that have not left the house: pair -> message."""
    statement = select(deliveries.c.digest, deliveries.c.message_id).where(
        deliveries.c.campaign_id == campaign_id, deliveries.c.state.in_(EDITABLE)
    )
    if message_id:
        statement = statement.where(deliveries.c.message_id == message_id)
    return {(campaign_id, row.digest): row.message_id for row in session.execute(statement.distinct())}


def approved_before(
    session: Session, campaign_id: str, messages: Collection[str] = ()
) -> dict[tuple[str, str], Content]:
    """The content that was approved last for each message and account, whether or not it still holds."""
    some = [deliveries.c.message_id.in_(messages)] if messages else []
    rows = session.execute(
        select(deliveries.c.message_id, deliveries.c.account_id, audit.c.digest)
        .join(audit, audit.c.delivery_id == deliveries.c.id)
        .join(
            approvals,
            (approvals.c.campaign_id == audit.c.campaign_id)
            & (approvals.c.digest == audit.c.digest)
            & approvals.c.complete.is_(True),
        )
        .where(
            deliveries.c.campaign_id == campaign_id,
            audit.c.campaign_id == campaign_id,
            audit.c.action.in_(("planned", "edited", "returned")),
            *some,
        )
        .group_by(deliveries.c.message_id, deliveries.c.account_id, audit.c.digest)
        .order_by(func.max(approvals.c.id))
    ).all()
    digests = {row.digest for row in rows}
    by_digest = {
        one.digest: one
        for one in session.execute(select(Content).where(contents.c.digest.in_(digests))).scalars()
    }
    return {(row.message_id, row.account_id): by_digest[row.digest] for row in rows}
