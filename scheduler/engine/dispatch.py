"""The dispatcher: one thread that owns the database while workers talk to the platforms.

Each turn settles everything that came back, commits every progress save that was asked for, moves
what is overdue or lost, and claims one due delivery for every free worker, all in one transaction
(DESIGN.md section 7). Calls start only after the commit that recorded them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from scheduler.clock import Clock
from scheduler.engine import settlement
from scheduler.engine.calls import Calls
from scheduler.engine.mailbox import (
    Answered,
    Looked,
    Mailbox,
    MailedProgress,
    Measured,
    Message,
    SaveRequest,
    refuse,
)
from scheduler.engine.retry import Policy
from scheduler.store import dispatching, settling
from scheduler.store.database import Session, Store
from scheduler.store.dispatching import Candidate, Claim

log = logging.getLogger("gaung.dispatch")

#: Posts asked for in one call for figures, at most.
FIGURES_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once, and for how long an attempt may be silent."""

    workers: int
    lease: timedelta
    reach_ages: Sequence[timedelta]


@dataclass(slots=True)
class _Work:
    """What one turn found to do."""

    claims: list[Claim] = field(default_factory=list)
    looks: list[Claim] = field(default_factory=list)
    measures: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class Gate(Protocol):
    """What decides, by rules of the office, whether something may be claimed (``scheduler.governance``)."""

    def prepare(self, store: Store, now: datetime) -> None:
        """Do what takes long, before the transaction."""

    def open(self, session: Session, now: datetime) -> bool:
        """At the beginning of claiming: whether anything may be claimed at all."""

    def refused(self, session: Session, candidates: Sequence[Candidate], now: datetime) -> Collection[int]:
        """Of what is about to be claimed: what may not go out."""


class Dispatcher:
    """Claims, calls and settles. Every method is called from one thread."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        calls: Calls,
        executor: Executor,
        mailbox: Mailbox,
        policy: Policy,
        limits: Limits,
        node: str,
        siblings: Callable[[str], Sequence[str]] = lambda account_id: [account_id],
        gate: Gate | None = None,
    ) -> None:
        """``gate``: asked in every claim; without one the conditions of the database are all."""
        self._gate = gate
        self.replanned = False
        """Set when a delivery that was on its way is planned again: its campaign file may have changed
        meanwhile, and must be looked at before it goes out. Whoever does so takes it back."""
        self.stopping = False
        """Set to claim nothing more; what is in flight still settles."""
        self._store = store
        self._clock = clock
        self._calls = calls
        self._executor = executor
        self._mailbox = mailbox
        self._policy = policy
        self._limits = limits
        self._node = node
        self._siblings = siblings
        self._publishing: dict[int, Claim] = {}
        self._looking: dict[int, Claim] = {}
        self._measuring: set[str] = set()
        self._unsettled: list[Message] = []
        self._renew_at: datetime | None = None

    @property
    def in_flight(self) -> int:
        """Calls that have not been settled yet."""
        return len(self._publishing) + len(self._looking) + len(self._measuring)

    def turn(self, messages: Sequence[Message] = ()) -> datetime | None:
        """Settle ``messages``, claim what is due, start it; return when the next thing is due (UTC).

        If the database cannot be used, the messages are kept for the next turn and the error is raised.
        """
        self._unsettled += messages
        now = self._clock.now()
        saved: list[tuple[SaveRequest, bool]] = []
        if self._gate and not self.stopping:
            self._gate.prepare(self._store, now)
        with self._store.write() as session:
            saved = self._save(session)
            replanned = self._settle(session, now)
            renewed = self._renew(session, now)
            dispatching.lose(session, now)
            dispatching.expire(session, now)
            work = _Work() if self.stopping else self._find_work(session, now)
            next_due = dispatching.next_due(session, now)
        self.replanned |= replanned
        if renewed:
            self._renew_at = now + self._limits.lease / 4
        self._forget(self._unsettled)
        self._unsettled = []
        for request, kept in saved:
            request.done.set_result(kept)
        self._start(work)
        return next_due

    def abandon(self) -> None:
        """The loop ends with an error: let no worker wait for a commit that will not come."""
        refuse(self._unsettled)
        self._mailbox.close()

    def _save(self, session: Session) -> list[tuple[SaveRequest, bool]]:
        return [
            (
                message,
                dispatching.save_progress(
                    session, message.claim.delivery_id, node=self._node, progress=message.progress
                ),
            )
            for message in self._unsettled
            if isinstance(message, SaveRequest)
        ]

    def _settle(self, session: Session, now: datetime) -> bool:
        settle = settlement.Settlement(session, now, self._policy, self._limits.reach_ages, self._siblings)
        settle.pauses([one for one in self._unsettled if isinstance(one, Answered | Looked | Measured)])
        answered = settle.answers([one for one in self._unsettled if isinstance(one, Answered)])
        looked = settle.looks([one for one in self._unsettled if isinstance(one, Looked)])
        settle.figures([one for one in self._unsettled if isinstance(one, Measured)])
        return answered or looked

    def _renew(self, session: Session, now: datetime) -> bool:
        """Renew the leases of what is in flight, four times as often as they would run out."""
        held = [*self._publishing, *self._looking]
        if not held or (self._renew_at is not None and now < self._renew_at):
            return False
        dispatching.renew(session, held, node=self._node, lease_until=now + self._limits.lease)
        return True

    def _find_work(self, session: Session, now: datetime) -> _Work:
        settled = {one.claim.delivery_id for one in self._unsettled if isinstance(one, Answered | Looked)}
        held = {*self._publishing, *self._looking} - settled
        free = self._limits.workers - len(held) - len(self._measuring)
        lease_until = now + self._limits.lease
        work = _Work()
        gate = self._gate
        if gate is None or gate.open(session, now):
            work.claims = dispatching.claim(
                session,
                now=now,
                lease_until=lease_until,
                node=self._node,
                limit=free,
                held=held,
                refuse=None if gate is None else lambda rows: gate.refused(session, rows, now),
            )
        free -= len(work.claims)
        work.looks = dispatching.look(
            session, now=now, lease_until=lease_until, node=self._node, limit=free, held=held
        )
        free -= len(work.looks)
        if free > 0:
            due = settling.reach_due(session, now, free * FIGURES_AT_ONCE)
            chosen = [account for account in due if account not in self._measuring][:free]
            work.measures = {
                account: dict(list(due[account].items())[:FIGURES_AT_ONCE]) for account in chosen
            }
        return work

    def _forget(self, messages: Sequence[Message]) -> None:
        for message in messages:
            match message:
                case Answered(claim):
                    self._publishing.pop(claim.delivery_id, None)
                case Looked(claim):
                    self._looking.pop(claim.delivery_id, None)
                case Measured(account_id):
                    self._measuring.discard(account_id)

    def _start(self, work: _Work) -> None:
        for claim in work.claims:
            log.info(
                "claimed", extra={"action": "claimed", "post": claim.key[:8], "account": claim.account_id}
            )
            self._publishing[claim.delivery_id] = claim
            self._executor.submit(self._publish, claim)
        for claim in work.looks:
            self._looking[claim.delivery_id] = claim
            self._executor.submit(self._look, claim)
        for account_id, asked in work.measures.items():
            self._measuring.add(account_id)
            self._executor.submit(self._measure, account_id, asked)

    # In worker threads from here on: no database.

    def _publish(self, claim: Claim) -> None:
        outcome, pause = self._calls.publish(claim, MailedProgress(claim, self._mailbox))
        self._mailbox.put(Answered(claim, outcome, self._clock.now(), pause))

    def _look(self, claim: Claim) -> None:
        progress = MailedProgress(claim, self._mailbox)
        finding, pause = self._calls.find(claim, progress, claim.last_try_at)
        self._mailbox.put(Looked(claim, finding, self._clock.now(), pause))

    def _measure(self, account_id: str, asked: Mapping[str, int]) -> None:
        figures, pause = self._calls.reach(account_id, list(asked))
        self._mailbox.put(Measured(account_id, asked, figures, self._clock.now(), pause))
