"""What answers mean for the rows: decisions (``retry``) into changes (``store``).

An answer is settled only against the attempt it belongs to. One that comes after its delivery has
moved on is recorded in the audit and forces nothing, except that a post which turns out to be on the
platform is not sent again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from adapters.contract import FIGURES, Finding, Found, RatePause, Reach, Receipt, Unknown
from adapters.errors import AdapterError, Ambiguous, RateLimited
from scheduler.engine.calls import Figures
from scheduler.engine.mailbox import Answered, Looked, Measured
from scheduler.engine.retry import Decision, Outcome, Policy, Rule, after_attempt, after_look, on_platform
from scheduler.states import Event, State, after
from scheduler.store import account_states, settling
from scheduler.store.claiming import Claim
from scheduler.store.database import Session
from scheduler.store.doubles import LATE
from scheduler.store.editions import edition
from scheduler.store.transitions import Change, record

log = logging.getLogger("gaung.settle")

#: When figures that could not be had are asked for again.
ASK_AGAIN = timedelta(minutes=15)


#: Account and remote id of a post -> the delivery that has it as its own; whoever adopts one adds itself.
Owners = dict[tuple[str, str], int]


def next_age(published_at: datetime, now: datetime, ages: Sequence[timedelta]) -> datetime | None:
    """When the next snapshot of a post is due, later than ``now``; None after the last age."""
    return min((published_at + age for age in ages if published_at + age > now), default=None)


@dataclass(frozen=True, slots=True)
class Settlement:
    """Settles answers within one transaction, at one moment (``now``, UTC)."""

    session: Session
    now: datetime
    policy: Policy
    ages: Sequence[timedelta]
    siblings: Callable[[str], Sequence[str]]
    """The accounts that share an app with an account, itself included."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """What holds for an account besides the policy."""

    def pauses(self, messages: Sequence[Answered | Looked | Measured]) -> None:
        """Hold accounts whose platform said, in the headers of its answer, that no more calls remain."""
        for message in messages:
            account = message.account_id if isinstance(message, Measured) else message.claim.account_id
            if message.pause and message.pause.until > self.now:
                log.info("no calls remain", extra={"action": "pause", "account": account})
                self._pause(account, message.pause)

    def answers(self, messages: Sequence[Answered]) -> bool:
        """Settle publishing calls that came back; return whether a campaign must be looked at again."""
        standing = settling.standings(self.session, [message.claim.delivery_id for message in messages])
        owners = self._owners([(one.claim, one.outcome) for one in messages])
        heard = settling.add_answers(
            self.session, {one.claim.attempt_id: (one.at, one.heard) for one in messages if one.heard}
        )
        changes: list[Change] = []
        ends: list[dict[str, Any]] = []
        for message in messages:
            claim, outcome = message.claim, _outcome(message, owners)
            stands = standing[claim.delivery_id]
            if stands.open_attempt == claim.attempt_id:
                decision = after_attempt(outcome, stands.attempts, self.now, self._policy(claim))
                ends.append(_end(message, decision))
                values = self._values(message, decision, message.at, "api")
                values["attempts"] = stands.attempts - (not decision.counts)
                before = State.SENDING
            elif stands.state in _MAY_TURN and isinstance(outcome, Receipt) and outcome.remote_id:
                # Its lease had run out, or it was even planned again, and now the answer came after all.
                decision, before = on_platform(Event.FOUND, outcome), stands.state
                values = self._values(message, decision, message.at, "api")
                values["attempts"] = stands.attempts
            else:
                self._late(message, stands.state, heard.get(claim.attempt_id, {}))
                continue
            changes.append(_change(claim, before, decision, values, heard.get(claim.attempt_id, {})))
            self._follow(claim, decision, owners)
        settling.settle(self.session, changes, now=self.now)
        settling.end_attempts(self.session, ends)
        self._rest(messages, changes)
        return self._outdated(messages, changes)

    def looks(self, messages: Sequence[Looked]) -> bool:
        """Settle looks at the platform that came back; return whether a campaign must be looked at again."""
        standing = settling.standings(self.session, [message.claim.delivery_id for message in messages])
        owners = self._owners([(one.claim, one.finding) for one in messages])
        changes: list[Change] = []
        for message in messages:
            claim, stands = message.claim, standing[message.claim.delivery_id]
            if stands.state is not State.UNSURE:
                continue  # a person, or the late answer itself, was first
            finding = _finding(message, owners)
            decision = after_look(finding, stands.looks + 1, stands.attempts, self.now, self._policy(claim))
            found_at = finding.published_at if isinstance(finding, Found) else None
            values = self._values(message, decision, found_at or claim.last_try_at, "found")
            values["looks"] = stands.looks + decision.counts
            changes.append(_change(claim, State.UNSURE, decision, values))
            self._follow(claim, decision, owners)
        settling.settle(self.session, changes, now=self.now)
        self._rest(messages, changes)
        return self._outdated(messages, changes)

    def figures(self, messages: Sequence[Measured]) -> None:
        """Store figures that came back, or note when to ask again."""
        for message in messages:
            figures, ids = message.figures, list(message.asked.values())
            if isinstance(figures, AdapterError):
                log.warning(
                    "no figures",
                    extra={"action": "reach", "account": message.account_id, "reason": figures.reason},
                )
                again = figures.until if isinstance(figures, RateLimited) else self.now + ASK_AGAIN
                settling.next_measure(self.session, dict.fromkeys(ids, again))
                continue
            published = settling.published(self.session, ids)
            settling.add_snapshots(
                self.session,
                [
                    snapshot(delivery_id, figures, remote_id, message.at)
                    for remote_id, delivery_id in message.asked.items()
                ],
            )
            settling.next_measure(
                self.session, {one: next_age(published[one], self.now, self.ages) for one in published}
            )

    def _late(self, message: Answered, state: State, heard: Mapping[str, Any]) -> None:
        """Record an answer that changes nothing any more."""
        claim, outcome = message.claim, message.outcome
        if settling.settled(self.session, claim.attempt_id):
            return  # by this node itself, in a commit of which it did not hear that it had succeeded
        said = {"state": state.value, "answer": type(outcome).__name__, **heard}
        match outcome:
            case Receipt(remote_id, permalink):
                said |= {"remote_id": remote_id, "permalink": permalink}
            case AdapterError():
                said |= {"reason": outcome.reason}
        log.warning("late answer", extra={"action": "late", "post": claim.key[:8], "state": state.value})
        record(
            self.session,
            LATE,
            actor="daemon",
            at=self.now,
            campaign_id=claim.campaign_id,
            delivery_id=claim.delivery_id,
            digest=claim.digest,
            detail=said,
        )

    def _owners(self, named: Sequence[tuple[Claim, object]]) -> Owners:
        """The deliveries whose posts the answers name."""
        posts = {
            (claim.account_id, answer.remote_id)
            for claim, answer in named
            if isinstance(answer, Receipt | Found)
        }
        return settling.owners(self.session, posts)

    def _outdated(self, messages: Sequence[Answered | Looked], changes: Sequence[Change]) -> bool:
        """Whether a delivery is planned again of which the campaign file may have changed meanwhile."""
        again = {one.delivery_id for one in changes if after(one.before, one.event) is State.PLANNED}
        if not again:
            return False
        in_force = edition(self.session)
        return any(one.claim.delivery_id in again and one.claim.edition != in_force for one in messages)

    def _follow(self, claim: Claim, decision: Decision, owners: Owners) -> None:
        """What a decision means beyond its own row."""
        _log(claim, decision)
        if decision.event in _ON_PLATFORM:
            owners[claim.account_id, decision.remote_id] = claim.delivery_id
        self._account(claim.account_id, decision)

    def _account(self, account_id: str, decision: Decision) -> None:
        if decision.pause_until:
            self._pause(account_id, RatePause(decision.pause_until, decision.app_wide, decision.reason))
        if decision.disable:
            account_states.disable_account(
                self.session, account_id, now=self.now, code=decision.code, reason=decision.reason
            )

    def _policy(self, claim: Claim) -> Policy:
        return self.policy.for_account(self.rules.get(claim.account_id, Rule()))

    def _rest(self, messages: Sequence[Answered | Looked], changes: Sequence[Change]) -> None:
        """After a post its account is quiet for a while, so that nothing bursts after a standstill."""
        claims = {message.claim.delivery_id: message.claim for message in messages}
        until: dict[str, datetime] = {}
        for change in changes:
            claim = claims[change.delivery_id]
            if (published_at := change.values["published_at"]) and not claim.reply_to:
                gap = max(claim.min_gap, self.rules.get(claim.account_id, Rule()).min_gap)
                if published_at + gap > self.now:
                    until[claim.account_id] = published_at + gap
        account_states.rest(self.session, until)

    def _pause(self, account_id: str, pause: RatePause) -> None:
        # A limit of the app holds every account of that app, not only the one that met it.
        for one in self.siblings(account_id) if pause.app_wide else [account_id]:
            account_states.pause_account(self.session, one, pause.until, pause.reason)

    def _values(
        self, message: Answered | Looked, decision: Decision, at: datetime, source: str
    ) -> dict[str, Any]:
        """The columns that a settled delivery gets: the same for all, so that they go in one statement."""
        on_platform = decision.event in _ON_PLATFORM
        # What people say to an answer stands under its post, and its figures are nobody's report.
        followed = on_platform and not message.claim.reply_to
        return {
            **({} if message.noted is None else {"progress": message.noted}),
            "attempts": message.claim.attempts,
            "looks": 0,
            "due_at": decision.due_at or self.now,
            "asks": decision.asks,
            "code": decision.code,
            "reason": decision.reason,
            "node": "",
            "lease_until": None,
            "remote_id": decision.remote_id,
            "permalink": decision.permalink,
            "published_at": at if on_platform else None,
            "source": source if on_platform else "",
            "reach_at": next_age(at, at, self.ages) if followed else None,
            "replies_at": at if followed and decision.remote_id else None,
        }


# A post that another delivery already has as its own is never adopted, whoever names it: the answer of a
# platform that confuses requests says nothing about this one.


def _outcome(message: Answered, owners: Owners) -> Outcome:
    outcome = message.outcome
    if isinstance(outcome, Receipt) and (reason := _others(message.claim, outcome.remote_id, owners)):
        return Ambiguous(reason)
    return outcome


def _finding(message: Looked, owners: Owners) -> Finding | AdapterError:
    finding = message.finding
    if isinstance(finding, Found) and (reason := _others(message.claim, finding.remote_id, owners)):
        return Unknown(reason)
    return finding


def _others(claim: Claim, remote_id: str, owners: Owners) -> str:
    owner = owners.get((claim.account_id, remote_id), claim.delivery_id)
    return "" if owner == claim.delivery_id else f"the post {remote_id} belongs to another delivery"


_ON_PLATFORM = frozenset({Event.ACCEPTED, Event.FOUND})
#: What somebody who watches the log should see.
_TROUBLE = frozenset(
    {Event.LOST, Event.UNDECIDED, Event.REJECTED, Event.EXHAUSTED, Event.ACCOUNT_REFUSED, Event.STOPPED}
)
#: States in which a delivery whose lease ran out can still be kept from being sent twice.
_MAY_TURN = frozenset({State.UNSURE, State.PLANNED})


def snapshot(delivery_id: int, figures: Figures, remote_id: str, at: datetime) -> Mapping[str, Any]:
    """The row of a snapshot, from what the platform answered."""
    row = entered(delivery_id, figures.posts[remote_id], at, "api")
    return {**row, "names": dict(figures.names), "api": figures.api}


def entered(delivery_id: int, reach: Reach, at: datetime, source: str) -> dict[str, Any]:
    """The row of a snapshot whose figures have no names but ours, since no interface told them."""
    return {
        "delivery_id": delivery_id,
        "taken_at": at,
        "source": source,
        **{name: getattr(reach, name) for name in FIGURES},
        "raw": dict(reach.raw),
        "why": dict(reach.why),
        "names": {},
        "api": "",
    }


def _log(claim: Claim, decision: Decision) -> None:
    facts = {
        "action": decision.event.value,
        "post": claim.key[:8],
        "account": claim.account_id,
        "reason": decision.reason,
        "url": decision.permalink,
    }
    level = logging.WARNING if decision.event in _TROUBLE else logging.INFO
    log.log(level, decision.event.value, extra={key: value for key, value in facts.items() if value})


def _change(
    claim: Claim,
    before: State,
    decision: Decision,
    values: Mapping[str, Any],
    heard: Mapping[str, Any] | None = None,
) -> Change:
    said = {"code": decision.code, "reason": decision.reason, "remote_id": decision.remote_id}
    return Change(
        claim.delivery_id,
        before,
        decision.event,
        claim.campaign_id,
        claim.digest,
        values,
        {name: value for name, value in said.items() if value} | dict(heard or {}),
    )


def _end(message: Answered, decision: Decision) -> dict[str, Any]:
    return {
        "attempt_id": message.claim.attempt_id,
        "at": message.at,
        "outcome": decision.event,
        "code": decision.code,
        "reason": decision.reason,
        "remote_id": decision.remote_id,
    }
