"""Recorded approvals: what waits for one, giving one, and making one void.

An approval binds to one content digest in one campaign. Where a campaign has several stages, each is a
row of its own; the row that completes them carries the approval.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, or_, select, tuple_, update
from sqlmodel import Session

from scheduler.states import EDITABLE
from scheduler.store import auditing
from scheduler.store.conditions import NOW, approved
from scheduler.store.dialects import among
from scheduler.store.tables import (
    Approval,
    Content,
    SentBack,
    SignedStatement,
    approvals,
    audit,
    contents,
    deliveries,
    sent_back,
    statements,
    versions,
)
from scheduler.store.transitions import record

#: Pairs in one statement; SQLite takes 32,766 variables at most (sqlite.org/limits.html, no. 9).
BATCH = 500

Pair = tuple[str, str]
"""A campaign and a digest."""


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


# Signed statements.


def add_statement(session: Session, statement: SignedStatement) -> int:
    """Keep what was signed; return its number."""
    session.add(statement)
    session.flush()
    return statement.id or 0


def statement_known(session: Session, sha256: str) -> bool:
    """Whether this document was stored before: what was signed once counts once."""
    return session.execute(select(statements.c.id).where(statements.c.sha256 == sha256)).first() is not None


def statements_by_id(session: Session, ids: Collection[int]) -> dict[int, SignedStatement]:
    """Signed statements by number."""
    found = session.execute(select(SignedStatement).where(statements.c.id.in_(ids))).scalars()
    return {one.id: one for one in found if one.id is not None}


def statements_due(session: Session, now: datetime) -> set[int]:
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
