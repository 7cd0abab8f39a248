"""What the daemons keep for themselves: logins, who of them lives, whose turn it is."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from scheduler.store.tables.columns import Row, instant, long_text, table


class Credential(Row, table=True):
    """The secrets of an account that a login gave, encrypted (``scheduler.vault``)."""

    account_id: str = Field(primary_key=True)
    sealed: str = long_text()
    updated_at: datetime = instant(null=False)
    expires_at: datetime | None = instant()
    version: int = 0
    """Counts the times that the secrets were replaced: what was renewed from an older one is too late."""
    renewing_by: str = ""
    """The node that renews them, or last tried to."""
    renewing_until: datetime | None = instant()
    """Before this no other node begins to."""


class Node(Row, table=True):
    """A daemon, and when it was last heard of."""

    name: str = Field(primary_key=True)
    host: str = ""
    pid: int = 0
    place: str = ""
    """Where processes can be told apart by their number: one boot of one machine (or container)."""
    version: str
    started_at: datetime = instant(null=False)
    seen_at: datetime = instant(null=False)
    stopped_at: datetime | None = instant()


class Routine(Row, table=True):
    """Something that is done from time to time by one of the daemons, not by each."""

    name: str = Field(primary_key=True)
    done_at: datetime = instant(null=False)
    node: str


sealed_credentials = table(Credential)
nodes = table(Node)
routines = table(Routine)
