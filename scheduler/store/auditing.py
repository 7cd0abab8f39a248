"""The audit: one append-only table in which each row holds the hash of the row before.

Whatever changes something leaves its events with the session (:func:`note`); the store writes them at
the end of the same transaction (:func:`write_noted`). Rows are numbered without a gap, so two
transactions must not append at once: SQLite has one writer anyway, PostgreSQL gets an advisory lock
that is held from the last statement of the transaction to its commit, and taken once in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Insert, Row, Select, func, or_, select
from sqlmodel import Session

from scheduler.origin import Origin
from scheduler.store.chain import GENESIS, row_hash
from scheduler.store.content import WORDING
from scheduler.store.tables import answers, approvals, attempts, audit, contents, deliveries

#: "gaung" in ASCII: the key of PostgreSQL's advisory lock.
LOCK = 0x6761756E67
#: Rows read at once.
PAGE = 5000

_NOTED = "gaung.audit"
_ORIGIN = "gaung.origin"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, before it has its place in the chain. ``at`` in UTC."""

    at: datetime
    actor: str
    """A person's id, ``os:USER``, or ``daemon``."""
    action: str
    campaign_id: str = ""
    delivery_id: int | None = None
    before: str = ""
    after: str = ""
    digest: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of the chain: with it, everything before it is fixed. ``sequence`` 0: no row yet."""

    sequence: int
    hash: str
    at: datetime | None


def acts_from(session: Session, origin: Origin) -> None:
    """Say where the events of this transaction come from."""
    session.info[_ORIGIN] = origin


def note(session: Session, events: Sequence[Event]) -> None:
    """Leave events to be written at the end of this transaction, in this order."""
    session.info.setdefault(_NOTED, []).extend(events)


def write_noted(session: Session) -> None:
    """Append what was noted to the chain. Nothing may be written in the transaction after this."""
    events: list[Event] = session.info.pop(_NOTED, [])
    if not events:
        return
    session.flush()
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(_wait_for_chain())
    last = head(session)
    origin: Origin = session.info[_ORIGIN]
    connection.execute(_append(), chained(events, last, origin))


def chained(events: Sequence[Event], last: Head, origin: Origin) -> list[dict[str, Any]]:
    """The rows of events that follow ``last``."""
    rows: list[dict[str, Any]] = []
    previous = last.hash
    for number, event in enumerate(events, last.sequence + 1):
        row: dict[str, Any] = {
            "id": number,
            "at": event.at,
            "machine": origin.machine,
            "os_user": origin.os_user,
            "actor": event.actor,
            "action": str(event.action),
            "campaign_id": event.campaign_id,
            "delivery_id": event.delivery_id,
            "before": str(event.before),
            "after": str(event.after),
            "digest": event.digest,
            "detail": dict(event.detail),
            "previous": previous,
        }
        row["hash"] = previous = row_hash(row)
        rows.append(row)
    return rows


def head(session: Session, as_of: datetime | None = None) -> Head:
    """The last row of the chain, or the last one of that moment (UTC) or before."""
    statement = _newest() if as_of is None else _newest().where(audit.c.at <= as_of)
    row = session.connection().execute(statement).first()
    return Head(row.id, row.hash, row.at) if row else Head(0, GENESIS, None)


@cache
def _wait_for_chain() -> Select[Any]:
    return select(func.pg_advisory_xact_lock(LOCK))


@cache
def _append() -> Insert:
    return audit.insert()


@cache
def _newest() -> Select[Any]:
    return select(audit.c.id, audit.c.hash, audit.c.at).order_by(audit.c.id.desc()).limit(1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events to list; empty means any. Times in UTC, ``until`` not included."""

    actor: str = ""
    action: str = ""
    campaign: str = ""
    delivery_id: int | None = None
    digest: str = ""
    since: datetime | None = None
    until: datetime | None = None
    last: int = 0
    """Only the newest so many; 0 for all."""


def events(session: Session, wanted: Wanted = Wanted()) -> Iterator[Row[Any]]:
    """The rows that are wanted, oldest first, read in pages."""
    c = audit.c
    conditions = [
        condition
        for value, condition in (
            (wanted.actor, c.actor == wanted.actor),
            (wanted.action, c.action == wanted.action),
            (wanted.campaign, c.campaign_id == wanted.campaign),
            (wanted.delivery_id, c.delivery_id == wanted.delivery_id),
            (wanted.digest, c.digest == wanted.digest),
            (wanted.since, c.at >= wanted.since if wanted.since else None),
            (wanted.until, c.at < wanted.until if wanted.until else None),
        )
        if value and condition is not None
    ]
    after = 0
    if wanted.last:
        newest = select(c.id).where(*conditions).order_by(c.id.desc()).limit(wanted.last)
        after = min(session.execute(newest).scalars(), default=1) - 1
    statement = select(*c).where(*conditions).order_by(c.id).limit(PAGE)
    while rows := session.execute(statement.where(c.id > after)).all():
        yield from rows
        after = rows[-1].id


def contradictions(session: Session) -> list[Row[Any]]:
    """Deliveries whose state or content is not what their newest events say: something wrote past us."""
    stated = (
        select(audit.c.delivery_id, func.max(audit.c.id).label("id"))
        .where(audit.c.delivery_id.is_not(None), audit.c.after != "")
        .group_by(audit.c.delivery_id)
        .subquery()
    )
    worded = (
        select(audit.c.delivery_id, func.max(audit.c.id).label("id"))
        .where(
            audit.c.delivery_id.is_not(None),
            audit.c.action.in_(("planned", "edited", "returned")),
        )
        .group_by(audit.c.delivery_id)
        .subquery()
    )
    state, content = audit.alias("state_event"), audit.alias("content_event")
    statement = (
        select(
            deliveries.c.key,
            deliveries.c.state,
            state.c.after.label("said_state"),
            deliveries.c.digest,
            content.c.digest.label("said_digest"),
        )
        .outerjoin(stated, stated.c.delivery_id == deliveries.c.id)
        .outerjoin(state, state.c.id == stated.c.id)
        .outerjoin(worded, worded.c.delivery_id == deliveries.c.id)
        .outerjoin(content, content.c.id == worded.c.id)
        .where(
            or_(
                state.c.after.is_(None),
                state.c.after != deliveries.c.state,
                content.c.digest.is_(None),
                content.c.digest != deliveries.c.digest,
            )
        )
        .order_by(deliveries.c.id)
    )
    return list(session.execute(statement))


def contents_in_use(session: Session) -> Iterator[Row[Any]]:
    """Every delivery's content as far as its digest covers it, each once for each account and class."""
    yield from session.execute(
        select(
            deliveries.c.account_id,
            deliveries.c.message_class,
            contents.c.platform,
            contents.c.digest,
            *WORDING,
        )
        .join(contents, contents.c.digest == deliveries.c.digest)
        .where(
            deliveries.c.id.in_(
                select(func.min(deliveries.c.id)).group_by(
                    deliveries.c.digest, deliveries.c.account_id, deliveries.c.message_class
                )
            )
        )
        .order_by(contents.c.digest)
        .execution_options(yield_per=PAGE)
    )


def answer_rows(session: Session) -> Iterator[Row[Any]]:
    """What platforms answered to attempts as the table has it, in order, with the key of the post."""
    yield from session.execute(
        select(answers.c.attempt_id, answers.c.answers, deliveries.c.key)
        .join(attempts, attempts.c.id == answers.c.attempt_id)
        .join(deliveries, deliveries.c.id == attempts.c.delivery_id)
        .order_by(answers.c.id)
        .execution_options(yield_per=PAGE)
    )


def about_approvals(session: Session) -> Iterator[Row[Any]]:
    """Every event that gave approvals or made them void, in order."""
    yield from session.execute(
        select(audit.c.action, audit.c.campaign_id, audit.c.digest, audit.c.actor, audit.c.at, audit.c.detail)
        .where(audit.c.action.in_(("approved", "approval_void")))
        .order_by(audit.c.id)
        .execution_options(yield_per=PAGE)
    )


def approval_rows(session: Session) -> Iterator[Row[Any]]:
    """Every approval as its table has it, in order."""
    yield from session.execute(
        select(*approvals.c).order_by(approvals.c.id).execution_options(yield_per=PAGE)
    )
