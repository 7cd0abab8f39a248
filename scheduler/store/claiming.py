"""Claiming: what is due and may go out becomes this node's to publish, attempt row and lease included.

What keeps a due post back is in ``scheduler.store.conditions``. Statements of every turn are built once
(``@cache``) and get their values as parameters: to build one costs more than to run it. What holds is part
of the statement, so it is built anew when a stop or a window begins or ends. Times are UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Protocol

from sqlalchemy import (
    Row,
    Select,
    String,
    bindparam,
    literal_column,
    select,
)
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import Session

from campaigns.definition import Kind
from scheduler.states import Event, State
from scheduler.store.conditions import NOW, clear, in_state
from scheduler.store.content import WORDING, Stored
from scheduler.store.dialects import among
from scheduler.store.editions import NONE, Edition, edition
from scheduler.store.holding import Holds
from scheduler.store.present import present
from scheduler.store.tables import attempts, contents, deliveries
from scheduler.store.transitions import Change, apply_changes


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is now this node's to publish or to look for, with all that is needed for it."""

    delivery_id: int
    attempt_id: int
    key: str
    campaign_id: str
    account_id: str
    digest: str
    text: str
    link: str
    media: Sequence[Mapping[str, Any]]
    kind: Kind
    thread: Sequence[Mapping[str, Any]]
    first_comment: str
    reply_to: Mapping[str, str]
    progress: Mapping[str, Any]
    attempts: int
    looks: int
    min_gap: timedelta
    at: datetime
    """When it was claimed, or taken to be looked for."""
    first_try_at: datetime
    """When the first attempt began: a post found on the platform cannot be older."""
    last_try_at: datetime
    """When the last attempt ended, or began if its end is unknown."""
    lost_at: datetime | None = None
    """When an attempt was last given up though its process may still have been at it."""
    edition: Edition = NONE
    """What was in force when it was claimed to be published."""


class Candidate(Stored, Protocol):
    """What is known of a delivery that is about to be claimed."""

    @property
    def id(self) -> int: ...
    @property
    def campaign_id(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def account_id(self) -> str: ...
    @property
    def message_class(self) -> str: ...
    @property
    def platform(self) -> str: ...


Refuse = Callable[[Sequence[Candidate]], Collection[int]]
"""Given what is about to be claimed, in the same transaction: which of it may not go out."""


#: What is read of a delivery that is claimed or looked for.
COLUMNS = (
    deliveries.c.id,
    deliveries.c.key,
    deliveries.c.campaign_id,
    deliveries.c.account_id,
    deliveries.c.digest,
    deliveries.c.progress,
    deliveries.c.attempts,
    deliveries.c.looks,
    deliveries.c.message_class,
    contents.c.platform,
    deliveries.c.min_gap,
    *WORDING,
)


@lru_cache(maxsize=16)
def _claimable(holds: Holds, passing: tuple[str, ...], held: bool) -> Select[Any]:
    """``held``: whether there is a parameter of that name, deliveries that are left out."""
    statement = (
        select(*COLUMNS)
        .join(contents, contents.c.digest == deliveries.c.digest)
        .where(in_state(State.PLANNED), *clear(holds, passing))
        .order_by(deliveries.c.allowed_at, deliveries.c.id)
        .limit(bindparam("limit"))
        .with_for_update(of=deliveries, skip_locked=True)
    )
    if held:
        statement = statement.where(deliveries.c.id.not_in(bindparam("held", expanding=True)))
    return statement


def claim(
    session: Session,
    *,
    now: datetime,
    lease_until: datetime,
    node: str,
    limit: int,
    held: Collection[int] = frozenset(),
    passing: tuple[str, ...] = (),
    refuse: Refuse | None = None,
) -> list[Claim]:
    """Claim up to ``limit`` deliveries, the earliest of each account: attempt row and lease are set.

    ``held`` are deliveries of which a call is still running here, whatever the rows say: it may yet
    publish, so no second one starts beside it. ``passing`` are accounts of which a post may go out while
    the outcome of an earlier one is unknown. ``refuse`` is asked last.
    """
    if limit <= 0:
        return []
    holds = present(session, now)
    values: dict[str, Any] = {"now": now, "limit": limit}
    connection = session.connection()
    rows = connection.execute(_claimable(holds, passing, held=False), values).all()
    if any(row.id in held for row in rows):  # rarely: its lease ran out, and it was planned again
        values["held"] = list(held)
        rows = connection.execute(_claimable(holds, passing, held=True), values).all()
    if rows and refuse is not None:
        refused = refuse(rows)
        rows = [row for row in rows if row.id not in refused]
    if not rows:
        return []
    apply_changes(
        session,
        [
            Change(
                row.id,
                State.PLANNED,
                Event.CLAIMED,
                row.campaign_id,
                row.digest,
                {
                    "node": node,
                    "lease_until": lease_until,
                    "attempts": row.attempts + 1,
                    "looks": 0,
                    "code": "",
                    "reason": "",
                },
                {"node": node, "attempt": row.attempts + 1},
            )
            for row in rows
        ],
        actor="daemon",
        at=now,
    )
    opened = connection.execute(
        _open_attempts(connection.dialect.name), {"ids": [row.id for row in rows], "_node": node, "now": now}
    ).all()
    attempt_of = {delivery_id: attempt_id for attempt_id, delivery_id in opened}
    in_force = edition(session)
    return [
        of_row(
            row,
            attempt_id=attempt_of[row.id],
            attempts=row.attempts + 1,
            at=now,
            first_try_at=now,
            last_try_at=now,
            edition=in_force,
        )
        for row in rows
    ]


@cache
def _open_attempts(dialect: str) -> ReturningInsert[Any]:
    begun = {
        "delivery_id": deliveries.c.id,
        "digest": deliveries.c.digest,
        "node": bindparam("_node", type_=String()),
        "started_at": NOW,
        **dict.fromkeys(("outcome", "code", "reason", "remote_id"), literal_column("''")),
    }
    claimed = select(*begun.values()).where(among(deliveries.c.id, "ids", dialect))
    opened = attempts.insert().from_select(list(begun), claimed.order_by(deliveries.c.id))
    return opened.returning(attempts.c.id, attempts.c.delivery_id)


def of_row(row: Row[Any], **rest: Any) -> Claim:
    """The claim of a row of :data:`COLUMNS`."""
    return Claim(
        delivery_id=row.id,
        key=row.key,
        campaign_id=row.campaign_id,
        account_id=row.account_id,
        digest=row.digest,
        text=row.text,
        link=row.link,
        media=row.media,
        kind=row.kind,
        thread=row.thread,
        first_comment=row.first_comment,
        reply_to=row.reply_to,
        progress=row.progress,
        looks=row.looks,
        min_gap=timedelta(seconds=row.min_gap),
        **rest,
    )
