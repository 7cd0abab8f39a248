"""Applied campaigns, their contents and their deliveries, as planning writes them.

Every applied definition is kept with a version; the highest is in force. Deliveries are written in
bulk, each with its audit event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Select, Update, bindparam, case, exists, func, or_, select, update
from sqlmodel import Session

from campaigns.definition import Picture
from campaigns.planning import PlannedPost, StoredPost
from scheduler.states import EDITABLE, Event, State
from scheduler.store import auditing
from scheduler.store.tables import (
    CampaignVersion,
    Content,
    UtcDateTime,
    attempts,
    contents,
    deliveries,
    versions,
)
from scheduler.store.transitions import Change, apply_changes, record

#: Rows a statement; SQLite takes 32,766 variables at most (sqlite.org/limits.html, no. 9).
BATCH = 500


def in_force(session: Session) -> list[CampaignVersion]:
    """The newest version of every campaign, in the order in which the campaigns were first applied."""
    return list(session.execute(_in_force()).scalars())


# Planning on goes through every campaign again and again: its statements are built once.


@cache
def _in_force() -> Select[Any]:
    newest = (
        select(versions.c.campaign_id, func.max(versions.c.version).label("version"))
        .group_by(versions.c.campaign_id)
        .subquery()
    )
    return (
        select(CampaignVersion)
        .join(
            newest,
            (versions.c.campaign_id == newest.c.campaign_id) & (versions.c.version == newest.c.version),
        )
        .order_by(versions.c.id)
    )


def current(session: Session, campaign_id: str) -> CampaignVersion | None:
    """The version of a campaign that is in force, or None if it was never applied."""
    statement = (
        select(CampaignVersion)
        .where(versions.c.campaign_id == campaign_id)
        .order_by(versions.c.version.desc())
        .limit(1)
    )
    return session.execute(statement).scalars().first()


def add_version(session: Session, version: CampaignVersion) -> None:
    """Store a new version and its audit event."""
    session.add(version)
    session.flush()
    record(
        session,
        "applied",
        actor=version.applied_by,
        at=version.applied_at,
        campaign_id=version.campaign_id,
        detail={"version": version.version, "source": version.source},
    )


def stored_posts(session: Session, campaign_id: str, until: datetime) -> Iterator[StoredPost]:
    """Every delivery of a campaign before ``until`` (UTC), as far as planning may care.

    What an earlier, longer horizon has planned beyond is left alone until the horizon reaches it.
    """
    rows = session.connection().execute(_stored_posts(), {"campaign": campaign_id, "until": until})
    begun = _begun(session, campaign_id)
    for key, message_id, account_id, planned_at, allowed_at, digest, state, code in rows:
        yield StoredPost(
            key=key,
            message_id=message_id,
            account_id=account_id,
            planned_at=planned_at,
            allowed_at=allowed_at,
            digest=digest,
            waiting=state == State.PLANNED,
            editable=state in EDITABLE and key not in begun,
            # What a person cancelled stays cancelled, whatever the file says.
            withdrawn=state == State.WITHDRAWN and code == Event.WITHDRAWN,
        )


@cache
def _stored_posts() -> Select[Any]:
    return select(
        deliveries.c.key,
        deliveries.c.message_id,
        deliveries.c.account_id,
        deliveries.c.planned_at,
        func.coalesce(deliveries.c.slot_at, deliveries.c.allowed_at).label("allowed_at"),
        deliveries.c.digest,
        deliveries.c.state,
        deliveries.c.code,
    ).where(
        deliveries.c.campaign_id == bindparam("campaign"),
        deliveries.c.planned_at < bindparam("until", type_=UtcDateTime()),
        deliveries.c.comment_id.is_(None),
    )


def _begun(session: Session, campaign_id: str) -> set[str]:
    """The keys of posts of several parts of which some may be out: an edit would post those again."""
    rows = session.connection().execute(_tried(), {"campaign": campaign_id})
    return {row.key for row in rows if row.progress and (row.thread or row.first_comment)}


@cache
def _tried() -> Select[Any]:
    return (
        select(deliveries.c.key, deliveries.c.progress, contents.c.thread, contents.c.first_comment)
        .join(contents, contents.c.digest == deliveries.c.digest)
        # Not by the count of attempts: a rate limit gives one back, and a person's retry all of them.
        .where(
            deliveries.c.campaign_id == bindparam("campaign"),
            exists().where(attempts.c.delivery_id == deliveries.c.id),
        )
    )


@dataclass(frozen=True, slots=True)
class Terms:
    """What a campaign says for all of its deliveries."""

    zone: str
    publish_within: timedelta
    if_missed: str
    min_gap: timedelta


def add_contents(session: Session, posts: Sequence[PlannedPost]) -> None:
    """Store the contents of ``posts`` that are not stored yet."""
    by_digest = {post.digest: post for post in posts}
    digests = list(by_digest)
    for start in range(0, len(digests), BATCH):
        batch = digests[start : start + BATCH]
        known = set(session.execute(select(contents.c.digest).where(contents.c.digest.in_(batch))).scalars())
        rows = [_content(by_digest[digest]) for digest in batch if digest not in known]
        if rows:
            session.connection().execute(contents.insert(), rows)


def content_of(post: PlannedPost) -> Content:
    """A planned post's content in the shape in which it would be stored."""
    return Content(**_content(post))


def _content(post: PlannedPost) -> dict[str, Any]:
    content = post.variant
    return {
        "digest": post.digest,
        "account_id": post.target.id,
        "platform": post.target.platform,
        "text": content.text,
        "link": content.link,
        "media": _media(content.media),
        "kind": content.kind,
        "thread": [{"text": part.text, "media": _media(part.media)} for part in content.thread],
        "first_comment": content.first_comment,
    }


def _media(pictures: Sequence[Picture]) -> list[dict[str, Any]]:
    return [
        {
            "name": picture.file,
            "alt": picture.alt,
            "sha256": picture.facts.sha256,
            "mime": picture.facts.mime,
            "width": picture.facts.width,
            "height": picture.facts.height,
        }
        for picture in pictures
    ]


def add_deliveries(
    session: Session, posts: Sequence[PlannedPost], terms: Terms, *, actor: str, at: datetime
) -> None:
    """Store new deliveries in state ``planned``, each with its audit event; contents must be there."""
    connection = session.connection()
    for start in range(0, len(posts), BATCH):
        batch = posts[start : start + BATCH]
        connection.execute(deliveries.insert(), [_delivery(post, terms) for post in batch])
        keys = [post.key for post in batch]
        made = session.execute(select(deliveries.c.key, deliveries.c.id).where(deliveries.c.key.in_(keys)))
        ids = {row.key: row.id for row in made}
        auditing.note(
            session,
            [
                auditing.Event(
                    at,
                    actor,
                    "planned",
                    post.campaign_id,
                    ids[post.key],
                    after=State.PLANNED,
                    digest=post.digest,
                    detail={"planned_at": post.planned_at.isoformat()},
                )
                for post in batch
            ],
        )


def _delivery(post: PlannedPost, terms: Terms) -> dict[str, Any]:
    return {
        "key": post.key,
        "campaign_id": post.campaign_id,
        "message_id": post.message_id,
        "account_id": post.target.id,
        "slot": post.slot.isoformat(),
        "state": State.PLANNED,
        "attempts": 0,
        "looks": 0,
        "asks": False,
        "progress": {},
        "code": "",
        "reason": "",
        "node": "",
        "remote_id": "",
        "permalink": "",
        "source": "",
        **_from_file(post, terms),
    }


def _from_file(post: PlannedPost, terms: Terms) -> dict[str, Any]:
    """What an edit of the campaign file may change in a delivery."""
    return {
        "topic": post.topic,
        "message_class": post.variant.message_class,
        "platform": post.target.platform,
        "agency": post.target.agency,
        "region": post.target.region,
        "zone": terms.zone,
        "planned_at": post.planned_at,
        "allowed_at": post.allowed_at,
        "window_rule": post.verdict.rule,
        "due_at": post.allowed_at,
        "expires_at": post.allowed_at + terms.publish_within,
        "if_missed": terms.if_missed,
        "min_gap": _seconds(terms.min_gap),
        "digest": post.digest,
    }


def edit_deliveries(
    session: Session,
    changed: Sequence[tuple[StoredPost, PlannedPost]],
    terms: Terms,
    *,
    actor: str,
    at: datetime,
) -> None:
    """Give deliveries that have not left the house their new content or instant; states stay.

    Unless the instant moves, so does the end of the time allowed: a person may have given more of it.
    """
    for old, new in changed:
        values = _from_file(new, terms)
        if (old.planned_at, old.allowed_at) == (new.planned_at, new.allowed_at):
            del values["expires_at"]
            # A post that a person has moved stays where it is.
            for name in ("allowed_at", "due_at"):
                values[name] = case(
                    (deliveries.c.slot_at.is_(None), values[name]), else_=getattr(deliveries.c, name)
                )
        else:
            values["slot_at"] = None
        done = session.connection().execute(
            update(deliveries)
            .where(deliveries.c.key == old.key, deliveries.c.state.in_(EDITABLE))
            .values(**values, progress={}, attempts=0)
            .returning(deliveries.c.id)
        )
        for delivery_id in done.scalars():
            record(
                session,
                "edited",
                actor=actor,
                at=at,
                campaign_id=new.campaign_id,
                delivery_id=delivery_id,
                digest=new.digest,
                detail={"previous_digest": old.digest, **_moved(old, new)},
            )


def _moved(old: StoredPost, new: PlannedPost) -> dict[str, str]:
    moved: dict[str, str] = {}
    if old.planned_at != new.planned_at:
        moved |= {
            "previously_planned_at": old.planned_at.isoformat(),
            "planned_at": new.planned_at.isoformat(),
        }
    if (old.allowed_at or old.planned_at) != new.allowed_at:
        moved |= {"allowed_at": new.allowed_at.isoformat(), "window": new.verdict.rule}
    return moved


def set_terms(session: Session, campaign_id: str, before: timedelta, terms: Terms) -> None:
    """Give every delivery of a campaign that still waits the campaign's present terms.

    ``before`` is how late the campaign let posts go out so far. A delivery that a person has retried
    has a time allowed of its own, which it keeps. So has an answer to a comment, whatever the campaign says.
    """
    waiting = (
        deliveries.c.campaign_id == campaign_id,
        deliveries.c.state == State.PLANNED,
        deliveries.c.comment_id.is_(None),
    )
    if before != terms.publish_within:
        rows = session.execute(
            select(deliveries.c.id, deliveries.c.allowed_at, deliveries.c.expires_at).where(*waiting)
        ).all()
        moved = [
            {"_id": row.id, "_expires": row.allowed_at + terms.publish_within}
            for row in rows
            if row.expires_at == row.allowed_at + before
        ]
        if moved:
            session.connection().execute(
                update(deliveries)
                .where(deliveries.c.id == bindparam("_id"))
                .values(expires_at=bindparam("_expires")),
                moved,
            )
    session.execute(
        update(deliveries)
        .where(
            *waiting,
            (deliveries.c.if_missed != terms.if_missed) | (deliveries.c.min_gap != _seconds(terms.min_gap)),
        )
        .values(if_missed=terms.if_missed, min_gap=_seconds(terms.min_gap))
    )


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def set_labels(
    session: Session, campaign_id: str, topics: Mapping[str, str], owners: Mapping[str, tuple[str, str]]
) -> None:
    """Give all deliveries of a campaign its present topics (by message), agencies, regions (by account)."""
    connection = session.connection()
    named = [{"_campaign": campaign_id, "_message": one, "_topic": topic} for one, topic in topics.items()]
    owned = [
        {"_campaign": campaign_id, "_account": one, "_agency": agency, "_region": region}
        for one, (agency, region) in owners.items()
    ]
    if named:
        connection.execute(_set_topic(), named)
    if owned:
        connection.execute(_set_owner(), owned)


@cache
def _set_topic() -> Update:
    c = deliveries.c
    topic: BindParameter[str] = bindparam("_topic")
    return (
        update(deliveries)
        .where(
            c.campaign_id == bindparam("_campaign"), c.message_id == bindparam("_message"), c.topic != topic
        )
        .values(topic=topic)
    )


@cache
def _set_owner() -> Update:
    c = deliveries.c
    agency: BindParameter[str] = bindparam("_agency")
    region: BindParameter[str] = bindparam("_region")
    return (
        update(deliveries)
        .where(
            c.campaign_id == bindparam("_campaign"),
            c.account_id == bindparam("_account"),
            or_(c.agency != agency, c.region != region),
        )
        .values(agency=agency, region=region)
    )


def withdraw(session: Session, posts: Sequence[StoredPost], *, actor: str, at: datetime) -> None:
    """Withdraw deliveries that are no longer in their file."""
    _move(session, [post.key for post in posts], State.PLANNED, Event.WITHDRAWN, {}, actor=actor, at=at)


def bring_back(
    session: Session, posts: Sequence[PlannedPost], terms: Terms, *, actor: str, at: datetime
) -> None:
    """Plan again what an earlier version of the file had taken out."""
    values = {post.key: {**_from_file(post, terms), "progress": {}, "attempts": 0} for post in posts}
    _move(session, list(values), State.WITHDRAWN, Event.RETURNED, values, actor=actor, at=at)


def _move(
    session: Session,
    keys: Sequence[str],
    before: State,
    event: Event,
    values: Mapping[str, Mapping[str, Any]],
    *,
    actor: str,
    at: datetime,
) -> None:
    for start in range(0, len(keys), BATCH):
        rows = session.execute(
            select(deliveries.c.id, deliveries.c.key, deliveries.c.campaign_id, deliveries.c.digest).where(
                deliveries.c.key.in_(keys[start : start + BATCH])
            )
        ).all()
        changes = []
        for row in rows:
            extra = values.get(row.key, {})
            changes.append(
                Change(
                    row.id,
                    before,
                    event,
                    row.campaign_id,
                    str(extra.get("digest", row.digest)),
                    {"code": event, "reason": "", "looks": 0, **extra},
                )
            )
        apply_changes(session, changes, actor=actor, at=at)
