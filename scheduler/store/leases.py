"""Who holds which attempt, and what becomes of attempts whose holder is gone.

An attempt is held by a lease, which its node renews; what is judged here was decided in
``scheduler.engine.leases``. Times are by the clock of :meth:`Store.moment`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlmodel import Session

from scheduler.states import Event, State
from scheduler.store.conditions import in_state
from scheduler.store.dialects import among
from scheduler.store.looking import LEASE_EXPIRED
from scheduler.store.tables import attempts, deliveries, nodes
from scheduler.store.transitions import Change, apply_changes


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds an attempt, and until when."""

    delivery_id: int
    node: str
    until: datetime | None
    place: str
    """Where the node runs, so far as processes can be told apart there; empty if unknown."""
    pid: int


def renew(session: Session, delivery_ids: Sequence[int], *, node: str, lease_until: datetime) -> list[int]:
    """Renew the leases of the deliveries that this node has in flight; return those it still holds."""
    renewed = session.connection().execute(
        update(deliveries)
        .where(
            deliveries.c.id.in_(delivery_ids),
            deliveries.c.node == node,
            deliveries.c.lease_until.is_not(None),
        )
        .values(lease_until=lease_until)
        .returning(deliveries.c.id)
    )
    return list(renewed.scalars())


def under_way(session: Session, but: Collection[int]) -> list[Lease]:
    """The leases of all attempts that are under way, apart from ``but``."""
    connection = session.connection()
    rows = connection.execute(_leases(connection.dialect.name), {"but": list(but)})
    return [Lease(row.id, row.node, row.lease_until, row.place or "", row.pid or 0) for row in rows]


@cache
def _leases(dialect: str) -> Select[Any]:
    return (
        select(deliveries.c.id, deliveries.c.node, deliveries.c.lease_until, nodes.c.place, nodes.c.pid)
        .outerjoin(nodes, nodes.c.name == deliveries.c.node)
        .where(in_state(State.SENDING), ~among(deliveries.c.id, "but", dialect))
    )


def lose(
    session: Session,
    now: datetime,
    gone: Sequence[Lease],
    *,
    ended: bool,
    look_after: Callable[[str], timedelta] = lambda _account: timedelta(0),
) -> int:
    """Make attempts whose holder is gone uncertain, if it still holds them; return how many.

    ``ended``: it is known that the holder's process is no more. Otherwise the lease must have run out,
    and since nobody knows whether the call is still under way, it is looked for with more patience.
    ``look_after`` gives, by account, how long to wait before the first look: what a process has sent
    before it died is still in the platform's hands.
    """
    if not gone:
        return 0
    code = "process-ended" if ended else LEASE_EXPIRED
    holder = {lease.delivery_id: lease.node for lease in gone}
    statement = _sending().where(deliveries.c.id.in_(list(holder)))
    if not ended:
        statement = statement.where(deliveries.c.lease_until < now)
    rows = [row for row in session.execute(statement) if row.node == holder[row.id]]
    values = {"code": code, "looks": 0, "lease_until": None}
    due = [(row, {**values, "due_at": now + look_after(row.account_id)}) for row in rows]
    _end(session, due, Event.LOST, now=now, code=code)
    return len(rows)


def release(session: Session, now: datetime, node: str, held: Collection[int]) -> int:
    """Plan again what this node has claimed without ever calling the platform; return how many.

    That is what a commit leaves of which this node did not hear that it had succeeded. ``held`` are the
    deliveries that it does know of.
    """
    statement = _sending().where(deliveries.c.node == node, deliveries.c.id.not_in(held))
    ended = [
        (row, {"due_at": now, "attempts": row.attempts - 1, "node": "", "lease_until": None})
        for row in session.execute(statement)
    ]
    _end(session, ended, Event.POSTPONED, now=now, code="not-begun")
    return len(ended)


def _sending() -> Select[Any]:
    return (
        select(
            deliveries.c.id,
            deliveries.c.campaign_id,
            deliveries.c.account_id,
            deliveries.c.digest,
            deliveries.c.node,
            deliveries.c.attempts,
        )
        .where(in_state(State.SENDING))
        .with_for_update(skip_locked=True)
    )


def _end(
    session: Session,
    ended: Sequence[tuple[Row[Any], Mapping[str, Any]]],
    event: Event,
    *,
    now: datetime,
    code: str,
) -> None:
    """Let ``event`` happen to deliveries in ``sending`` that got no answer, and end their attempts."""
    if not ended:
        return
    changes = [
        Change(row.id, State.SENDING, event, row.campaign_id, row.digest, values, {"node": row.node})
        for row, values in ended
    ]
    apply_changes(session, changes, actor="daemon", at=now)
    session.execute(
        update(attempts)
        .where(attempts.c.delivery_id.in_([row.id for row, _ in ended]), attempts.c.finished_at.is_(None))
        .values(finished_at=now, outcome=event, code=code, reason="")
    )
