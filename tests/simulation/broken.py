"""Deliberately broken variants of the engine, one for each rule that the rest leans on.

Each is the real thing with one rule taken out, by subclassing; the proof must notice every one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from simulation.node import Variant
from sqlalchemy import select, update

from adapters.contract import Progress, Receipt
from adapters.errors import Ambiguous, Transient
from scheduler.engine.calls import Calls, Published
from scheduler.engine.dispatch import Dispatcher, Terms
from scheduler.engine.leases import Leases
from scheduler.engine.mailbox import Answered, MailedProgress, Message
from scheduler.engine.means import Means
from scheduler.engine.workers import Workers
from scheduler.states import State
from scheduler.store import conditions, holding, present
from scheduler.store.claiming import Claim
from scheduler.store.database import Session
from scheduler.store.holding import Holds
from scheduler.store.leases import Lease
from scheduler.store.tables import accounts, attempts, deliveries, spending


class _SettlesFirst(Workers):
    def publish(self, claim: Claim, since: float | None = None) -> None:
        self.mailbox.put(Answered(claim, Receipt(f"expected-{claim.key}"), self.time()))
        self.calls.publish(claim, MailedProgress(claim, self.mailbox))


class SettlesFirst(Dispatcher):
    """Notes a post as sent before the platform was called."""

    def _workers(self, means: Means) -> Workers:
        return _SettlesFirst(means.calls, means.mailbox, self._time, self._clock.steady, self._holds)


class RetriesAmbiguous(Calls):
    """Takes an answer that says nothing for a refusal."""

    def publish(self, claim: Claim, progress: Progress, held: Callable[[], bool] = lambda: True) -> Published:
        told = super().publish(claim, progress, held)
        return told._replace(answer=Transient("again")) if isinstance(told[0], Ambiguous) else told


class _NoLeases(Leases):
    """What another node has begun is anybody's; and nobody ever asks whether an attempt is still theirs."""

    def holds(self, delivery_id: int) -> bool:
        return True

    def must_look(self) -> bool:
        return True

    def look(self, leases: Sequence[Lease], now: datetime) -> tuple[list[Lease], list[Lease]]:
        return list(leases), []


class HasNoLease(Dispatcher):
    """Knows no leases."""

    def __init__(self, means: Means, terms: Terms) -> None:
        super().__init__(means, terms)
        self._leases = _NoLeases(timedelta(minutes=2), self._clock.steady, lambda _lease: True)


class ClaimsBlindly(Dispatcher):
    """Claims what it saw waiting a turn ago, without asking whether it still waits."""

    def __init__(self, means: Means, terms: Terms) -> None:
        super().__init__(means, terms)
        self._seen: Collection[int] = ()

    def _claim(self, session: Session, now: datetime) -> Any:
        ids = [one for one in self._seen if one not in self._publishing]
        session.execute(
            update(attempts)
            .where(attempts.c.delivery_id.in_(ids), attempts.c.finished_at.is_(None))
            .values(finished_at=now)
        )
        session.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(state=State.PLANNED))
        work = super()._claim(session, now)
        soon = now + timedelta(minutes=5)
        self._seen = list(
            session.execute(
                select(deliveries.c.id).where(
                    conditions.in_state(State.PLANNED), deliveries.c.planned_at <= soon
                )
            ).scalars()
        )
        return work


class ReadsStopsEarly(Dispatcher):
    """Reads the stops when its turn ends, for the claims of the next one."""

    def __init__(self, means: Means, terms: Terms) -> None:
        super().__init__(means, terms)
        self._known: Holds = ()

    def turn(self, messages: Sequence[Message] = ()) -> datetime | None:
        next_due = super().turn(messages)
        with self._store.read() as session:
            self._known = present.stopped(session)
        return next_due

    def _claim(self, session: Session, now: datetime) -> Any:
        session.info[holding.HOLDS] = self._known
        return super()._claim(session, now)


class AsksNoWindows(Dispatcher):
    """Knows the stops, but not the windows."""

    def _claim(self, session: Session, now: datetime) -> Any:
        session.info[holding.HOLDS] = present.stopped(session)
        return super()._claim(session, now)


class KeepsNoDistance(Dispatcher):
    """Lets no account rest after a post."""

    def _settle(self, session: Session, now: datetime) -> bool:
        replanned = super()._settle(session, now)
        session.execute(update(accounts).values(resting_until=None))
        return replanned


class AsksNoBudget(Dispatcher):
    """Keeps account of what is spent, and claims all the same."""

    def _claim(self, session: Session, now: datetime) -> Any:
        session.execute(update(spending).values(unlimited=True))
        return super()._claim(session, now)


BROKEN: Mapping[str, Variant] = {
    "settle before the call": Variant(dispatcher=SettlesFirst),
    "retry on ambiguous": Variant(calls=RetriesAmbiguous),
    "no lease": Variant(dispatcher=HasNoLease),
    "claim without compare-and-set": Variant(dispatcher=ClaimsBlindly),
    "stop read before the transaction": Variant(dispatcher=ReadsStopsEarly),
    "windows not asked": Variant(dispatcher=AsksNoWindows),
    "no distance": Variant(dispatcher=KeepsNoDistance),
    "budget not asked": Variant(dispatcher=AsksNoBudget),
    "no gate": Variant(gate=False),
}
