"""Contents that were sent back to their drafter: no approval of them holds, and the reason is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Row, select
from sqlmodel import Session

from scheduler.states import EDITABLE
from scheduler.store.consents import Pair, void
from scheduler.store.tables import (
    SentBack,
    deliveries,
    sent_back,
)
from scheduler.store.transitions import record


def send_back(
    session: Session,
    chosen: Sequence[Pair],
    message_ids: Mapping[Pair, str],
    *,
    by: str,
    at: datetime,
    reason: str,
) -> None:
    """Send contents back to their drafter: no approval of them holds any more."""
    void(session, chosen, code="sent-back", actor=by, at=at, reason=reason)
    for campaign_id, digest in chosen:
        session.add(
            SentBack(
                campaign_id=campaign_id,
                digest=digest,
                message_id=message_ids[campaign_id, digest],
                sent_by=by,
                sent_at=at,
                reason=reason,
            )
        )
        record(
            session,
            "sent_back",
            actor=by,
            at=at,
            campaign_id=campaign_id,
            digest=digest,
            detail={"reason": reason},
        )
    session.flush()


def returned(session: Session) -> list[Row[tuple[str, str, str, datetime, str, str]]]:
    """What was sent back and is still as it was: campaign, message, who, when, why, digest."""
    still = (
        select(deliveries.c.id)
        .where(
            deliveries.c.campaign_id == sent_back.c.campaign_id,
            deliveries.c.digest == sent_back.c.digest,
            deliveries.c.state.in_(EDITABLE),
        )
        .exists()
    )
    return list(
        session.execute(
            select(
                sent_back.c.campaign_id,
                sent_back.c.message_id,
                sent_back.c.sent_by,
                sent_back.c.sent_at,
                sent_back.c.reason,
                sent_back.c.digest,
            )
            .where(sent_back.c.over_at.is_(None), still)
            .order_by(sent_back.c.id)
        )
    )
