"""What reports are made of, as it was known at a moment: posts with their figures, growth, approvals.

Everything is streamed: whoever reads needs no more memory for 100,000 posts than for ten. "As of" means
that what was recorded later (states, approvals, snapshots) is left out. Every instant is in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
)
from sqlmodel import Session

from scheduler.states import State
from scheduler.store.conditions import in_state
from scheduler.store.tables import approvals, audit, comments, contents, deliveries, snapshots, versions

#: The figures of a snapshot, by column. A further one is a column of the table and a word here.
FIGURES = (
    *("views", "reach", "likes", "comments", "shares", "saves", "clicks"),
    *("video_views", "profile_visits"),
)
#: Rows that are fetched at once.
_CHUNK = 100
#: Within so many of the newest audit events the order of their ids need not be that of their times.
_NEARLY_ORDERED = 1000
#: Characters of a text that are read for the title of a post.
_TITLE = 200
#: Audit events by which a content comes into a campaign.
_DRAFTING = ("planned", "edited", "returned")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which posts a report is about, and what may be known of them.

    ``first`` and ``last`` are local days of the planned time, both included; empty means any.
    """

    as_of: datetime
    campaign: str = ""
    agency: str = ""
    first: date | None = None
    last: date | None = None


def posts(session: Session, scope: Scope) -> Iterator[Sequence[Any]]:
    """Stream the posts of a scope by planned time, in the order of the columns below.

    Instants are left as the database has them, for :func:`instant`, and approvals for
    :func:`given_approvals`: whoever reads 100,000 rows meets most of them many times.
    """
    return iter(session.execute(posts_statement(session, scope)))


def posts_statement(session: Session, scope: Scope) -> Select[Any]:
    """The statement of :func:`posts`."""
    known_later = _changed_after(session, scope.as_of)
    state = _state_then(scope.as_of) if known_later else deliveries.c.state
    digest = _digest_then(scope.as_of) if known_later else deliveries.c.digest
    own = snapshots.alias("own")
    latest = (
        select(own.c.id)
        .where(
            own.c.delivery_id == deliveries.c.id,
            own.c.taken_at <= scope.as_of,
            # A platform that says nothing at all has not measured zero: the figures before it stand.
            or_(*(own.c[name].is_not(None) for name in FIGURES)),
        )
        .order_by(own.c.taken_at.desc(), own.c.id.desc())
        .limit(1)
        .correlate(deliveries)
        .scalar_subquery()
    )
    statement = (
        select(
            deliveries.c.id,
            deliveries.c.agency,
            deliveries.c.account_id,
            deliveries.c.platform,
            deliveries.c.campaign_id,
            deliveries.c.message_id,
            deliveries.c.topic,
            deliveries.c.zone,
            _as_stored(deliveries.c.planned_at),
            _as_stored(deliveries.c.published_at),
            state.label("state"),
            deliveries.c.permalink,
            digest.label("digest"),
            deliveries.c.code,
            deliveries.c.reason,
            contents.c.kind,
            func.substr(contents.c.text, 1, _TITLE).label("text"),
            snapshots.c.source.label("measured_by"),
            _as_stored(snapshots.c.taken_at),
            _given(scope.as_of, digest).label("given"),
            _drafter(scope.as_of, digest).label("drafter"),
            *(snapshots.c[name] for name in FIGURES),
        )
        .select_from(deliveries)
        .join(contents, contents.c.digest == digest)
        .outerjoin(snapshots, snapshots.c.id == latest)
        .where(*_within(scope))
        .order_by(deliveries.c.planned_at, deliveries.c.id)
        .execution_options(yield_per=_CHUNK)
    )
    return statement.where(state.is_not(None)) if known_later else statement


def dialogue(session: Session, scope: Scope) -> Iterator[Row[Any]]:
    """Stream the comments of others under the posts of a scope, in the order of :func:`posts`.

    Of each: ``planned_at`` (as stored) and ``id`` of its post, when it was written, and when the account
    answered: as was heard on the platform, and as an answer of ours went out and stands.
    """
    heard, sent, ours = comments.alias("heard"), deliveries.alias("sent"), deliveries.alias("ours")
    on_platform = (
        select(func.min(heard.c.written_at))
        .where(
            heard.c.account_id == comments.c.account_id,
            heard.c.under == comments.c.remote_id,
            heard.c.own,
            heard.c.seen_at <= scope.as_of,
            # What went out from here counts as its delivery says: it may have been taken down again.
            ~exists().where(
                ours.c.account_id == heard.c.account_id,
                ours.c.remote_id == heard.c.remote_id,
                ours.c.remote_id != "",
            ),
        )
        .correlate(comments)
        .scalar_subquery()
    )
    from_here = (
        select(func.min(sent.c.published_at))
        .where(
            sent.c.comment_id == comments.c.id,
            in_state(State.SENT, sent),
            sent.c.published_at <= scope.as_of,
        )
        .correlate(comments)
        .scalar_subquery()
    )
    return iter(
        session.execute(
            select(
                _as_stored(deliveries.c.planned_at),
                deliveries.c.id,
                comments.c.written_at,
                on_platform.label("heard_at"),
                from_here.label("sent_at"),
            )
            .join(deliveries, deliveries.c.id == comments.c.delivery_id)
            .where(*_within(scope), ~comments.c.own, comments.c.seen_at <= scope.as_of)
            .order_by(deliveries.c.planned_at, deliveries.c.id)
            .execution_options(yield_per=_CHUNK)
        )
    )


def given_approvals(given: str) -> list[tuple[str, datetime]]:
    """Given the approvals of a post as they are read, return who gave them and when, oldest first."""
    rows = [one.split("\t") for one in given.split("\n")]
    return [(approver, instant(at)) for _number, approver, at in sorted(rows, key=lambda row: int(row[0]))]


def instant(stored: str | datetime) -> datetime:
    """An instant in UTC, from what SQLite (a text in UTC) or PostgreSQL has."""
    moment = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def growth(session: Session, scope: Scope) -> Iterator[Row[Any]]:
    """Stream every snapshot of a scope: ``delivery_id``, ``taken_at`` and figures, by post, then time."""
    return iter(
        session.execute(
            select(
                snapshots.c.delivery_id,
                snapshots.c.taken_at,
                deliveries.c.zone,
                *(snapshots.c[name] for name in FIGURES),
            )
            .join(deliveries, deliveries.c.id == snapshots.c.delivery_id)
            .where(*_within(scope), snapshots.c.taken_at <= scope.as_of)
            .order_by(snapshots.c.delivery_id, snapshots.c.taken_at, snapshots.c.id)
            .execution_options(yield_per=_CHUNK)
        )
    )


def campaigns(session: Session, as_of: datetime, wanted: str = "") -> Sequence[Row[Any]]:
    """The campaigns in force at ``as_of``, or the one that is wanted, with title, zone and definition."""
    newest = (
        select(versions.c.campaign_id, func.max(versions.c.version).label("version"))
        .where(versions.c.applied_at <= as_of)
        .group_by(versions.c.campaign_id)
        .subquery()
    )
    statement = (
        select(
            versions.c.campaign_id,
            versions.c.title,
            versions.c.owner,
            versions.c.zone,
            versions.c.version,
            versions.c.definition,
        )
        .join(
            newest,
            (versions.c.campaign_id == newest.c.campaign_id) & (versions.c.version == newest.c.version),
        )
        .order_by(versions.c.campaign_id)
    )
    return session.execute(
        statement.where(versions.c.campaign_id == wanted) if wanted else statement
    ).fetchall()


def _as_stored(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """An instant that is not made a datetime yet."""
    return type_coerce(column, String).label(column.name)


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    conditions = [
        deliveries.c.campaign_id == scope.campaign if scope.campaign else None,
        deliveries.c.agency == scope.agency if scope.agency else None,
        # Slots are local times in ISO format, which sort as text: no zone needs to be reckoned with.
        deliveries.c.slot >= scope.first.isoformat() if scope.first else None,
        deliveries.c.slot < (scope.last + timedelta(days=1)).isoformat() if scope.last else None,
    ]
    # An answer to a comment is no post of the campaign.
    return [
        deliveries.c.comment_id.is_(None),
        *(condition for condition in conditions if condition is not None),
    ]


def _changed_after(session: Session, moment: datetime) -> bool:
    """Whether the record goes on after a moment, so that the present is not what was known then."""
    newest = select(audit.c.at).order_by(audit.c.id.desc()).limit(_NEARLY_ORDERED).subquery()
    last = session.execute(select(func.max(newest.c.at))).scalar()
    return last is not None and last > moment


def _state_then(moment: datetime) -> ColumnElement[Any]:
    """The state that a post had at a moment; NULL if there was no such post yet."""
    return (
        select(audit.c.after)
        .where(audit.c.delivery_id == deliveries.c.id, audit.c.at <= moment, audit.c.after != "")
        .order_by(audit.c.id.desc())
        .limit(1)
        .correlate(deliveries)
        .scalar_subquery()
    )


def _digest_then(moment: datetime) -> ColumnElement[Any]:
    """The content that a post had at a moment."""
    return (
        select(audit.c.digest)
        .where(audit.c.delivery_id == deliveries.c.id, audit.c.at <= moment, audit.c.digest != "")
        .order_by(audit.c.id.desc())
        .limit(1)
        .correlate(deliveries)
        .scalar_subquery()
    )


def _given(moment: datetime, digest: ColumnElement[Any]) -> ColumnElement[Any]:
    """The approvals of a content that held at a moment, each as number, approver and time."""
    return (
        select(
            func.aggregate_strings(
                cast(approvals.c.id, String)
                + literal("\t")
                + approvals.c.approver
                + literal("\t")
                + cast(approvals.c.approved_at, String),
                "\n",
            )
        )
        .where(
            approvals.c.campaign_id == deliveries.c.campaign_id,
            approvals.c.digest == digest,
            approvals.c.approved_at <= moment,
            or_(approvals.c.void_at.is_(None), approvals.c.void_at > moment),
        )
        .correlate(deliveries)
        .scalar_subquery()
    )


def _drafter(moment: datetime, digest: ColumnElement[Any]) -> ColumnElement[Any]:
    """Who brought the content into the campaign, by the record of the post."""
    return (
        select(audit.c.actor)
        .where(
            audit.c.delivery_id == deliveries.c.id,
            audit.c.digest == digest,
            audit.c.at <= moment,
            audit.c.action.in_(_DRAFTING),
        )
        .order_by(audit.c.id)
        .limit(1)
        .correlate(deliveries)
        .scalar_subquery()
    )


def contents_of(session: Session, digests: Sequence[str]) -> dict[str, Row[Any]]:
    """Some contents whole, by digest; for few of them."""
    found = session.execute(select(*contents.c).where(contents.c.digest.in_(set(digests))))
    return {row.digest: row for row in found}


def approvals_given(session: Session, scope: Scope) -> Sequence[Row[Any]]:
    """Every approval of the campaign of a scope until its moment, by message, account and time."""
    content = (
        select(deliveries.c.message_id, deliveries.c.account_id, deliveries.c.digest)
        .where(*_within(scope))
        .distinct()
        .subquery()
    )
    return session.execute(
        select(
            content.c.message_id,
            content.c.account_id,
            *(approvals.c[name] for name in ("approver", "os_user", "approved_at", "void_at", "digest")),
        )
        .join(content, content.c.digest == approvals.c.digest)
        .where(approvals.c.campaign_id == scope.campaign, approvals.c.approved_at <= scope.as_of)
        .order_by(content.c.message_id, content.c.account_id, approvals.c.id)
    ).fetchall()
