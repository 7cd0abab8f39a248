"""The states of a delivery and the one table of what may follow what (DESIGN.md section 4).

The store refuses every change that is not in :data:`TRANSITIONS`. Approval, stop and quiet windows
are not states: they are conditions read inside the claiming transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where a delivery stands."""

    PLANNED = "planned"
    """Waits for its time and for its approval."""
    SENDING = "sending"
    """Claimed: an attempt is recorded, and the platform may already have the post."""
    SENT = "sent"
    """On the platform, with its id there."""
    HANDED = "handed"
    """Prepared for a person, whose link is awaited."""
    UNSURE = "unsure"
    """Nobody knows whether the platform has it; it is looked for, and never sent again from here."""
    FAILED = "failed"
    """Refused for good, or every attempt is spent."""
    MISSED = "missed"
    """Its time passed beyond what the campaign allows, and the campaign skips such posts."""
    REVIEW = "review"
    """Its time passed beyond what the campaign allows, and a person decides."""
    WITHDRAWN = "withdrawn"
    """Taken out of the campaign file, or cancelled by a person."""
    REMOVED = "removed"
    """Was published and then taken down by a person; the record stays."""


class Event(StrEnum):
    """What happened to a delivery."""

    CLAIMED = "claimed"
    """planned -> sending: due, approved, and the account is free."""
    MISSED = "missed"
    """planned -> missed: too late, the campaign skips."""
    HELD = "held"
    """planned -> review: too late, the campaign asks; or it came due while a stop was in force."""
    WITHDRAWN = "withdrawn"
    """planned -> withdrawn: no longer in the campaign file."""
    RETURNED = "returned"
    """withdrawn -> planned: in the campaign file again."""
    CANCELLED = "cancelled"
    """planned, failed, missed, review, handed -> withdrawn: by a person."""
    ACCEPTED = "accepted"
    """sending -> sent: the platform gave an id."""
    HANDED_OVER = "handed_over"
    """sending -> handed: prepared for a person."""
    POSTPONED = "postponed"
    """sending -> planned: nothing was accepted; again after a pause."""
    RATE_LIMITED = "rate_limited"
    """sending -> planned: the account pauses; not counted as an attempt."""
    ACCOUNT_REFUSED = "account_refused"
    """sending -> planned: the account is disabled until a person has seen to it."""
    REJECTED = "rejected"
    """sending -> failed: by the platform, for good."""
    EXHAUSTED = "exhausted"
    """sending, unsure -> failed: the last attempt allowed did not succeed either."""
    STOPPED = "stopped"
    """sending -> review: a stop came between two steps; what is out already is remembered."""
    LOST = "lost"
    """sending -> unsure: no answer that could be trusted, or the lease ran out."""
    FOUND = "found"
    """unsure, planned -> sent: it is on the platform (planned: the answer came after it was given up)."""
    ABSENT = "absent"
    """unsure -> planned: it is certainly not on the platform."""
    UNDECIDED = "undecided"
    """unsure -> unsure: the platform's listing cannot tell."""
    COMPLETED = "completed"
    """handed -> sent: a person gave the link."""
    RETRIED = "retried"
    """failed, missed, review -> planned: by a person."""
    TAKEN_DOWN = "taken_down"
    """sent, review, failed, withdrawn -> removed: by a person (but for sent: the part that is out)."""


TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (State.PLANNED, Event.CLAIMED): State.SENDING,
    (State.PLANNED, Event.MISSED): State.MISSED,
    (State.PLANNED, Event.HELD): State.REVIEW,
    (State.PLANNED, Event.WITHDRAWN): State.WITHDRAWN,
    (State.WITHDRAWN, Event.RETURNED): State.PLANNED,
    (State.PLANNED, Event.CANCELLED): State.WITHDRAWN,
    (State.FAILED, Event.CANCELLED): State.WITHDRAWN,
    (State.MISSED, Event.CANCELLED): State.WITHDRAWN,
    (State.REVIEW, Event.CANCELLED): State.WITHDRAWN,
    (State.HANDED, Event.CANCELLED): State.WITHDRAWN,
    (State.SENDING, Event.ACCEPTED): State.SENT,
    (State.SENDING, Event.HANDED_OVER): State.HANDED,
    (State.SENDING, Event.POSTPONED): State.PLANNED,
    (State.SENDING, Event.RATE_LIMITED): State.PLANNED,
    (State.SENDING, Event.ACCOUNT_REFUSED): State.PLANNED,
    (State.SENDING, Event.REJECTED): State.FAILED,
    (State.SENDING, Event.EXHAUSTED): State.FAILED,
    (State.SENDING, Event.STOPPED): State.REVIEW,
    (State.SENDING, Event.LOST): State.UNSURE,
    (State.UNSURE, Event.FOUND): State.SENT,
    (State.PLANNED, Event.FOUND): State.SENT,
    (State.UNSURE, Event.ABSENT): State.PLANNED,
    (State.UNSURE, Event.EXHAUSTED): State.FAILED,
    (State.UNSURE, Event.UNDECIDED): State.UNSURE,
    (State.HANDED, Event.COMPLETED): State.SENT,
    (State.FAILED, Event.RETRIED): State.PLANNED,
    (State.MISSED, Event.RETRIED): State.PLANNED,
    (State.REVIEW, Event.RETRIED): State.PLANNED,
    (State.SENT, Event.TAKEN_DOWN): State.REMOVED,
    (State.REVIEW, Event.TAKEN_DOWN): State.REMOVED,
    (State.FAILED, Event.TAKEN_DOWN): State.REMOVED,
    (State.WITHDRAWN, Event.TAKEN_DOWN): State.REMOVED,
}

#: Nothing of these has left the house: an edit of the campaign file may still change them.
EDITABLE = frozenset({State.PLANNED, State.FAILED, State.MISSED, State.REVIEW})

#: These do not move on before a person has decided.
FOR_A_PERSON = frozenset({State.FAILED, State.REVIEW, State.HANDED})


class RefusedTransitionError(Exception):
    """A delivery in this state does not take this event."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"{event} is refused in state {state}")
        self.state = state
        self.event = event


def after(state: State, event: Event) -> State:
    """Given a state and an event, return the state that follows; raise RefusedTransitionError otherwise."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise RefusedTransitionError(state, event) from None
