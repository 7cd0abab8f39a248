"""What persons do to deliveries: retry, cancel, resolve.

Each is one transition with the person's name in the audit. Times in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session

from scheduler.states import Event, State
from scheduler.store import account_states
from scheduler.store.tables import CampaignVersion, Delivery, deliveries
from scheduler.store.transitions import Change, apply_changes


def by_key(session: Session, prefix: str) -> list[Delivery]:
    """The deliveries whose key begins with ``prefix``."""
    statement = select(Delivery).where(deliveries.c.key.startswith(prefix, autoescape=True)).limit(3)
    return list(session.execute(statement).scalars())


def by_permalink(session: Session, permalink: str) -> list[Delivery]:
    """The deliveries with this public address, with or without a slash at its end."""
    bare = permalink.rstrip("/")
    statement = select(Delivery).where(deliveries.c.permalink.in_([bare, f"{bare}/"])).limit(3)
    return list(session.execute(statement).scalars())


def of_campaign(session: Session, campaign_id: str, states: Sequence[State]) -> list[Delivery]:
    """The deliveries of a campaign in one of ``states``, by time."""
    statement = (
        select(Delivery)
        .where(deliveries.c.campaign_id == campaign_id, deliveries.c.state.in_(states))
        .order_by(deliveries.c.planned_at, deliveries.c.id)
    )
    return list(session.execute(statement).scalars())


def change(
    session: Session,
    delivery: Delivery,
    event: Event,
    *,
    actor: str,
    at: datetime,
    values: Mapping[str, Any] | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Let ``event`` happen to a delivery as it was read; raise RefusedTransitionError or StaleStateError."""
    apply_changes(
        session,
        [
            Change(
                delivery.id or 0,
                State(delivery.state),
                event,
                delivery.campaign_id,
                delivery.digest,
                {"asks": False, **(values or {})},
                detail or {},
            )
        ],
        actor=actor,
        at=at,
    )


def retry(
    session: Session, delivery: Delivery, *, actor: str, at: datetime, publish_within: timedelta, reason: str
) -> None:
    """Plan a failed, missed or reviewed delivery again, for now; its approval must still hold to go out."""
    values = {
        "allowed_at": min(delivery.allowed_at, at),
        "due_at": at,
        "expires_at": at + publish_within,
        "attempts": 0,
        "looks": 0,
        "code": "",
        "reason": "",
    }
    change(session, delivery, Event.RETRIED, actor=actor, at=at, values=values, detail={"reason": reason})


def move(
    session: Session,
    delivery: Delivery,
    *,
    to: datetime,
    actor: str,
    at: datetime,
    publish_within: timedelta,
    reason: str,
) -> None:
    """Plan a failed, missed or reviewed delivery again, for another time; its file no longer decides when."""
    values = {
        "allowed_at": to,
        "slot_at": delivery.slot_at or delivery.allowed_at,
        "due_at": to,
        "expires_at": to + publish_within,
        "attempts": 0,
        "looks": 0,
        "code": "",
        "reason": "",
    }
    detail = {"reason": reason, "time": to.isoformat()}
    change(session, delivery, Event.RETRIED, actor=actor, at=at, values=values, detail=detail)


def passed_over(
    session: Session,
    states: Sequence[State],
    *,
    campaign_id: str = "",
    account_id: str = "",
    since: datetime | None = None,
    limit: int = 0,
) -> list[Delivery]:
    """The deliveries that did not go out at their time, in one of ``states``, by time."""
    statement = select(Delivery).where(deliveries.c.state.in_(states))
    if campaign_id:
        statement = statement.where(deliveries.c.campaign_id == campaign_id)
    if account_id:
        statement = statement.where(deliveries.c.account_id == account_id)
    if since:
        statement = statement.where(deliveries.c.planned_at >= since)
    statement = statement.order_by(deliveries.c.planned_at, deliveries.c.id)
    return list(session.execute(statement.limit(limit) if limit else statement).scalars())


def cancel(session: Session, delivery: Delivery, *, actor: str, at: datetime, reason: str) -> None:
    """Take a delivery out for good, whatever its campaign file says."""
    values = {"code": Event.CANCELLED, "reason": reason}
    change(session, delivery, Event.CANCELLED, actor=actor, at=at, values=values, detail={"reason": reason})


def resolve_posted(
    session: Session,
    delivery: Delivery,
    *,
    actor: str,
    at: datetime,
    remote_id: str,
    permalink: str,
    reach_at: datetime | None,
    min_gap: timedelta = timedelta(0),
) -> None:
    """A person says that the post is on the platform, and where.

    Its account then keeps the distance as after any other post: the campaign's, or ``min_gap`` if longer.
    """
    event = Event.COMPLETED if delivery.state == State.HANDED else Event.FOUND
    values = {
        "remote_id": remote_id,
        "permalink": permalink,
        "published_at": at,
        "source": "manual",
        "code": "",
        "reason": "",
        "lease_until": None,
        "reach_at": reach_at if delivery.comment_id is None else None,
        "replies_at": at if remote_id and delivery.comment_id is None else None,
    }
    change(session, delivery, event, actor=actor, at=at, values=values, detail={"permalink": permalink})
    gap = max(min_gap, timedelta(seconds=delivery.min_gap))
    if gap and delivery.comment_id is None:
        account_states.rest(session, {delivery.account_id: at + gap})


def resolve_absent(
    session: Session, delivery: Delivery, *, actor: str, at: datetime, publish_within: timedelta
) -> None:
    """A person has looked: the post is not on the platform, and may be sent."""
    values = {
        "due_at": at,
        "expires_at": at + publish_within,
        "looks": 0,
        "code": "",
        "reason": "",
        "lease_until": None,
    }
    change(session, delivery, Event.ABSENT, actor=actor, at=at, values=values, detail={"source": "manual"})


def remark(session: Session, delivery: Delivery, *, code: str, reason: str) -> None:
    """Write beside a delivery what is to be known of it; its state stays."""
    session.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery.id, deliveries.c.state == delivery.state)
        .values(code=code, reason=reason)
    )


def publish_within(version: CampaignVersion | None) -> timedelta:
    """How late a post of this campaign may go out; two hours if the campaign is unknown."""
    from campaigns.definition import duration

    if version is None:
        return timedelta(hours=2)
    return duration(version.definition["campaign"]["publish_within"])
