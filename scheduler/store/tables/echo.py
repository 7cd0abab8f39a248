"""What came back: figures, followers, comments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, String, UniqueConstraint
from sqlmodel import Field

from scheduler.store.guards import COMMENT_COLUMNS, erasable, guard, unchanging
from scheduler.store.tables.columns import Row, instant, long_text, stored, stored_later, table


class Snapshot(Row, table=True):
    """The figures of one post at one moment; only ever appended. NULL is unknown, never zero."""

    __table_args__ = (Index("snapshots_of", "delivery_id", "taken_at"),)

    id: int | None = Field(default=None, primary_key=True)
    delivery_id: int = Field(foreign_key="delivery.id")
    taken_at: datetime = instant(null=False)
    source: str
    views: int | None = None
    reach: int | None = None
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    saves: int | None = None
    clicks: int | None = None
    video_views: int | None = None
    profile_visits: int | None = None
    raw: dict[str, Any] = stored(dict)
    why: dict[str, Any] = stored_later(dict)
    """By figure that is unknown: ``not-offered``, ``not-yet``, ``refused`` or ``gone``."""
    names: dict[str, Any] = stored_later(dict)
    """What the platform calls the figures that it offers."""
    api: str = Field(default="", sa_column=Column(String, nullable=False, server_default=""))
    """The version of its interface."""


class RetiredMetric(Row, table=True):
    """A figure that a platform refuses for every post of every account, until it tells it again."""

    __tablename__ = "retired_metric"

    id: int | None = Field(default=None, primary_key=True)
    platform: str
    metric: str
    """Our name of it."""
    name: str
    """The platform's."""
    api: str = ""
    """The version of its interface."""
    since: datetime = instant(null=False)
    """The first refusal after it was last told."""
    noticed_at: datetime = instant(null=False)
    back_at: datetime | None = instant()

    def facts(self) -> dict[str, str]:
        """As the log tells it: ``since`` is in UTC."""
        since = self.since.isoformat(timespec="seconds")
        return {"platform": self.platform, "metric": self.name, "api": self.api, "since": since}


class FollowerCount(Row, table=True):
    """How many people followed an account at one moment; only ever appended. NULL is unknown, never zero."""

    __tablename__ = "follower_count"
    __table_args__ = (Index("followers_of", "account_id", "taken_at"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: str
    taken_at: datetime = instant(null=False)
    source: str
    """``api`` or ``manual``."""
    followers: int | None = None
    why: str = ""
    """Why it is unknown: ``not-yet`` (the platform did not say) or ``refused``."""
    name: str = ""
    """What the platform calls it."""
    api: str = ""
    """The version of its interface."""
    detail: dict[str, Any] = stored(dict)
    """The platform's reason to refuse, or who entered it."""


class Comment(Row, table=True):
    """What somebody wrote under a post, as it was when it was first seen; only ever appended."""

    __table_args__ = (
        UniqueConstraint("account_id", "remote_id"),
        Index("comments_of", "delivery_id", "id"),
        Index("answers_to", "account_id", "under"),
    )

    id: int | None = Field(default=None, primary_key=True)
    delivery_id: int = Field(foreign_key="delivery.id")
    account_id: str
    remote_id: str
    under: str
    """The remote id of what it answers: the post, or another comment."""
    author: str = long_text()
    text: str = long_text()
    url: str = long_text()
    own: bool
    """The account itself wrote it: an answer, or a first comment."""
    written_at: datetime = instant(null=False)
    seen_at: datetime = instant(null=False)
    erased_at: datetime | None = instant()
    """When who wrote it, what and where was taken out: the only change that the database lets through."""


class CommentCase(Row, table=True):
    """Who takes care of a comment, and how that ended; every step is in the audit."""

    __tablename__ = "comment_case"

    comment_id: int = Field(primary_key=True, foreign_key="comment.id")
    assigned_to: str = ""
    assigned_at: datetime | None = instant()
    closed_at: datetime | None = instant()
    closed_by: str = ""
    note: str = long_text()


snapshots = table(Snapshot)
retired_metrics = table(RetiredMetric)
follower_counts = table(FollowerCount)
comments = table(Comment)
comment_cases = table(CommentCase)

guard(snapshots, unchanging("snapshot"))
guard(follower_counts, unchanging("follower_count"))
guard(comments, erasable("comment", *COMMENT_COLUMNS))
