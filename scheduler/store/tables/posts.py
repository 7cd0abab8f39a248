"""What is to be published and what became of it: campaigns, contents, deliveries, attempts, accounts.

The database itself guarantees: one delivery per key, one ``sending`` per account, one open attempt per
delivery (partial unique indexes).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, Text, UniqueConstraint
from sqlmodel import Field

from scheduler.store.guards import guard, unchanging
from scheduler.store.tables.columns import (
    Row,
    UtcDateTime,
    instant,
    long_text,
    partial_index,
    stored,
    stored_later,
    table,
)


def _as_planned(context: Any) -> Any:
    """What a new delivery is allowed to be, if nothing else is said: on time."""
    return context.get_current_parameters()["planned_at"]


class CampaignVersion(Row, table=True):
    """A campaign as it was applied: every applied file is kept, the highest version is in force."""

    __tablename__ = "campaign_version"
    __table_args__ = (UniqueConstraint("campaign_id", "version"),)

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: str
    version: int
    title: str
    owner: str
    zone: str
    approval: str
    source: str
    definition: dict[str, Any] = stored(dict)
    applied_at: datetime = instant(null=False)
    applied_by: str


class Content(Row, table=True):
    """What is to be published on one account, by its digest: never changed, only replaced by another."""

    digest: str = Field(primary_key=True)
    account_id: str
    platform: str
    text: str = long_text()
    link: str = long_text()
    media: list[dict[str, Any]] = stored(list)
    kind: str = "post"
    thread: list[dict[str, Any]] = stored(list)
    """Further parts, each with ``text`` and ``media``."""
    first_comment: str = long_text()
    reply_to: dict[str, str] = stored_later(dict)
    """Of an answer to a comment: remote ids of the ``comment`` and of the ``post`` it stands under."""


class Delivery(Row, table=True):
    """One message on one account at one time, and where it stands."""

    __table_args__ = (
        partial_index("state = 'sending'", "one_sending_per_account", "account_id", unique=True),
        partial_index("state = 'planned'", "waiting", "account_id", "allowed_at", "id"),
        partial_index("state = 'planned'", "waiting_by_time", "allowed_at", "id"),
        partial_index("state = 'sending'", "leased", "lease_until"),
        partial_index("state = 'unsure'", "uncertain", "account_id", "due_at"),
        partial_index("reach_at IS NOT NULL", "reach_due", "reach_at"),
        partial_index("replies_at IS NOT NULL", "replies_due", "replies_at"),
        Index("by_campaign", "campaign_id", "planned_at"),
        partial_index("remote_id <> ''", "on_platform", "account_id", "remote_id"),
        partial_index("comment_id IS NOT NULL", "replies_to", "comment_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    campaign_id: str
    message_id: str
    topic: str = ""
    account_id: str
    platform: str
    agency: str = ""
    region: str = ""
    message_class: str = "regular"
    """``regular``, ``urgent`` or ``candidate``: what stops and windows ask for."""
    slot: str
    """Wall-clock time in the campaign's zone, ISO without offset."""
    zone: str
    planned_at: datetime = instant(null=False)
    """The instant of the slot; never moved."""
    slot_at: datetime | None = instant()
    """When it would go out by its file, if a person has moved it to another time."""
    allowed_at: datetime = Field(
        default=None, sa_column=Column(UtcDateTime, nullable=False, default=_as_planned)
    )
    """When it may go out: as planned, or where a window has moved it. Claims go by this."""
    window_rule: str = ""
    """The hard window that moved it, or holds it, as far as was known when it was planned."""
    expires_at: datetime = instant(null=False)
    """After this a planned post no longer goes out by itself."""
    if_missed: str
    min_gap: int = 0
    """For how many seconds the account sends nothing after this post."""
    due_at: datetime = instant(null=False)
    """When the next step is due: first the planned instant, later the next try or the next look."""
    state: str
    digest: str = Field(foreign_key="content.digest")
    attempts: int = 0
    looks: int = 0
    """How often an uncertain post was looked for since it became uncertain."""
    asks: bool = False
    """A person must decide."""
    progress: dict[str, Any] = stored(dict)
    code: str = ""
    """Language-neutral name of the reason (an adapter error's kind, ``too-late``, ...)."""
    reason: str = long_text()
    node: str = ""
    lease_until: datetime | None = instant()
    remote_id: str = ""
    permalink: str = long_text()
    published_at: datetime | None = instant()
    source: str = ""
    """Who said that it is published: ``api``, ``found`` or ``manual``."""
    reach_at: datetime | None = instant()
    replies_at: datetime | None = instant()
    """When the platform is asked next for what people wrote under it."""
    comment_id: int | None = None
    """The comment that it answers; NULL for a post of a campaign. (No foreign key: comments point here.)"""


class Attempt(Row, table=True):
    """One call of a platform to publish, recorded before it is made."""

    __table_args__ = (
        partial_index("finished_at IS NULL", "one_open_attempt", "delivery_id", unique=True),
        Index("attempts_of", "delivery_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    delivery_id: int = Field(foreign_key="delivery.id")
    digest: str
    node: str
    started_at: datetime = instant(null=False)
    finished_at: datetime | None = instant()
    outcome: str = ""
    """The event that ended it."""
    code: str = ""
    reason: str = long_text()
    remote_id: str = ""


class PlatformAnswer(Row, table=True):
    """What a platform answered to one attempt, word for word but for secrets; only ever appended."""

    __tablename__ = "platform_answer"

    id: int | None = Field(default=None, primary_key=True)
    attempt_id: int = Field(foreign_key="attempt.id", unique=True)
    at: datetime = instant(null=False)
    answers: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    """In order: ``method``, ``address``, ``status``, ``body``."""


class AccountState(Row, table=True):
    """What is known of an account beyond the configuration."""

    __tablename__ = "account_state"

    account_id: str = Field(primary_key=True)
    not_before: datetime | None = instant()
    """It pauses: the platform takes nothing from it before this."""
    pause_reason: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    resting_until: datetime | None = instant()
    """Its posts keep a distance from each other (``min_gap``): none goes out before this."""
    disabled_at: datetime | None = instant()
    code: str = ""
    reason: str = long_text()
    verified_at: datetime | None = instant()
    identity: str = long_text()


versions = table(CampaignVersion)
contents = table(Content)
deliveries = table(Delivery)
attempts = table(Attempt)
answers = table(PlatformAnswer)
accounts = table(AccountState)

guard(answers, unchanging("platform_answer"))
