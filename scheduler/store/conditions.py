"""Every reason why a post that is due does not go out, as far as the database can tell: :func:`clear`.

They are read inside the transaction that claims, so what a claim sees is what holds until it commits.
Whether the people who approved still may, and whether the words are still those that they approved, needs
the configuration: the gate (``scheduler.governance.gate``) is asked last, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ColumnElement,
    bindparam,
    exists,
    literal_column,
    or_,
)

from scheduler.states import State
from scheduler.store import holding
from scheduler.store.budgets import affordable
from scheduler.store.holding import Holds
from scheduler.store.tables import UtcDateTime, accounts, approvals, deliveries

#: The moment of a turn, as a parameter of its statements.
NOW = bindparam("now", type_=UtcDateTime())


def in_state(state: State, rows: Any = deliveries) -> ColumnElement[bool]:
    """``state = '...'`` as a literal, since SQLite uses a partial index for a literal only."""
    return rows.c.state == literal_column(f"'{state.value}'")  # type: ignore[no-any-return]


def clear(holds: Holds, passing: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    """Whether nothing keeps a planned delivery back at the moment :data:`NOW`; one condition a reason.

    ``holds`` are the stops and the windows in force; ``passing`` are accounts of which a post may go out
    while the outcome of an earlier one is unknown.
    """
    return (
        deliveries.c.allowed_at <= NOW,  # its time has not come, or a window has moved it
        deliveries.c.due_at <= NOW,  # it was tried, and is tried again later
        deliveries.c.expires_at >= NOW,  # it is too late (``due.expire`` puts it away)
        # What holds a whole account first: after a standstill most of what is due waits for its account.
        _account_usable(),  # its account is disabled, pauses, or keeps the distance between posts
        _account_free(passing),  # another post of its account is on its way, or of unknown outcome
        ~holding.held(holds),  # a stop or a window holds it
        approved(),  # nobody has approved it, not all stages have, or that is void or at its end
        affordable(NOW),  # the month's budget of its account has no room for it
        _first_of_account(holds),  # an earlier one of its account could go out
    )


def approved(rows: Any = deliveries, now: Any = NOW) -> ColumnElement[bool]:
    """Whether an approval for exactly this content in this campaign is in force, all its stages given.

    ``now``: the moment, as a parameter or a value; None to leave the end of approvals aside.
    """
    condition = exists().where(
        approvals.c.campaign_id == rows.c.campaign_id,
        approvals.c.digest == rows.c.digest,
        approvals.c.void_at.is_(None),
        approvals.c.complete.is_(True),
    )
    if now is None:
        return condition
    return condition.where(or_(approvals.c.expires_at.is_(None), approvals.c.expires_at > now))


def _account_usable() -> ColumnElement[bool]:
    return ~exists().where(
        accounts.c.account_id == deliveries.c.account_id,
        or_(
            accounts.c.disabled_at.is_not(None),
            accounts.c.not_before > NOW,
            accounts.c.resting_until > NOW,
        ),
    )


def _account_free(passing: Collection[str]) -> ColumnElement[bool]:
    """Nothing of the account is in flight, and nothing uncertain is passed, unless the account allows it."""
    other = deliveries.alias("other")
    unsure = in_state(State.UNSURE, other)
    if passing:
        unsure &= other.c.account_id.not_in(passing)
    return ~exists().where(
        other.c.account_id == deliveries.c.account_id, or_(in_state(State.SENDING, other), unsure)
    )


def _first_of_account(holds: Holds) -> ColumnElement[bool]:
    """Whether nothing earlier of its account could go out; what is held keeps nothing else back."""
    earlier = deliveries.alias("earlier")
    return ~exists().where(
        earlier.c.account_id == deliveries.c.account_id,
        in_state(State.PLANNED, earlier),
        # A range of the index first: without it all that ever waits for the account would be looked at.
        earlier.c.allowed_at <= deliveries.c.allowed_at,
        or_(earlier.c.allowed_at < deliveries.c.allowed_at, earlier.c.id < deliveries.c.id),
        approved(earlier),
        affordable(NOW, earlier),
        ~holding.held(holds, earlier),
    )
