"""What the records of a campaign are made of: everything that was written down of its published posts;
and the legal holds that keep it. Only holds are written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlmodel import Session

from scheduler.states import State
from scheduler.store import auditing, campaigns, listings, operations
from scheduler.store.auditing import Wanted
from scheduler.store.listings import PostDetails
from scheduler.store.tables import (
    Approval,
    CampaignVersion,
    Delivery,
    LegalHold,
    SignedStatement,
    approvals,
    legal_holds,
    statements,
    versions,
)
from scheduler.store.transitions import record

#: What was in public at some time.
PUBLISHED = (State.SENT, State.REMOVED)


@dataclass(frozen=True, slots=True)
class Traces:
    """Everything that is recorded of one post."""

    details: PostDetails
    approvals: Sequence[Approval]
    """All of them, also those that became void."""
    statements: Sequence[SignedStatement]
    """What was signed for them."""
    events: Sequence[dict[str, object]]
    """The rows of the audit about the post or its content in this campaign, with their hashes."""


def published(session: Session, campaign_id: str) -> list[Delivery]:
    """The posts of a campaign that are or were in public, by planned time."""
    return operations.of_campaign(session, campaign_id, PUBLISHED)


def traces(session: Session, post: Delivery) -> Traces:
    """Everything that is recorded of one post."""
    given = list(
        session.execute(
            select(Approval)
            .where(approvals.c.campaign_id == post.campaign_id, approvals.c.digest == post.digest)
            .order_by(approvals.c.id)
        ).scalars()
    )
    signed = sorted({one.statement_id for one in given if one.statement_id})
    rows = {
        row.id: dict(row._mapping)
        for wanted in (
            Wanted(delivery_id=post.id),
            Wanted(campaign=post.campaign_id, digest=post.digest),
        )
        for row in auditing.events(session, wanted)
        if row.delivery_id in {None, post.id}
    }
    return Traces(
        listings.details(session, post),
        given,
        list(
            session.execute(
                select(SignedStatement).where(statements.c.id.in_(signed)).order_by(statements.c.id)
            ).scalars()
        ),
        [rows[number] for number in sorted(rows)],
    )


def all_versions(session: Session, campaign_id: str) -> list[CampaignVersion]:
    """Every version of a campaign that was ever in force, oldest first."""
    return list(
        session.execute(
            select(CampaignVersion).where(versions.c.campaign_id == campaign_id).order_by(versions.c.version)
        ).scalars()
    )


# Holds.


def hold(session: Session, campaign_id: str) -> LegalHold | None:
    """The legal hold on a campaign, if there is one."""
    return (
        session.execute(
            select(LegalHold).where(
                legal_holds.c.campaign_id == campaign_id, legal_holds.c.lifted_at.is_(None)
            )
        )
        .scalars()
        .first()
    )


def holds(session: Session) -> list[LegalHold]:
    """Every legal hold in force, oldest first."""
    return list(
        session.execute(
            select(LegalHold).where(legal_holds.c.lifted_at.is_(None)).order_by(legal_holds.c.id)
        ).scalars()
    )


def place_hold(session: Session, hold: LegalHold) -> None:
    """Put a hold into force."""
    session.add(hold)
    session.flush()
    record(
        session,
        "hold_placed",
        actor=hold.placed_by,
        at=hold.placed_at,
        campaign_id=hold.campaign_id,
        detail={"reason": hold.reason, "letter": hold.letter},
    )


def lift_hold(session: Session, hold: LegalHold, *, by: str, at: datetime, reason: str) -> None:
    """End a hold."""
    session.execute(update(legal_holds).where(legal_holds.c.id == hold.id).values(lifted_by=by, lifted_at=at))
    record(session, "hold_lifted", actor=by, at=at, campaign_id=hold.campaign_id, detail={"reason": reason})


@dataclass(frozen=True, slots=True)
class Kept:
    """A campaign's records, and until when they are kept; ``posts`` without answers to comments."""

    campaign_id: str
    title: str
    ends: date
    posts: int
    hold: LegalHold | None


def kept(session: Session) -> list[Kept]:
    """The records of every campaign: its last day, and how many posts of it were published."""
    return [
        Kept(
            version.campaign_id,
            version.title,
            date.fromisoformat(version.definition["campaign"]["end"]),
            sum(one.comment_id is None for one in published(session, version.campaign_id)),
            hold(session, version.campaign_id),
        )
        for version in campaigns.in_force(session)
    ]
