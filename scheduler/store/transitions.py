"""The only way by which a delivery changes its state.

Every change is a compare-and-set on the old state, checked against the one table in
``scheduler.states``, and notes its audit event, which the store writes in the same transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Update, bindparam, update
from sqlmodel import Session

from scheduler.states import Event, State, after
from scheduler.store import auditing
from scheduler.store.tables import deliveries


class StaleStateError(Exception):
    """A delivery is no longer in the state that a change was made for: somebody else was first."""


@dataclass(frozen=True, slots=True)
class Change:
    """One event of one delivery. ``values`` are further columns to set, ``detail`` goes to the audit."""

    delivery_id: int
    before: State
    event: Event
    campaign_id: str
    digest: str
    values: Mapping[str, Any] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)


def apply_changes(session: Session, changes: Sequence[Change], *, actor: str, at: datetime) -> None:
    """Apply all changes, or none: raise RefusedTransitionError or StaleStateError.

    Either error must end the transaction, since rows before the stale one are already changed in it.
    ``actor`` is who did it: a person's id, or ``daemon``; ``at`` in UTC.
    """
    groups: dict[tuple[str, ...], list[tuple[Change, State]]] = defaultdict(list)
    for change in changes:
        groups[tuple(sorted(change.values))].append((change, after(change.before, change.event)))
    connection = session.connection()
    for columns, group in groups.items():
        rows = [
            {
                "_id": change.delivery_id,
                "_before": change.before,
                "_after": state,
                **change.values,
            }
            for change, state in group
        ]
        changed = connection.execute(_compare_and_set(columns), rows).rowcount
        if changed != len(rows):
            raise StaleStateError(f"{len(rows) - changed} of {len(rows)} deliveries had moved on")
    auditing.note(
        session,
        [
            auditing.Event(
                at,
                actor,
                change.event,
                change.campaign_id,
                change.delivery_id,
                change.before,
                after(change.before, change.event),
                change.digest,
                change.detail,
            )
            for change in changes
        ],
    )


@cache
def _compare_and_set(columns: tuple[str, ...]) -> Update:
    """The statement that sets the state and ``columns``; built once for each set of columns."""
    return (
        update(deliveries)
        .where(deliveries.c.id == bindparam("_id"), deliveries.c.state == bindparam("_before"))
        .values(state=bindparam("_after"), **{column: bindparam(column) for column in columns})
    )


def record(
    session: Session,
    action: str,
    *,
    actor: str,
    at: datetime,
    campaign_id: str = "",
    delivery_id: int | None = None,
    digest: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Note an audit event of something that changes no state (an approval, an edit, a setting)."""
    event = auditing.Event(at, actor, action, campaign_id, delivery_id, digest=digest, detail=detail or {})
    auditing.note(session, [event])
