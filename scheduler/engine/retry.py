"""What follows from a platform's answer: a pure decision, answer in, event out.

No database and no clock here. The rule that everything else rests on: only what certainly was not
accepted is tried again; everything doubtful is looked for first (DESIGN.md sections 4 and 5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from adapters.contract import Absent, Finding, Found, Handed, Receipt, Unknown
from adapters.errors import (
    AccountHeld,
    AdapterError,
    Ambiguous,
    AuthExpired,
    Duplicate,
    NotReady,
    RateLimited,
    Rejected,
    Stopped,
    Transient,
)
from scheduler.states import Event

Outcome = Receipt | Handed | AdapterError

#: As after so many failures is looked again at what a person has to mend: two minutes by default.
WAITING = 3


@dataclass(frozen=True, slots=True)
class Policy:
    """How often and how soon. ``jitter`` returns a number in [0, 1)."""

    attempts: int
    retry_after: timedelta
    retry_at_most: timedelta
    look_after: tuple[timedelta, ...]
    jitter: Callable[[], float]

    def pause(self, tries: int) -> timedelta:
        """The pause after ``tries`` failed attempts: doubling, bounded, spread by half either way."""
        doubled = self.retry_after * (1 << min(tries - 1, 20))
        return min(doubled, self.retry_at_most) * (0.5 + self.jitter())

    def for_account(self, rule: Rule) -> Policy:
        """The policy for an account that has a rule of its own."""
        return replace(self, look_after=rule.look_after) if rule.look_after else self


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for one account."""

    look_after: tuple[timedelta, ...] = ()
    """When an uncertain post is looked for; empty: as for all accounts."""
    min_gap: timedelta = timedelta(0)
    """After a post the account sends nothing for so long, whatever the campaign says."""
    pass_unsure: bool = False
    """Later posts may go out while the outcome of one is unknown."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The event that an answer means, and what goes with it."""

    event: Event
    due_at: datetime | None = None
    """When the next step is due."""
    pause_until: datetime | None = None
    """The account sends nothing before this."""
    app_wide: bool = False
    """The pause counts for every account of the same app."""
    disable: bool = False
    """The account sends nothing until a person has checked it."""
    counts: bool = True
    """Whether it uses up one of the attempts (or looks)."""
    asks: bool = False
    """A person must decide."""
    code: str = ""
    reason: str = ""
    remote_id: str = ""
    permalink: str = ""


def after_attempt(outcome: Outcome, tries: int, now: datetime, policy: Policy) -> Decision:
    """Given the answer to attempt number ``tries``, return what follows."""
    match outcome:
        case Receipt(remote_id="") | Receipt(remote_id=None):
            # No id, no "sent": success is never inferred from the absence of an error.
            return _lost(now, policy, "ambiguous", "no id in the answer")
        case Receipt():
            return on_platform(Event.ACCEPTED, outcome)
        case Handed(place):
            return Decision(Event.HANDED_OVER, asks=True, code="handed", reason=place)
        case RateLimited():
            return Decision(
                Event.RATE_LIMITED,
                due_at=now,
                pause_until=_not_at_once(outcome.until, now, policy),
                app_wide=outcome.app_wide,
                counts=False,
                code=outcome.kind,
                reason=outcome.reason,
            )
        case AuthExpired() | AccountHeld():
            return Decision(
                Event.ACCOUNT_REFUSED,
                due_at=now,
                disable=True,
                counts=False,
                code=outcome.kind,
                reason=outcome.reason,
            )
        case Rejected() | Stopped():
            stopped = isinstance(outcome, Stopped)
            event = (Event.REJECTED, Event.STOPPED)[stopped]
            out = (outcome.remote_id, outcome.permalink) if isinstance(outcome, Stopped) else ("", "")
            return Decision(
                event,
                counts=not stopped,
                code=outcome.kind,
                reason=outcome.reason,
                remote_id=out[0],
                permalink=out[1],
            )
        case Transient():
            return _again(outcome, tries, now, policy)
        case Duplicate() | Ambiguous() | AdapterError():
            return _lost(now, policy, outcome.kind, outcome.reason)


def _again(error: Transient, tries: int, now: datetime, policy: Policy) -> Decision:
    """What follows on a failure that may be over later."""
    if isinstance(error, NotReady):
        # Only its time may pass, as that of any post: a web server that is down spends no attempts.
        due_at = now + policy.pause(WAITING)
        return Decision(Event.POSTPONED, due_at=due_at, counts=False, code=error.kind, reason=error.reason)
    if tries >= policy.attempts:
        return Decision(Event.EXHAUSTED, code=error.kind, reason=error.reason)
    return Decision(Event.POSTPONED, due_at=now + policy.pause(tries), code=error.kind, reason=error.reason)


def on_platform(event: Event, answer: Receipt | Found) -> Decision:
    """It is out, be it with something missing that the platform refused for good."""
    return Decision(
        event,
        code="incomplete" if answer.shortfall else "",
        reason=answer.shortfall,
        remote_id=answer.remote_id,
        permalink=answer.permalink,
    )


def _not_at_once(until: datetime, now: datetime, policy: Policy) -> datetime:
    """Since a rate limit uses up no attempt, one that is already over must not become an endless loop."""
    return max(until, now + policy.retry_after)


def _lost(now: datetime, policy: Policy, code: str, reason: str) -> Decision:
    return Decision(Event.LOST, due_at=now + policy.look_after[0], code=code, reason=reason)


def after_look(
    finding: Finding | AdapterError, looks: int, tries: int, now: datetime, policy: Policy
) -> Decision:
    """Given what look number ``looks`` at the platform showed, return what follows.

    ``tries`` are the attempts already made.
    """
    match finding:
        case Found(remote_id="") | Found(remote_id=None):
            return after_look(Unknown("no id in the listing"), looks, tries, now, policy)
        case Found():
            return on_platform(Event.FOUND, finding)
        case Absent() if tries >= policy.attempts:
            return Decision(Event.EXHAUSTED, code="absent", reason="not on the platform; attempts are spent")
        case Absent():
            return Decision(Event.ABSENT, due_at=now + policy.pause(max(tries, 1)), code="absent")
        case RateLimited():
            until = _not_at_once(finding.until, now, policy)
            return Decision(
                Event.UNDECIDED,
                due_at=until,
                pause_until=until,
                app_wide=finding.app_wide,
                counts=False,
                code=finding.kind,
                reason=finding.reason,
            )
        case AuthExpired() | AccountHeld():
            return Decision(
                Event.UNDECIDED,
                due_at=now + policy.look_after[-1],
                disable=True,
                counts=False,
                code=finding.kind,
                reason=finding.reason,
            )
        case Unknown(reason, datetime() as until) if looks >= len(policy.look_after) and until > now:
            # A person would be asked what the next look can tell.
            return Decision(Event.UNDECIDED, due_at=until, code="cannot-tell", reason=reason)
    reason = finding.reason
    if looks >= len(policy.look_after):
        return Decision(Event.UNDECIDED, asks=True, code="cannot-tell", reason=reason)
    return Decision(Event.UNDECIDED, due_at=now + policy.look_after[looks], code="cannot-tell", reason=reason)
