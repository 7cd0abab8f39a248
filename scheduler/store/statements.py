"""What people signed to approve, kept word for word (``scheduler.governance.signing`` verifies it)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session

from scheduler.store.tables import (
    SignedStatement,
    approvals,
    deliveries,
    statements,
)


def add(session: Session, statement: SignedStatement) -> int:
    """Keep what was signed; return its number."""
    session.add(statement)
    session.flush()
    return statement.id or 0


def known(session: Session, sha256: str) -> bool:
    """Whether this document was stored before: what was signed once counts once."""
    return session.execute(select(statements.c.id).where(statements.c.sha256 == sha256)).first() is not None


def by_id(session: Session, ids: Collection[int]) -> dict[int, SignedStatement]:
    """Signed statements by number."""
    found = session.execute(select(SignedStatement).where(statements.c.id.in_(ids))).scalars()
    return {one.id: one for one in found if one.id is not None}


def due(session: Session, now: datetime) -> set[int]:
    """The statements behind approvals of what is due now."""
    return set(
        session.execute(
            select(approvals.c.statement_id)
            .join(
                deliveries,
                (deliveries.c.campaign_id == approvals.c.campaign_id)
                & (deliveries.c.digest == approvals.c.digest),
            )
            .where(
                approvals.c.void_at.is_(None),
                approvals.c.statement_id.is_not(None),
                deliveries.c.state == "planned",
                deliveries.c.planned_at <= now,
            )
            .distinct()
        ).scalars()
    )
