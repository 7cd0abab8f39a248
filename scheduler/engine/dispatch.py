"""The dispatcher: one thread that owns the database while workers talk to the platforms.

Each turn settles everything that came back, commits every progress save that was asked for, moves
what is overdue or lost, and claims one due delivery for every free worker, all in one transaction
(DESIGN.md section 7). Calls start only after the commit that recorded them. While answers come in by
the hundred, most turns are brief: they write down what came out well and claim what follows; as long
as that leaves no worker free, the rest (what is overdue, lost, uncertain, or to be measured) waits a second.
While answers come fast, a few posts are claimed ahead of the workers (``ahead``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.contract import Receipt
from adapters.errors import AdapterError
from scheduler.engine import settlement
from scheduler.engine.ahead import Ahead
from scheduler.engine.gate import AlwaysOpen, Gate
from scheduler.engine.leases import Leases
from scheduler.engine.mailbox import Answered, Looked, Measured, Message, SaveRequest, Unbegun, refuse
from scheduler.engine.means import Means
from scheduler.engine.retry import Policy, Rule
from scheduler.engine.workers import Workers
from scheduler.errors import ContentionError, StoreError
from scheduler.store import claiming, due, leases, looking, remembering, settling, stopping, windowing
from scheduler.store.claiming import Claim
from scheduler.store.database import Session
from scheduler.store.leases import Lease
from scheduler.store.remembering import Saved
from scheduler.store.transitions import StaleStateError

log = logging.getLogger("gaung.dispatch")

#: Posts asked for in one call for figures, at most.
FIGURES_AT_ONCE = 50
#: How often a turn is made that met another daemon's, before it counts as a database out of reach.
TRIES = 4

#: Seconds for which brief turns may follow each other.
LOOK_AROUND = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once, and for how long an attempt may be silent."""

    workers: int
    lease: timedelta
    reach_ages: Sequence[timedelta]
    ahead: float = 0.0
    """Posts are claimed for workers that come free in so many seconds."""


@dataclass(frozen=True, slots=True)
class Terms:
    """By what rules a dispatcher claims and settles."""

    policy: Policy
    limits: Limits
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """What holds for an account besides the policy for all."""
    siblings: Callable[[str], Sequence[str]] = lambda account_id: [account_id]
    """The accounts that share an app with an account, itself included."""
    ended: Callable[[Lease], bool] = lambda _lease: False
    """Whether the process that holds a lease is known to be no more."""
    gate: Gate = field(default_factory=AlwaysOpen)
    """Asked in every claim; without one the conditions of the database are all."""


@dataclass(slots=True)
class _Work:
    """What one turn found to do."""

    held: set[int] = field(default_factory=set)
    """Deliveries of which a call is running here."""
    free: int = 0
    """Workers without work; below zero, so many posts wait for one."""
    claims: list[Claim] = field(default_factory=list)
    looks: list[Claim] = field(default_factory=list)
    measures: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment), default=None)


class Dispatcher:
    """Claims, calls and settles. Every method is called from one thread."""

    def __init__(self, means: Means, terms: Terms) -> None:
        self._means = means
        self._store, self._clock, self._treasury = means.store, means.clock, means.treasury
        self._terms, self._gate = terms, terms.gate
        self.replanned = False
        """Set when a delivery that was on its way is planned again and something was applied meanwhile: its
        campaign must be looked at before it goes out. Whoever does so takes it back."""
        self.behind = False
        """More is too late than one turn puts away."""
        self.stopping = False
        """Set to claim nothing more; what is in flight still settles."""
        self._publishing: dict[int, Claim] = {}
        self._looking: dict[int, Claim] = {}
        self._measuring: set[str] = set()
        self._unsettled: list[Message] = []
        self._leases = Leases(terms.limits.lease, means.clock.steady, terms.ended)
        self._ahead = Ahead(terms.limits.workers, terms.limits.ahead, means.clock.steady)
        self._work = self._workers(means)
        self._clock_ahead = timedelta(0)
        """How far the database's clock is ahead of this machine's."""
        self._doubtful = False
        self._given_up: set[int] = set()
        """Deliveries whose claims were taken back before any call was made, until that is committed."""
        self._looked_at: float | None = None
        self._next_due: datetime | None = None

    def _workers(self, means: Means) -> Workers:
        return Workers(means.calls, means.mailbox, self._time, self._clock.steady, self._holds)

    def _holds(self, delivery_id: int) -> bool:
        return self._leases.holds(delivery_id)

    @property
    def in_flight(self) -> int:
        """Calls that have not been settled yet."""
        return len(self._publishing) + len(self._looking) + len(self._measuring) + len(self._given_up)

    @property
    def suspects(self) -> bool:
        """Whether an attempt of another node looks lost, but must be watched a little longer."""
        return self._leases.suspects

    def turn(self, messages: Sequence[Message] = ()) -> datetime | None:
        """Settle ``messages``, claim what is due, start it; return when the next thing is due (UTC).

        If the database cannot be used, the messages are kept for the next turn and the error is raised.
        """
        self._unsettled += [one for one in messages if not isinstance(one, Unbegun)]
        self._ahead.came(sum(isinstance(one, Answered) for one in messages))
        self._give_up([one.claim.delivery_id for one in messages if isinstance(one, Unbegun)])
        self._give_up(self._ahead.recall(everything=self.stopping))
        for _ in range(TRIES - 1):
            with suppress(ContentionError, StaleStateError):  # all of it was rolled back
                return self._turn()
        return self._turn()

    def _turn(self) -> datetime | None:
        machine, begun = self._clock.now(), self._clock.steady()
        brief = self._can_be_brief(machine, begun)
        saved: list[tuple[SaveRequest, Saved]] = []
        self._gate.prepare(self._store, machine + self._clock_ahead)
        try:
            with self._store.write() as session:
                now = self._store.moment(session, machine)
                if not brief:
                    stopping.end_expired(session, now)
                saved = self._save(session, now)
                replanned = self._settle(session, now)
                if self._doubtful or self._given_up:
                    # Of what has its answer no call runs; if it is on its way, nobody heard of that claim.
                    answered = [one for one in self._unsettled if isinstance(one, Answered)]
                    held = self._publishing.keys() - {one.claim.delivery_id for one in answered}
                    replanned |= leases.release(session, now, self._means.node, held) > 0
                renewed = self._renew(session, now)
                self._treasury.settle(session, now, [one.delivery_id for one in self._settled()])
                self._treasury.prepare(session, now)
                if not brief:
                    self._move_overdue(session, now)
                work = self._claim(session, now)
                if brief and work.free > 0:
                    brief = False
                    self._move_overdue(session, now)
                if not brief:
                    self._find_more(session, now, work)
                    next_due = _earliest(
                        now if self.behind else due.next_due(session, now),
                        stopping.next_end(session, now),
                        windowing.next_change(session, now),
                    )
        except StoreError:
            self.behind = False  # as far as is known; the next turn looks again
            self._doubtful = True  # perhaps all of it was committed, and only the word of it got lost
            self._give_up(self._ahead.recall(everything=True))  # what holds now nobody knows
            raise
        self._doubtful = False
        self._given_up.clear()
        self._clock_ahead = now - machine
        if not brief:
            self._looked_at, self._next_due = begun, next_due - self._clock_ahead if next_due else None
        self.replanned |= replanned
        if renewed is not None:
            self._leases.renewed(renewed, begun)
        self._forget(self._unsettled)
        self._unsettled = []
        for request, kept in saved:
            request.done.set_result(kept)
        self._leases.taken([claim.delivery_id for claim in work.claims], begun)
        self._start(work)
        return self._next_due

    def _can_be_brief(self, now: datetime, steady: float) -> bool:
        """Whether there are only saves and published posts to write down, and nothing else is due.

        When the next thing is due is known from the last turn that looked: other processes may have
        brought something sooner since, which a tick notices.
        """
        if self._doubtful or self._given_up or self._looked_at is None:
            return False
        is_due = self._next_due is not None and now >= self._next_due
        if is_due or steady - self._looked_at >= LOOK_AROUND:
            return False
        return bool(self._unsettled) and all(
            isinstance(one, SaveRequest)
            or (isinstance(one, Answered) and isinstance(one.outcome, Receipt) and not one.pause)
            for one in self._unsettled
        )

    @property
    def waiting(self) -> int:
        """Posts that are claimed and wait for a worker."""
        return len(self._ahead)

    def _give_up(self, delivery_ids: Iterable[int]) -> None:
        """Claims that no worker has begun: the next commit plans them again."""
        for delivery_id in delivery_ids:
            claim = self._publishing.pop(delivery_id)
            self._leases.given_back(delivery_id)
            self._given_up.add(delivery_id)
            facts = {"action": "given_up", "post": claim.key[:8], "account": claim.account_id}
            log.info("given up", extra=facts)

    def abandon(self) -> None:
        """The loop ends with an error: let no worker wait for a commit that will not come."""
        refuse(self._unsettled)
        self._means.mailbox.close()

    def _save(self, session: Session, now: datetime) -> list[tuple[SaveRequest, Saved]]:
        requests = [one for one in self._unsettled if isinstance(one, SaveRequest)]
        told = remembering.save_progress(
            session,
            {one.claim.delivery_id: one.progress for one in requests},
            now=now,
            node=self._means.node,
        )
        return [(one, told[one.claim.delivery_id]) for one in requests]

    def _settle(self, session: Session, now: datetime) -> bool:
        terms = self._terms
        settle = settlement.Settlement(
            session, now, terms.policy, terms.limits.reach_ages, terms.siblings, terms.rules
        )
        settle.pauses([one for one in self._unsettled if isinstance(one, Answered | Looked | Measured)])
        answered = settle.answers([one for one in self._unsettled if isinstance(one, Answered)])
        looked = settle.looks([one for one in self._unsettled if isinstance(one, Looked)])
        measured = [one for one in self._unsettled if isinstance(one, Measured)]
        for one in measured:
            if not isinstance(one.figures, AdapterError):
                self._treasury.read(session, one.account_id, list(one.asked.values()), one.at)
        settle.figures(measured)
        return answered or looked

    def _settled(self) -> list[Claim]:
        """What this turn has an answer for."""
        return [one.claim for one in self._unsettled if isinstance(one, Answered | Looked)]

    def _renew(self, session: Session, now: datetime) -> list[int] | None:
        """Renew the leases of what is in flight, several times before they would run out.

        Return what this node still holds; None if it is not yet time.
        """
        held = [*self._publishing, *self._looking]
        if not held or not self._leases.must_renew():
            return None
        return leases.renew(session, held, node=self._means.node, lease_until=now + self._terms.limits.lease)

    def _move_overdue(self, session: Session, now: datetime) -> None:
        """Put away what is too late, and make uncertain what others have begun and will not end."""
        if self._leases.must_look():
            ended, silent = self._leases.look(leases.under_way(session, list(self._publishing)), now)
            lost = leases.lose(session, now, ended, ended=True, look_after=self._first_look)
            lost += leases.lose(session, now, silent, ended=False)
            if lost:
                log.warning("attempts of others lost", extra={"action": "attempts_lost", "count": lost})
        self.behind = due.expire(session, now)

    def _first_look(self, account_id: str) -> timedelta:
        return self._terms.policy.for_account(self._terms.rules.get(account_id, Rule())).look_after[0]

    def _claim(self, session: Session, now: datetime) -> _Work:
        """A post for every free worker, as far as there are any, and for those who will be free soon."""
        if self.stopping:
            return _Work()
        settled = {one.delivery_id for one in self._settled()}
        held = {*self._publishing, *self._looking} - settled
        free = self._terms.limits.workers - len(held) - len(self._measuring)
        wanted = free + self._ahead.wanted()
        lease_until = now + self._terms.limits.lease
        if wanted > 0 and not self._gate.open(session, now):
            return _Work(held, free)
        claims = claiming.claim(
            session,
            now=now,
            lease_until=lease_until,
            node=self._means.node,
            limit=wanted,
            held=held,
            refuse=lambda rows: self._gate.refused(session, rows, now),
            passing=tuple(name for name, rule in self._terms.rules.items() if rule.pass_unsure),
        )
        self._treasury.reserve(session, claims, now)
        return _Work(held, free - len(claims), claims)

    def _find_more(self, session: Session, now: datetime, work: _Work) -> None:
        """Give the workers that no post needs something else to do.

        One look is under way in any case, however much is due: an account waits for what it finds.
        """
        if self.stopping:
            return
        work.looks = looking.look(
            session,
            now=now,
            lease_until=now + self._terms.limits.lease,
            node=self._means.node,
            limit=max(work.free, 0 if self._looking else 1),
            held=work.held,
        )
        work.free -= min(len(work.looks), max(work.free, 0))
        if work.free > 0:
            due = settling.reach_due(session, now, work.free * FIGURES_AT_ONCE)
            chosen = [account for account in due if account not in self._measuring][: work.free]
            work.measures = {
                account: dict(list(due[account].items())[:FIGURES_AT_ONCE]) for account in chosen
            }
            ids = [one for posts in work.measures.values() for one in posts.values()]
            settling.asked(session, ids, now + settlement.ASK_AGAIN)

    def _forget(self, messages: Sequence[Message]) -> None:
        for message in messages:
            match message:
                case Answered(claim):
                    self._publishing.pop(claim.delivery_id, None)
                    self._leases.given_back(claim.delivery_id)
                case Looked(claim):
                    self._looking.pop(claim.delivery_id, None)
                case Measured(account_id):
                    self._measuring.discard(account_id)

    def _start(self, work: _Work) -> None:
        at_once = len(work.claims) + min(work.free, 0)
        for number, claim in enumerate(work.claims):
            log.info(
                "claimed", extra={"action": "claimed", "post": claim.key[:8], "account": claim.account_id}
            )
            self._publishing[claim.delivery_id] = claim
            if number < at_once:
                self._means.executor.submit(self._work.publish, claim)
            else:
                call = self._means.executor.submit(self._work.publish, claim, self._clock.steady())
                self._ahead.lined_up(claim.delivery_id, call)
        for claim in work.looks:
            self._looking[claim.delivery_id] = claim
            self._means.executor.submit(self._work.look, claim)
        for account_id, asked in work.measures.items():
            self._measuring.add(account_id)
            self._means.executor.submit(self._work.measure, account_id, asked)

    def _time(self) -> datetime:
        """The time by the database's clock, as far as this machine knows it."""
        return self._clock.now() + self._clock_ahead
