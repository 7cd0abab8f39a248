"""Approvals in force: which hold at a moment, whose they are, and making them void.

An approval binds to one content digest in one campaign. Where a campaign has several stages, each is a
row of its own; the row that completes them carries the approval.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, or_, select, tuple_, update
from sqlmodel import Session

from scheduler.store import auditing
from scheduler.store.conditions import NOW
from scheduler.store.dialects import among
from scheduler.store.tables import (
    Approval,
    approvals,
)

#: Pairs in one statement; SQLite takes 32,766 variables at most (sqlite.org/limits.html, no. 9).
BATCH = 500

Pair = tuple[str, str]
"""A campaign and a digest."""


def in_force(
    session: Session, pairs: Sequence[Pair], now: datetime | None = None, *, hold: bool = False
) -> dict[Pair, list[Approval]]:
    """The approvals in force of each content, by stage; ``hold``: nobody else changes them meanwhile."""
    found: dict[Pair, list[Approval]] = defaultdict(list)
    for start in range(0, len(pairs), BATCH):
        statement = (
            select(Approval)
            .where(
                tuple_(approvals.c.campaign_id, approvals.c.digest).in_(pairs[start : start + BATCH]),
                approvals.c.void_at.is_(None),
            )
            .order_by(approvals.c.stage, approvals.c.id)
        )
        if now is not None:
            statement = statement.where(or_(approvals.c.expires_at.is_(None), approvals.c.expires_at > now))
        if hold:
            statement = statement.with_for_update()
        for one in session.execute(statement).scalars():
            found[one.campaign_id, one.digest].append(one)
    return found


@dataclass(frozen=True, slots=True)
class Given:
    """An approval in force, as far as a claim asks about it."""

    approver: str
    role: str
    stage: int
    statement_id: int | None


def given(session: Session, pairs: Collection[Pair], now: datetime) -> dict[Pair, list[Given]]:
    """The approvals in force at ``now`` of each content, by stage; asked in every claim, so it is cheap."""
    found: dict[Pair, list[Given]] = defaultdict(list)
    values = {
        "campaigns": sorted({campaign_id for campaign_id, _digest in pairs}),
        "digests": [digest for _campaign, digest in pairs],
        "now": now,
    }
    connection = session.connection()
    for row in connection.execute(_given(connection.dialect.name), values):
        campaign_id, digest, *facts = row
        found[campaign_id, digest].append(Given(*facts))
    return found


@cache
def _given(dialect: str) -> Select[Any]:
    a = approvals.c
    return (
        select(a.campaign_id, a.digest, a.approver, a.role, a.stage, a.statement_id)
        .where(
            among(a.campaign_id, "campaigns", dialect),  # for the index
            among(a.digest, "digests", dialect),
            a.void_at.is_(None),
            or_(a.expires_at.is_(None), a.expires_at > NOW),
        )
        .order_by(a.stage, a.id)
    )


def givers(session: Session) -> list[tuple[str, str]]:
    """Who gave the approvals in force, and in which roles."""
    rows = session.execute(
        select(approvals.c.approver, approvals.c.role).where(approvals.c.void_at.is_(None)).distinct()
    )
    return [(row.approver, row.role) for row in rows]


def given_by(session: Session, approver: str, role: str) -> list[Pair]:
    """The contents whose approvals in force somebody gave in a role."""
    rows = session.execute(
        select(approvals.c.campaign_id, approvals.c.digest).where(
            approvals.c.void_at.is_(None), approvals.c.approver == approver, approvals.c.role == role
        )
    )
    return [(row.campaign_id, row.digest) for row in rows]


def void(
    session: Session,
    pairs: Iterable[Pair],
    *,
    code: str,
    actor: str,
    at: datetime,
    reason: str = "",
) -> int:
    """Make every approval of the contents void, all stages; return of how many contents."""
    # In one order and held, since two daemons may be about the same ones: the second then finds none left.
    concerned = list(in_force(session, sorted(set(pairs)), hold=True))
    if not concerned:
        return 0
    session.connection().execute(
        update(approvals)
        .where(
            approvals.c.campaign_id == bindparam("_campaign"),
            approvals.c.digest == bindparam("_digest"),
            approvals.c.void_at.is_(None),
        )
        .values(void_at=at, void_reason=code),
        [{"_campaign": campaign_id, "_digest": digest} for campaign_id, digest in concerned],
    )
    detail = {"code": code, **({"reason": reason} if reason else {})}
    auditing.note(
        session,
        [
            auditing.Event(at, actor, "approval_void", campaign_id, digest=digest, detail=detail)
            for campaign_id, digest in concerned
        ],
    )
    return len(concerned)


def void_expired(session: Session, now: datetime) -> int:
    """Make void what has come to its end, so that a clock that is set back does not revive it."""
    rows = session.connection().execute(_over(), {"now": now}).all()
    pairs = [(row.campaign_id, row.digest) for row in rows]
    return void(session, pairs, code="expired", actor="daemon", at=now) if pairs else 0


@cache
def _over() -> Select[Any]:
    return select(approvals.c.campaign_id, approvals.c.digest).where(
        approvals.c.void_at.is_(None), approvals.c.expires_at <= NOW
    )
