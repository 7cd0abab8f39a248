"""Who allowed what, and who forbade it: approvals, signed statements, stops, windows, holds, the audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, String, true
from sqlmodel import Field

from scheduler.store.guards import append_only, guard
from scheduler.store.tables.columns import Row, instant, long_text, partial_index, stored, table


class Approval(Row, table=True):
    """Somebody's recorded yes to one content digest in one campaign.

    Where a campaign has several stages, each is a row; the one that ends them is ``complete``.
    """

    __table_args__ = (
        Index("approvals_of", "campaign_id", "digest"),
        partial_index("void_at IS NULL AND expires_at IS NOT NULL", "approvals_ending", "expires_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: str
    digest: str = Field(foreign_key="content.digest")
    approver: str
    os_user: str
    approved_at: datetime = instant(null=False)
    void_at: datetime | None = instant()
    stage: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default="1"))
    role: str = Field(default="approver", sa_column=Column(String, nullable=False, server_default="approver"))
    """The role in which it was given."""
    complete: bool = Field(default=True, sa_column=Column(Boolean, nullable=False, server_default=true()))
    """With this one, the content is approved."""
    expires_at: datetime | None = instant()
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
    document: str = long_text()
    signature: str = long_text()
    signer: str
    stored_at: datetime = instant(null=False)


class SentBack(Row, table=True):
    """A content that somebody sent back to its drafter; it is over when it was approved after all."""

    __tablename__ = "sent_back"
    __table_args__ = (partial_index("over_at IS NULL", "sent_back_of", "campaign_id", "digest"),)

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: str
    digest: str = Field(foreign_key="content.digest")
    message_id: str
    sent_by: str
    sent_at: datetime = instant(null=False)
    reason: str = long_text()
    over_at: datetime | None = instant()


class LegalHold(Row, table=True):
    """An order to keep everything of a campaign: while it lasts, the database refuses to delete it."""

    __tablename__ = "legal_hold"

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: str
    reason: str = long_text()
    letter: str = ""
    placed_by: str
    placed_at: datetime = instant(null=False)
    lifted_by: str = ""
    lifted_at: datetime | None = instant()


class Stop(Row, table=True):
    """An order that nothing in its scope goes out; in force until it is lifted, by a person or at its end."""

    __table_args__ = (partial_index("lifted_at IS NULL", "stops_in_force", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    scope: str
    """``everything``, ``agency``, ``campaign``, ``platform`` or ``account``."""
    target: str = ""
    """Whose name it is; empty for everything."""
    reason: str = long_text()
    letter: str = ""
    """Number of the letter that orders it."""
    but_urgent: bool = False
    """Messages of class urgent go out all the same."""
    fresh_approval: bool = False
    """What came due meanwhile needs a new approval."""
    declared_at: datetime = instant(null=False)
    declared_by: str
    until: datetime | None = instant()
    lifted_at: datetime | None = instant()
    lifted_by: str = ""


class WindowSet(Row, table=True):
    """The windows as they were applied: every set is kept, the newest is in force."""

    __tablename__ = "window_set"

    id: int | None = Field(default=None, primary_key=True)
    definition: str = long_text()
    applied_at: datetime = instant(null=False)
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
    at: datetime = instant(null=False)
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
    detail: dict[str, Any] = stored(dict)
    previous: str
    """The hash of the row before."""
    hash: str


approvals = table(Approval)
statements = table(SignedStatement)
sent_back = table(SentBack)
legal_holds = table(LegalHold)
stops = table(Stop)
window_sets = table(WindowSet)
audit = table(AuditEvent)

guard(audit, append_only("audit_event"))
