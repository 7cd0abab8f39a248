"""What follows from a platform's answer: every class of error, spent attempts, pauses, looks. Pure."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from kit.engine import HOUR, MINUTE, NOON

from adapters import errors
from adapters.contract import Absent, Found, Handed, Receipt, Unknown
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
from scheduler.engine.retry import WAITING, Decision, Policy, after_attempt, after_look
from scheduler.states import TRANSITIONS, Event, State

SECOND = timedelta(seconds=1)
POLICY = Policy(
    attempts=3,
    retry_after=30 * SECOND,
    retry_at_most=5 * MINUTE,
    look_after=(5 * SECOND, 30 * SECOND, 2 * MINUTE),
    jitter=lambda: 0.5,
)
LIMIT = RateLimited("wait", until=NOON + HOUR)
#: Every class of the taxonomy, with what it means after an attempt that was not the last.
MEANING: dict[type[AdapterError], tuple[AdapterError, Event]] = {
    Transient: (Transient("no route"), Event.POSTPONED),
    NotReady: (NotReady("the web server is down"), Event.POSTPONED),
    RateLimited: (LIMIT, Event.RATE_LIMITED),
    AuthExpired: (AuthExpired("token"), Event.ACCOUNT_REFUSED),
    AccountHeld: (AccountHeld("billing"), Event.ACCOUNT_REFUSED),
    Rejected: (Rejected("too long"), Event.REJECTED),
    Duplicate: (Duplicate("again", remote_id="7"), Event.LOST),
    Ambiguous: (Ambiguous("504"), Event.LOST),
    Stopped: (Stopped("ended"), Event.STOPPED),
    AdapterError: (AdapterError("a stranger's own class"), Event.LOST),
}


def attempt(outcome: Any, tries: int = 1, policy: Policy = POLICY) -> Decision:
    return after_attempt(outcome, tries, NOON, policy)


def look(finding: Any, looks: int = 1, tries: int = 1, policy: Policy = POLICY) -> Decision:
    return after_look(finding, looks, tries, NOON, policy)


def test_every_class_of_the_taxonomy_is_decided_here() -> None:
    known = {one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, AdapterError)}
    assert MEANING.keys() == known


@pytest.mark.parametrize("tries", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", MEANING, ids=lambda kind: kind.__name__)
def test_what_an_error_means_is_a_transition_out_of_sending(kind: type[AdapterError], tries: int) -> None:
    """Given any error at any attempt, the event is allowed, and code and reason are the platform's."""
    error, event = MEANING[kind]
    decision = attempt(error, tries)
    spent = kind is Transient and tries >= POLICY.attempts
    assert decision.event is (Event.EXHAUSTED if spent else event)
    assert (State.SENDING, decision.event) in TRANSITIONS
    assert (decision.code, decision.reason) == (error.kind, error.reason)
    assert decision.remote_id == ""


@pytest.mark.parametrize("kind", MEANING, ids=lambda kind: kind.__name__)
def test_only_what_certainly_was_not_accepted_is_planned_again(kind: type[AdapterError]) -> None:
    event = attempt(MEANING[kind][0]).event
    planned_again = TRANSITIONS[State.SENDING, event] is State.PLANNED
    assert planned_again == (kind in {Transient, NotReady, RateLimited, AuthExpired, AccountHeld})


def test_a_receipt_is_the_only_way_to_sent() -> None:
    decision = attempt(Receipt("17", "https://x.example/17"))
    assert decision == Decision(Event.ACCEPTED, remote_id="17", permalink="https://x.example/17")


def test_what_is_out_but_not_whole_is_sent_and_says_what_is_missing() -> None:
    """Given a shortfall (a first comment refused for good), the post counts as sent; it is not repeated."""
    missing = "the first comment was refused"
    for decision in (attempt(Receipt("17", "", missing)), look(Found("17", "", None, missing))):
        assert decision.event in {Event.ACCEPTED, Event.FOUND}
        assert (decision.code, decision.reason) == ("incomplete", missing)


@pytest.mark.parametrize("empty", ["", None])
def test_a_receipt_without_an_id_is_no_success(empty: Any) -> None:
    """Given an answer without an error and without an id, it is looked for, not believed."""
    decision = attempt(Receipt(empty, "https://x.example/"))
    assert decision.event is Event.LOST
    assert decision.due_at == NOON + POLICY.look_after[0]
    assert decision.code == "ambiguous"


def test_what_was_handed_to_a_person_asks_that_person() -> None:
    decision = attempt(Handed("kit/jujur"))
    assert (decision.event, decision.asks, decision.reason) == (Event.HANDED_OVER, True, "kit/jujur")


def test_what_the_office_has_to_mend_uses_up_no_attempt_and_holds_no_account() -> None:
    for tries in (1, POLICY.attempts, 100):
        decision = attempt(NotReady("the web server is down"), tries)
        assert (decision.event, decision.counts) == (Event.POSTPONED, False)
        assert (decision.pause_until, decision.disable) == (None, False)
        assert decision.due_at is not None
        assert NOON < decision.due_at <= NOON + 2 * POLICY.pause(WAITING)


def test_a_rate_limit_pauses_the_account_and_uses_up_no_attempt() -> None:
    decision = attempt(LIMIT, tries=3)
    assert (decision.event, decision.counts) == (Event.RATE_LIMITED, False)
    assert decision.pause_until == LIMIT.until


@pytest.mark.parametrize("until", [NOON, NOON - HOUR, NOON + SECOND])
def test_a_rate_limit_that_is_already_over_is_no_endless_loop(until: Any) -> None:
    """Given a platform that says "again now", the account still pauses as after a failure."""
    over = RateLimited("wait", until=until)
    assert attempt(over).pause_until == NOON + POLICY.retry_after
    assert look(over).due_at == NOON + POLICY.retry_after


@pytest.mark.parametrize("error", [AuthExpired("token"), AccountHeld("billing")])
def test_a_refused_account_is_disabled_and_no_attempt_is_used_up(error: AdapterError) -> None:
    decision = attempt(error, tries=3)
    assert (decision.disable, decision.counts) == (True, False)


def test_a_transient_failure_is_tried_again_until_the_attempts_are_spent() -> None:
    events = [attempt(Transient("no route"), tries).event for tries in (1, 2, 3)]
    assert events == [Event.POSTPONED, Event.POSTPONED, Event.EXHAUSTED]


def test_an_ambiguous_answer_is_looked_for_even_after_the_last_attempt() -> None:
    decision = attempt(Ambiguous("504"), tries=9)
    assert (decision.event, decision.due_at) == (Event.LOST, NOON + 5 * SECOND)


def test_the_pause_doubles_and_stays_within_its_bound() -> None:
    pauses = [POLICY.pause(tries).total_seconds() for tries in range(1, 8)]
    assert pauses == [30, 60, 120, 240, 300, 300, 300]
    assert POLICY.pause(10_000) == 5 * MINUTE


@pytest.mark.parametrize(("number", "seconds"), [(0.0, 15), (0.5, 30), (1.0, 45)])
def test_the_jitter_spreads_the_pause_by_half_either_way(number: float, seconds: int) -> None:
    policy = replace(POLICY, jitter=lambda: number)
    assert policy.pause(1) == seconds * SECOND
    decision = attempt(Transient("no route"), policy=policy)
    assert decision.due_at == NOON + seconds * SECOND


def test_what_is_found_is_sent() -> None:
    decision = look(Found("17", "https://x.example/17", NOON))
    assert decision == Decision(Event.FOUND, remote_id="17", permalink="https://x.example/17")


@pytest.mark.parametrize("empty", ["", None])
def test_a_find_without_an_id_is_no_find(empty: Any) -> None:
    assert look(Found(empty)).event is Event.UNDECIDED


def test_what_is_absent_is_sent_again_after_a_pause() -> None:
    decision = look(Absent(), tries=2)
    assert (decision.event, decision.due_at) == (Event.ABSENT, NOON + MINUTE)


def test_what_is_absent_before_any_attempt_was_counted_is_sent_again_too() -> None:
    """Given a lost call after a rate limit, which gave its attempt back, the pause is the first one."""
    assert look(Absent(), tries=0).due_at == NOON + 30 * SECOND


def test_what_is_absent_after_the_last_attempt_has_failed() -> None:
    assert look(Absent(), tries=3).event is Event.EXHAUSTED


def test_looks_that_cannot_tell_come_at_their_times_and_then_a_person_is_asked() -> None:
    decisions = [look(Unknown("no listing"), looks) for looks in (1, 2, 3)]
    assert [one.event for one in decisions] == [Event.UNDECIDED] * 3
    assert [one.due_at for one in decisions] == [NOON + 30 * SECOND, NOON + 2 * MINUTE, None]
    assert [one.asks for one in decisions] == [False, False, True]
    assert {(one.code, one.reason) for one in decisions} == {("cannot-tell", "no listing")}


def test_nobody_is_asked_what_a_later_look_can_tell() -> None:
    """A call that may still be under way after the last look is waited for; then a person is asked."""
    later = Unknown("still under way", NOON + 10 * MINUTE)
    assert look(later, 1).due_at == NOON + 30 * SECOND
    assert (look(later, 3).due_at, look(later, 3).asks) == (later.until, False)
    assert look(Unknown("still under way", NOON), 3).asks


@pytest.mark.parametrize(
    "error", [Transient("t"), Ambiguous("a"), Rejected("r"), Duplicate("d"), AdapterError("e")]
)
def test_a_look_that_fails_cannot_tell(error: AdapterError) -> None:
    decision = look(error)
    assert (decision.event, decision.counts, decision.reason) == (Event.UNDECIDED, True, error.reason)


def test_a_look_that_meets_a_rate_limit_waits_and_does_not_count() -> None:
    decision = look(LIMIT, looks=3)
    assert (decision.event, decision.counts, decision.asks) == (Event.UNDECIDED, False, False)
    assert (decision.due_at, decision.pause_until) == (LIMIT.until, LIMIT.until)


@pytest.mark.parametrize("error", [AuthExpired("token"), AccountHeld("billing")])
def test_a_look_with_refused_credentials_disables_the_account_and_comes_again(error: AdapterError) -> None:
    decision = look(error, looks=3)
    assert (decision.event, decision.disable, decision.counts, decision.asks) == (
        Event.UNDECIDED,
        True,
        False,
        False,
    )
    assert decision.due_at == NOON + POLICY.look_after[-1]


@pytest.mark.parametrize(
    "finding",
    [Found("1"), Absent(), Unknown("?"), *(error for error, _ in MEANING.values())],
    ids=lambda finding: type(finding).__name__,
)
@pytest.mark.parametrize("looks", [1, 3, 9])
@pytest.mark.parametrize("tries", [0, 1, 3])
def test_every_look_leads_out_of_unsure_by_an_allowed_event(finding: Any, looks: int, tries: int) -> None:
    assert (State.UNSURE, look(finding, looks, tries).event) in TRANSITIONS
