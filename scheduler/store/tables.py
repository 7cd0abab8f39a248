"""The tables. The database itself guarantees: one delivery per key, one ``sending`` per account, one
open attempt per delivery (partial unique indexes); migrations make what stands here, a test compares.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
    true,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from scheduler.store.guards import COMMENT_COLUMNS, append_only, erasable, guard, held, unchanging

#: Characters of a time to the microsecond, without an offset.
_LENGTH = 26


class UtcDateTime(TypeDecorator[datetime]):
    """An instant in UTC. SQLite alone would silently drop an offset (DESIGN.md section 10)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        """On SQLite the text that SQLAlchemy would write, at a third of its cost: rows have many times."""
        if dialect.name != "sqlite":
            return super().bind_processor(dialect)

        def written(value: datetime | None) -> str | None:
            if value is None or value.tzinfo is not UTC:
                value = self.process_bind_param(value, dialect)
            return None if value is None else value.isoformat(" ", "microseconds")[:_LENGTH]

        return written

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse times without a zone; give SQLite plain UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give every instant back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Money(TypeDecorator[Decimal]):
    """An exact amount: whole millionths, since SQLite has no decimal numbers; sums and comparisons hold."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Refuse what is finer than a millionth."""
        if value is None:
            return None
        millionths = Decimal(value).scaleb(6)
        if millionths != int(millionths):
            raise ValueError(f"{value} is finer than a millionth")
        return int(millionths)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Give the amount back without needless zeros."""
        return None if value is None else Decimal(value).scaleb(-6).normalize() + 0


def _money(*, null: bool = False) -> Any:
    return Field(default=None if null else Decimal(0), sa_type=Money, nullable=null)


def _instant(*, null: bool = True) -> Any:
    return Field(default=None, sa_type=UtcDateTime, nullable=null)


def _as_planned(context: Any) -> Any:
    """What a new delivery is allowed to be, if nothing else is said: on time."""
    return context.get_current_parameters()["planned_at"]


def _json(default: type) -> Any:
    return Field(default_factory=default, sa_column=Column(JSON, nullable=False))


def _later(default: type) -> Any:
    """As :func:`_json`, for a table that had rows before it had the column."""
    return Field(default_factory=default, sa_column=Column(JSON, nullable=False, server_default="{}"))


def _long(default: str = "") -> Any:
    return Field(default=default, sa_column=Column(Text, nullable=False))


def _where(condition: str, name: str, *columns: str, unique: bool = False) -> Index:
    """An index over the rows that meet ``condition`` only, in both databases."""
    return Index(name, *columns, unique=unique, info={"where": condition})


def _say_conditions(metadata: MetaData, connection: Connection, **_: Any) -> None:
    """Before the tables are made: to name a dialect earlier would import that of the other database too."""
    for index in chain.from_iterable(one.indexes for one in metadata.tables.values()):
        if condition := index.info.get("where"):
            index.dialect_options[connection.dialect.name]["where"] = text(condition)


class Row(SQLModel):
    """What all tables are; pydantic's validators are never asked of them, so none are built (0.7 MB)."""

    model_config = {"defer_build": True}


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
    definition: dict[str, Any] = _json(dict)
    applied_at: datetime = _instant(null=False)
    applied_by: str


class Content(Row, table=True):
    """What is to be published on one account, by its digest: never changed, only replaced by another."""

    digest: str = Field(primary_key=True)
    account_id: str
    platform: str
    text: str = _long()
    link: str = _long()
    media: list[dict[str, Any]] = _json(list)
    kind: str = "post"
    thread: list[dict[str, Any]] = _json(list)
    """Further parts, each with ``text`` and ``media``."""
    first_comment: str = _long()
    reply_to: dict[str, str] = _later(dict)
    """Of an answer to a comment: remote ids of the ``comment`` and of the ``post`` it stands under."""


class Delivery(Row, table=True):
    """One message on one account at one time, and where it stands."""

    __table_args__ = (
        _where("state = 'sending'", "one_sending_per_account", "account_id", unique=True),
        _where("state = 'planned'", "waiting", "account_id", "allowed_at", "id"),
        _where("state = 'planned'", "waiting_by_time", "allowed_at", "id"),
        _where("state = 'sending'", "leased", "lease_until"),
        _where("state = 'unsure'", "uncertain", "account_id", "due_at"),
        _where("reach_at IS NOT NULL", "reach_due", "reach_at"),
        _where("replies_at IS NOT NULL", "replies_due", "replies_at"),
        Index("by_campaign", "campaign_id", "planned_at"),
        _where("remote_id <> ''", "on_platform", "account_id", "remote_id"),
        _where("comment_id IS NOT NULL", "replies_to", "comment_id", "id"),
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
    planned_at: datetime = _instant(null=False)
    """The instant of the slot; never moved."""
    slot_at: datetime | None = _instant()
    """When it would go out by its file, if a person has moved it to another time."""
    allowed_at: datetime = Field(
        default=None, sa_column=Column(UtcDateTime, nullable=False, default=_as_planned)
    )
    """When it may go out: as planned, or where a window has moved it. Claims go by this."""
    window_rule: str = ""
    """The hard window that moved it, or holds it, as far as was known when it was planned."""
    expires_at: datetime = _instant(null=False)
    """After this a planned post no longer goes out by itself."""
    if_missed: str
    min_gap: int = 0
    """For how many seconds the account sends nothing after this post."""
    due_at: datetime = _instant(null=False)
    """When the next step is due: first the planned instant, later the next try or the next look."""
    state: str
    digest: str = Field(foreign_key="content.digest")
    attempts: int = 0
    looks: int = 0
    """How often an uncertain post was looked for since it became uncertain."""
    asks: bool = False
    """A person must decide."""
    progress: dict[str, Any] = _json(dict)
    code: str = ""
    """Language-neutral name of the reason (an adapter error's kind, ``too-late``, ...)."""
    reason: str = _long()
    node: str = ""
    lease_until: datetime | None = _instant()
    remote_id: str = ""
    permalink: str = _long()
    published_at: datetime | None = _instant()
    source: str = ""
    """Who said that it is published: ``api``, ``found`` or ``manual``."""
    reach_at: datetime | None = _instant()
    replies_at: datetime | None = _instant()
    """When the platform is asked next for what people wrote under it."""
    comment_id: int | None = None
    """The comment that it answers; NULL for a post of a campaign. (No foreign key: comments point here.)"""


class Attempt(Row, table=True):
    """One call of a platform to publish, recorded before it is made."""

    __table_args__ = (
        _where("finished_at IS NULL", "one_open_attempt", "delivery_id", unique=True),
        Index("attempts_of", "delivery_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    delivery_id: int = Field(foreign_key="delivery.id")
    digest: str
    node: str
    started_at: datetime = _instant(null=False)
    finished_at: datetime | None = _instant()
    outcome: str = ""
    """The event that ended it."""
    code: str = ""
    reason: str = _long()
    remote_id: str = ""


class PlatformAnswer(Row, table=True):
    """What a platform answered to one attempt, word for word but for secrets; only ever appended."""

    __tablename__ = "platform_answer"

    id: int | None = Field(default=None, primary_key=True)
    attempt_id: int = Field(foreign_key="attempt.id", unique=True)
    at: datetime = _instant(null=False)
    answers: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    """In order: ``method``, ``address``, ``status``, ``body``."""


class AccountState(Row, table=True):
    """What is known of an account beyond the configuration."""

    __tablename__ = "account_state"

    account_id: str = Field(primary_key=True)
    not_before: datetime | None = _instant()
    """It pauses: the platform takes nothing from it before this."""
    pause_reason: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    resting_until: datetime | None = _instant()
    """Its posts keep a distance from each other (``min_gap``): none goes out before this."""
    disabled_at: datetime | None = _instant()
    code: str = ""
    reason: str = _long()
    verified_at: datetime | None = _instant()
    identity: str = _long()


class Approval(Row, table=True):
    """Somebody's recorded yes to one content digest in one campaign.

    Where a campaign has several stages, each is a row; the one that ends them is ``complete``.
    """

    __table_args__ = (
        Index("approvals_of", "campaign_id", "digest"),
        _where("void_at IS NULL AND expires_at IS NOT NULL", "approvals_ending", "expires_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: str
    digest: str = Field(foreign_key="content.digest")
    approver: str
    os_user: str
    approved_at: datetime = _instant(null=False)
    void_at: datetime | None = _instant()
    stage: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default="1"))
    role: str = Field(default="approver", sa_column=Column(String, nullable=False, server_default="approver"))
    """The role in which it was given."""
    complete: bool = Field(default=True, sa_column=Column(Boolean, nullable=False, server_default=true()))
    """With this one, the content is approved."""
    expires_at: datetime | None = _instant()
    """Not in force from this instant on; for the row that is complete, the earliest of all its stages."""
    void_reason: str = Field(default="", sa_column=Column(String, nullable=False, server_default=""))
    """``withdrawn``, ``sent-back``, ``expired``, ``role``, ``signature``, ``content`` or ``stop``."""
    statement_id: int | None = Field(default=None, foreign_key="signed_statement.id")
    """What was signed, where approvals are signed."""


class SignedStatement(Row, table=True):
    """A list of contents that somebody signed with their SSH key, exactly as it was signed."""

    __tablename__ = "signed_statement"

    id: int | None = Field(default=None, primary_key=True)
    sha256: str = Field(unique=True)
    """Of the document: what was signed once counts once."""
    document: str = _long()
    signature: str = _long()
    signer: str
    stored_at: datetime = _instant(null=False)


class SentBack(Row, table=True):
    """A content that somebody sent back to its drafter; it is over when it was approved after all."""

    __tablename__ = "sent_back"
    __table_args__ = (_where("over_at IS NULL", "sent_back_of", "campaign_id", "digest"),)

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: str
    digest: str = Field(foreign_key="content.digest")
    message_id: str
    sent_by: str
    sent_at: datetime = _instant(null=False)
    reason: str = _long()
    over_at: datetime | None = _instant()


class LegalHold(Row, table=True):
    """An order to keep everything of a campaign: while it lasts, the database refuses to delete it."""

    __tablename__ = "legal_hold"

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: str
    reason: str = _long()
    letter: str = ""
    placed_by: str
    placed_at: datetime = _instant(null=False)
    lifted_by: str = ""
    lifted_at: datetime | None = _instant()


class Stop(Row, table=True):
    """An order that nothing in its scope goes out; in force until it is lifted, by a person or at its end."""

    __table_args__ = (_where("lifted_at IS NULL", "stops_in_force", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    scope: str
    """``everything``, ``agency``, ``campaign``, ``platform`` or ``account``."""
    target: str = ""
    """Whose name it is; empty for everything."""
    reason: str = _long()
    letter: str = ""
    """Number of the letter that orders it."""
    but_urgent: bool = False
    """Messages of class urgent go out all the same."""
    fresh_approval: bool = False
    """What came due meanwhile needs a new approval."""
    declared_at: datetime = _instant(null=False)
    declared_by: str
    until: datetime | None = _instant()
    lifted_at: datetime | None = _instant()
    lifted_by: str = ""


class WindowSet(Row, table=True):
    """The windows as they were applied: every set is kept, the newest is in force."""

    __tablename__ = "window_set"

    id: int | None = Field(default=None, primary_key=True)
    definition: str = _long()
    applied_at: datetime = _instant(null=False)
    applied_by: str


class AuditEvent(Row, table=True):
    """Who did what, when, from which state to which: written in the transaction of the change itself.

    Append-only, and a chain: see ``scheduler.store.auditing``.
    """

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("audit_of", "delivery_id", "id"),
        Index("audit_of_content", "campaign_id", "digest", "id"),
    )

    id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    """The number of the row: 1, 2, 3, ... without a gap."""
    at: datetime = _instant(null=False)
    machine: str = ""
    os_user: str = ""
    """The real operating-system user of the process, beside the person it stands for."""
    actor: str
    action: str
    campaign_id: str = ""
    delivery_id: int | None = None
    before: str = ""
    after: str = ""
    digest: str = ""
    detail: dict[str, Any] = _json(dict)
    previous: str
    """The hash of the row before."""
    hash: str


class Snapshot(Row, table=True):
    """The figures of one post at one moment; only ever appended. NULL is unknown, never zero."""

    __table_args__ = (Index("snapshots_of", "delivery_id", "taken_at"),)

    id: int | None = Field(default=None, primary_key=True)
    delivery_id: int = Field(foreign_key="delivery.id")
    taken_at: datetime = _instant(null=False)
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
    raw: dict[str, Any] = _json(dict)
    why: dict[str, Any] = _later(dict)
    """By figure that is unknown: ``not-offered``, ``not-yet``, ``refused`` or ``gone``."""
    names: dict[str, Any] = _later(dict)
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
    since: datetime = _instant(null=False)
    """The first refusal after it was last told."""
    noticed_at: datetime = _instant(null=False)
    back_at: datetime | None = _instant()

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
    taken_at: datetime = _instant(null=False)
    source: str
    """``api`` or ``manual``."""
    followers: int | None = None
    why: str = ""
    """Why it is unknown: ``not-yet`` (the platform did not say) or ``refused``."""
    name: str = ""
    """What the platform calls it."""
    api: str = ""
    """The version of its interface."""
    detail: dict[str, Any] = _json(dict)
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
    author: str = _long()
    text: str = _long()
    url: str = _long()
    own: bool
    """The account itself wrote it: an answer, or a first comment."""
    written_at: datetime = _instant(null=False)
    seen_at: datetime = _instant(null=False)
    erased_at: datetime | None = _instant()
    """When who wrote it, what and where was taken out: the only change that the database lets through."""


class CommentCase(Row, table=True):
    """Who takes care of a comment, and how that ended; every step is in the audit."""

    __tablename__ = "comment_case"

    comment_id: int = Field(primary_key=True, foreign_key="comment.id")
    assigned_to: str = ""
    assigned_at: datetime | None = _instant()
    closed_at: datetime | None = _instant()
    closed_by: str = ""
    note: str = _long()


class Credential(Row, table=True):
    """The secrets of an account that a login gave, encrypted (``scheduler.vault``)."""

    account_id: str = Field(primary_key=True)
    sealed: str = _long()
    updated_at: datetime = _instant(null=False)
    expires_at: datetime | None = _instant()
    version: int = 0
    """Counts the times that the secrets were replaced: what was renewed from an older one is too late."""
    renewing_by: str = ""
    """The node that renews them, or last tried to."""
    renewing_until: datetime | None = _instant()
    """Before this no other node begins to."""


class Spending(Row, table=True):
    """What an account may spend, has spent and has reserved in one month: all that a claim reads of it."""

    account_id: str = Field(primary_key=True)
    month: str = Field(primary_key=True)
    """Like "2026-12", in the zone of the configuration."""
    starts_at: datetime = _instant(null=False)
    ends_at: datetime = _instant(null=False)
    currency: str = ""
    budget: Decimal | None = _money(null=True)
    """As the configuration says; NULL for none."""
    allowed: Decimal = _money()
    """What persons allowed beyond it."""
    unlimited: bool = False
    """A person lifted the limit for this month."""
    spent: Decimal = _money()
    comments_spent: Decimal = Field(
        default=Decimal(0), sa_column=Column(Money, nullable=False, server_default="0")
    )
    """The part of it that comments cost that were read."""
    reserved: Decimal = _money()
    """For posts on their way or of unknown outcome."""
    unpriced: int = 0
    """Billed acts whose price nobody knows."""


class ContentPrice(Row, table=True):
    """What publishing a content costs at the prices in force, for accounts with a budget."""

    __tablename__ = "content_price"

    digest: str = Field(primary_key=True, foreign_key="content.digest")
    amount: Decimal | None = _money(null=True)
    """NULL: a price is unknown."""
    prices: str
    """Which prices; a row of others is made anew."""


class Charge(Row, table=True):
    """Billed acts: reserved when an attempt begins, closed with what was really done when it is settled."""

    __table_args__ = (
        _where("closed_at IS NULL", "one_open_charge", "delivery_id", unique=True),
        Index("charges_of", "delivery_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    account_id: str
    month: str
    at: datetime = _instant(null=False)
    closed_at: datetime | None = _instant()
    delivery_id: int | None = Field(default=None, foreign_key="delivery.id")
    """NULL for figures, which are asked for many posts at once."""
    digest: str = ""
    acts: dict[str, int] = _json(dict)
    unpriced: dict[str, int] = _json(dict)
    amount: Decimal = _money()


class Node(Row, table=True):
    """A daemon, and when it was last heard of."""

    name: str = Field(primary_key=True)
    host: str = ""
    pid: int = 0
    place: str = ""
    """Where processes can be told apart by their number: one boot of one machine (or container)."""
    version: str
    started_at: datetime = _instant(null=False)
    seen_at: datetime = _instant(null=False)
    stopped_at: datetime | None = _instant()


class Routine(Row, table=True):
    """Something that is done from time to time by one of the daemons, not by each."""

    name: str = Field(primary_key=True)
    done_at: datetime = _instant(null=False)
    node: str


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a model, for statements on whole sets of rows."""
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found


deliveries = table(Delivery)
contents = table(Content)
attempts = table(Attempt)
answers = table(PlatformAnswer)
approvals = table(Approval)
accounts = table(AccountState)
stops = table(Stop)
window_sets = table(WindowSet)
audit = table(AuditEvent)
statements = table(SignedStatement)
sent_back = table(SentBack)
legal_holds = table(LegalHold)
snapshots = table(Snapshot)
retired_metrics = table(RetiredMetric)
follower_counts = table(FollowerCount)
comments = table(Comment)
comment_cases = table(CommentCase)
versions = table(CampaignVersion)
sealed_credentials = table(Credential)
nodes = table(Node)
routines = table(Routine)
spending = table(Spending)
content_prices = table(ContentPrice)
charges = table(Charge)

guard(audit, append_only("audit_event"))
guard(snapshots, unchanging("snapshot"))
guard(follower_counts, unchanging("follower_count"))
guard(answers, unchanging("platform_answer"))
guard(comments, erasable("comment", *COMMENT_COLUMNS))
guard(SQLModel.metadata, held())
event.listen(SQLModel.metadata, "before_create", _say_conditions)
