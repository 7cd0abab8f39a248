"""Posts that a platform accepted twice, as the audit knows them, until a person has seen to them.

It takes a machine that froze in the one moment in which nothing could stop it (docs/several-machines.md);
its receipt comes when the post was settled otherwise. Then a second post may stand in public.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session

from scheduler.store.tables import Delivery, audit, deliveries
from scheduler.store.transitions import record

#: What the audit calls an answer that could change nothing any more, and a person's word about it.
LATE, SEEN = "late_answer", "double_seen"
_PLACE = ("id", "key", "campaign_id", "message_id", "account_id", "zone")


@dataclass(frozen=True, slots=True)
class Double:
    """A second acceptance; ``at`` (UTC) is when its receipt came, ``first`` the address that counts."""

    delivery_id: int
    key: str
    campaign_id: str
    message_id: str
    account_id: str
    zone: str
    at: datetime
    remote_id: str
    permalink: str
    first: str


def doubles(session: Session, delivery_id: int | None = None) -> list[Double]:
    """The second acceptances (of one delivery, or of all) that nobody has seen to yet, oldest first."""
    statement = (
        select(
            audit.c.action,
            audit.c.at,
            audit.c.detail,
            *(
                deliveries.c[name]
                for name in ("id", "key", "campaign_id", "message_id", "account_id", "zone")
            ),
            deliveries.c.remote_id,
            deliveries.c.permalink,
        )
        .join(deliveries, deliveries.c.id == audit.c.delivery_id)
        .where(audit.c.action.in_((LATE, SEEN)))
        .order_by(audit.c.id)
    )
    if delivery_id is not None:
        statement = statement.where(audit.c.delivery_id == delivery_id)
    found: list[Double] = []
    for row in session.execute(statement):
        second = row.detail.get("remote_id", "")
        if row.action == SEEN:
            found = [one for one in found if one.delivery_id != row.id]
        elif second and second != row.remote_id:
            address = row.detail.get("permalink", "")
            place = (row.key, row.campaign_id, row.message_id, row.account_id, row.zone)
            found.append(Double(row.id, *place, row.at, second, address, row.permalink))
    return found


def seen(session: Session, delivery: Delivery, found: Sequence[Double], *, actor: str, at: datetime) -> None:
    """A person has looked at the second posts of a delivery, and deleted what was not wanted."""
    record(
        session,
        SEEN,
        actor=actor,
        at=at,
        campaign_id=delivery.campaign_id,
        delivery_id=delivery.id,
        digest=delivery.digest,
        detail={"posts": [one.permalink or one.remote_id for one in found]},
    )
