"""What the dispatcher asks last before a claim: whoever decides it knows the rules of the office.

The rules themselves are in ``scheduler.governance.gate``; what the database alone can tell keeps a post
back in ``scheduler.store.conditions``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from scheduler.store.claiming import Candidate
from scheduler.store.database import Session, Store


class Gate(Protocol):
    """What decides, by rules of the office, whether something may be claimed (``scheduler.governance``)."""

    def prepare(self, store: Store, now: datetime) -> None:
        """Do what takes long, before the transaction."""

    def open(self, session: Session, now: datetime) -> bool:
        """At the beginning of claiming: whether anything may be claimed at all."""

    def refused(self, session: Session, candidates: Sequence[Candidate], now: datetime) -> Collection[int]:
        """Of what is about to be claimed: what may not go out."""


class AlwaysOpen:
    """No rules but those of the database."""

    def prepare(self, store: Store, now: datetime) -> None:
        pass

    def open(self, session: Session, now: datetime) -> bool:  # noqa: ARG002
        return True

    def refused(
        self,
        session: Session,  # noqa: ARG002
        candidates: Sequence[Candidate],  # noqa: ARG002
        now: datetime,  # noqa: ARG002
    ) -> Collection[int]:
        return ()
