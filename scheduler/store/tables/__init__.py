"""The tables, by what they are about. Migrations make what stands here; a test compares the two."""

from __future__ import annotations

from sqlalchemy import event
from sqlmodel import SQLModel

from scheduler.store.guards import guard, held
from scheduler.store.tables.columns import Money, UtcDateTime, say_conditions, table
from scheduler.store.tables.consent import (
    Approval,
    AuditEvent,
    LegalHold,
    SentBack,
    SignedStatement,
    Stop,
    WindowSet,
    approvals,
    audit,
    legal_holds,
    sent_back,
    statements,
    stops,
    window_sets,
)
from scheduler.store.tables.costs import Charge, ContentPrice, Spending, charges, content_prices, spending
from scheduler.store.tables.echo import (
    Comment,
    CommentCase,
    FollowerCount,
    RetiredMetric,
    Snapshot,
    comment_cases,
    comments,
    follower_counts,
    retired_metrics,
    snapshots,
)
from scheduler.store.tables.machinery import Credential, Node, Routine, nodes, routines, sealed_credentials
from scheduler.store.tables.posts import (
    AccountState,
    Attempt,
    CampaignVersion,
    Content,
    Delivery,
    PlatformAnswer,
    accounts,
    answers,
    attempts,
    contents,
    deliveries,
    versions,
)

__all__ = [
    "AccountState",
    "Approval",
    "Attempt",
    "AuditEvent",
    "CampaignVersion",
    "Charge",
    "Comment",
    "CommentCase",
    "Content",
    "ContentPrice",
    "Credential",
    "Delivery",
    "FollowerCount",
    "LegalHold",
    "Money",
    "Node",
    "PlatformAnswer",
    "RetiredMetric",
    "Routine",
    "SentBack",
    "SignedStatement",
    "Snapshot",
    "Spending",
    "Stop",
    "UtcDateTime",
    "WindowSet",
    "accounts",
    "answers",
    "approvals",
    "attempts",
    "audit",
    "charges",
    "comment_cases",
    "comments",
    "content_prices",
    "contents",
    "deliveries",
    "follower_counts",
    "legal_holds",
    "nodes",
    "retired_metrics",
    "routines",
    "sealed_credentials",
    "sent_back",
    "snapshots",
    "spending",
    "statements",
    "stops",
    "table",
    "versions",
    "window_sets",
]

guard(SQLModel.metadata, held())  # made last: it is about several of them
event.listen(SQLModel.metadata, "before_create", say_conditions)
