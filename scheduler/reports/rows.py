"""The rows of a report: one per post, with what is recorded and nothing else. Unknown is None, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns import timetable
from scheduler.store import listings
from scheduler.store.database import Session
from scheduler.store.tables import Snapshot

#: The columns, in order. Codes are language-neutral; a writer may translate the header.
COLUMNS = (
    "agency",
    "account",
    "platform",
    "campaign",
    "message",
    "topic",
    "planned_at",
    "published_at",
    "zone",
    "state",
    "permalink",
    "views",
    "reach",
    "likes",
    "comments",
    "shares",
    "saves",
    "clicks",
    "engagement",
    "source",
    "measured_at",
    "approver",
    "digest",
)
FIGURES = ("views", "reach", "likes", "comments", "shares", "saves", "clicks")
#: What people did with a post; what a platform does not tell is left out of the sum.
_ENGAGEMENT = ("likes", "comments", "shares", "saves")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LocalTime:
    """An instant as it is to be shown: wall-clock time in a zone that is printed beside it."""

    instant: datetime
    zone: str

    @property
    def wall(self) -> datetime:
        """The wall-clock time, without offset, to the second."""
        return timetable.to_local(self.instant, self.zone).replace(tzinfo=None, microsecond=0)

    @property
    def label(self) -> str:
        """WIB, WITA, WIT or the zone's own abbreviation."""
        return timetable.zone_label(self.instant, self.zone)


def report_rows(session: Session, campaign_id: str, names: Mapping[str, str]) -> list[Row]:
    """Given a campaign, return its rows by planned time; ``names`` gives people's full names by id."""
    snapshots = listings.latest_snapshots(session, campaign_id)
    approvers = listings.approvers(session, campaign_id)
    rows: list[Row] = []
    for post in listings.posts(session, listings.PostFilter(campaign=campaign_id)):
        snapshot = snapshots.get(post.id)
        given = approvers.get(post.digest, "")
        rows.append(
            {
                "agency": post.agency,
                "account": post.account_id,
                "platform": post.platform,
                "campaign": post.campaign_id,
                "message": post.message_id,
                "topic": post.topic,
                "planned_at": LocalTime(post.planned_at, post.zone).wall,
                "published_at": LocalTime(post.published_at, post.zone).wall if post.published_at else None,
                "zone": LocalTime(post.planned_at, post.zone).label,
                "state": post.state,
                "permalink": post.permalink or None,
                **figures(snapshot),
                "source": snapshot.source if snapshot else None,
                "measured_at": LocalTime(snapshot.taken_at, post.zone).wall if snapshot else None,
                "approver": ", ".join(names.get(one, one) for one in given.split(", ")) or None,
                "digest": post.digest,
            }
        )
    return rows


def figures(snapshot: Snapshot | None) -> dict[str, int | None]:
    """The figures of a snapshot, and the engagement: the sum of what the platform told, None if nothing."""
    values = {name: getattr(snapshot, name) if snapshot else None for name in FIGURES}
    known = [values[name] for name in _ENGAGEMENT if values[name] is not None]
    return {**values, "engagement": sum(one for one in known if one is not None) if known else None}
