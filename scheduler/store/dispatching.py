"""The queries of the dispatcher: what may be claimed, what is overdue, what was lost, what is next.

The conditions of a claim (due, approved, not stopped, account usable and free, in order) are read
inside the transaction that claims. Times are UTC. Statements of every turn are built once (``@cache``)
and get their values as parameters: to build one costs more than to run it. What holds is part of the
statement, so they are built anew when a stop or a window begins or ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cache, lru_cache
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    Update,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from campaigns.definition import Kind
from scheduler.states import Event, State
from scheduler.store import holding
from scheduler.store.budgets import affordable, over_budget
from scheduler.store.holding import Holds
from scheduler.store.present import present
from scheduler.store.tables import UtcDateTime, accounts, approvals, attempts, contents, deliveries
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


class Candidate(Protocol):
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

    @property
    def text(self) -> str: ...

    @property
    def link(self) -> str: ...

    @property
    def media(self) -> Sequence[Mapping[str, Any]]: ...

    @property
    def kind(self) -> str: ...

    @property
    def thread(self) -> Sequence[Mapping[str, Any]]: ...

    @property
    def first_comment(self) -> str: ...

    @property
    def reply_to(self) -> Mapping[str, str]: ...


Refuse = Callable[[Sequence[Candidate]], Collection[int]]
"""Given what is about to be claimed, in the same transaction: which of it may not go out."""


_COLUMNS = (
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
    contents.c.text,
    contents.c.link,
    contents.c.media,
    contents.c.kind,
    contents.c.thread,
    contents.c.first_comment,
    contents.c.reply_to,
)


#: The code of an attempt that was given up though its process may still have been at it.
LEASE_EXPIRED = "lease-expired"
#: The moment of a turn, as a parameter of its statements.
NOW = bindparam("now", type_=UtcDateTime())


#: The code of a delivery whose time passed while its account's budget held it.
OVER_BUDGET = "over-budget"


def in_state(state: State, rows: Any = deliveries) -> ColumnElement[bool]:
    """``state = '...'`` as a literal, since SQLite uses a partial index for a literal only."""
    return rows.c.state == literal_column(f"'{state.value}'")  # type: ignore[no-any-return]


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


def _account_free() -> ColumnElement[bool]:
    """Nothing of the account is in flight, and nothing uncertain is passed, unless the account allows it."""
    other = deliveries.alias("other")
    passing = other.c.account_id.in_(bindparam("passing", expanding=True))
    return ~exists().where(
        other.c.account_id == deliveries.c.account_id,
        or_(in_state(State.SENDING, other), and_(in_state(State.UNSURE, other), ~passing)),
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


@lru_cache(maxsize=8)
def _claimable(holds: Holds) -> Select[Any]:
    return (
        select(*_COLUMNS)
        .join(contents, contents.c.digest == deliveries.c.digest)
        .where(
            in_state(State.PLANNED),
            deliveries.c.allowed_at <= NOW,
            deliveries.c.due_at <= NOW,
            deliveries.c.expires_at >= NOW,
            deliveries.c.id.not_in(bindparam("held", expanding=True)),
            approved(),
            affordable(NOW),
            ~holding.held(holds),
            _account_usable(),
            _account_free(),
            _first_of_account(holds),
        )
        .order_by(deliveries.c.allowed_at, deliveries.c.id)
        .limit(bindparam("limit"))
        .with_for_update(of=deliveries, skip_locked=True)
    )


def claim(
    session: Session,
    *,
    now: datetime,
    lease_until: datetime,
    node: str,
    limit: int,
    held: Collection[int] = (),
    passing: Collection[str] = (),
    refuse: Refuse | None = None,
) -> list[Claim]:
    """Claim up to ``limit`` deliveries, the earliest of each account: attempt row and lease are set.

    ``held`` are deliveries of which a call is still running here, whatever the rows say: it may yet
    publish, so no second one starts beside it. ``passing`` are accounts of which a post may go out while
    the outcome of an earlier one is unknown. ``refuse`` is asked last.
    """
    if limit <= 0:
        return []
    claimable = _claimable(present(session, now))
    rows = session.execute(
        claimable, {"now": now, "held": list(held), "limit": limit, "passing": list(passing)}
    ).all()
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
    opened = session.execute(
        attempts.insert().returning(attempts.c.id, attempts.c.delivery_id),
        [
            {
                "delivery_id": row.id,
                "digest": row.digest,
                "node": node,
                "started_at": now,
                "outcome": "",
                "code": "",
                "reason": "",
                "remote_id": "",
            }
            for row in rows
        ],
    ).all()
    attempt_of = {delivery_id: attempt_id for attempt_id, delivery_id in opened}
    return [
        _claim(
            row,
            attempt_id=attempt_of[row.id],
            attempts=row.attempts + 1,
            at=now,
            first_try_at=now,
            last_try_at=now,
        )
        for row in rows
    ]


def _claim(row: Row[Any], **rest: Any) -> Claim:
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


def expire(session: Session, now: datetime) -> int:
    """Move every planned delivery that is too late to ``missed`` or ``review``; return how many.

    What was held back is put to a person, whatever its campaign does with what it misses.
    """
    rows = session.execute(_expired(present(session, now)), {"now": now}).all()
    apply_changes(
        session,
        [
            Change(
                row.id,
                State.PLANNED,
                Event.MISSED if row.if_missed == "skip" and not _held_back(row) else Event.HELD,
                row.campaign_id,
                row.digest,
                {"code": _why_late(row)},
            )
            for row in rows
        ],
        actor="daemon",
        at=now,
    )
    return len(rows)


def _held_back(row: Row[Any]) -> bool:
    return bool(row.held or row.over_budget)


def _why_late(row: Row[Any]) -> str:
    if row.held or not row.approved:
        return row.held or "not-approved"
    return OVER_BUDGET if row.over_budget else "too-late"


@lru_cache(maxsize=8)
def _expired(holds: Holds) -> Select[Any]:
    return (
        select(
            deliveries.c.id,
            deliveries.c.campaign_id,
            deliveries.c.digest,
            deliveries.c.if_missed,
            approved().label("approved"),
            holding.code(holds).label("held"),
            over_budget(NOW).label("over_budget"),
        )
        .where(in_state(State.PLANNED), deliveries.c.allowed_at <= NOW, deliveries.c.expires_at < NOW)
        .with_for_update(of=deliveries, skip_locked=True)
    )


def look(
    session: Session,
    *,
    now: datetime,
    lease_until: datetime,
    node: str,
    limit: int,
    held: Collection[int] = (),
) -> list[Claim]:
    """Take up to ``limit`` uncertain deliveries whose next look at the platform is due.

    They stay ``unsure``; the lease only keeps another node from looking at the same time. ``held``
    are deliveries whose attempt is still running here, lease or no lease: it is never overtaken.
    """
    if limit <= 0:
        return []
    rows = session.execute(_lookable(), {"now": now, "held": list(held), "limit": limit}).all()
    if rows:
        session.execute(
            update(deliveries)
            .where(deliveries.c.id.in_([row.id for row in rows]))
            .values(node=node, lease_until=lease_until)
        )
    return [
        _claim(
            row,
            attempt_id=0,
            attempts=row.attempts,
            at=now,
            first_try_at=row.first_try_at,
            last_try_at=row.last_try_at,
            lost_at=row.lost_at,
        )
        for row in rows
    ]


@cache
def _lookable() -> Select[Any]:
    began = attempts.c.started_at
    # Subqueries of a row, not a join: SQLite would go through every attempt ever made, at every turn.
    return (
        select(
            *_COLUMNS,
            _of_attempts(func.min(began)).label("first_try_at"),
            _of_attempts(func.max(func.coalesce(attempts.c.finished_at, began))).label("last_try_at"),
            _of_attempts(func.max(attempts.c.finished_at), attempts.c.code == LEASE_EXPIRED).label("lost_at"),
        )
        .join(contents, contents.c.digest == deliveries.c.digest)
        .where(
            in_state(State.UNSURE),
            deliveries.c.asks.is_(False),
            deliveries.c.due_at <= NOW,
            deliveries.c.id.not_in(bindparam("held", expanding=True)),
            or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until < NOW),
        )
        .order_by(deliveries.c.due_at)
        .limit(bindparam("limit"))
        .with_for_update(of=deliveries, skip_locked=True)
    )


def _of_attempts(value: ColumnElement[Any], *conditions: ColumnElement[bool]) -> ScalarSelect[Any]:
    return select(value).where(attempts.c.delivery_id == deliveries.c.id, *conditions).scalar_subquery()


class Saved(Enum):
    """What an attempt is told when it has asked to remember something."""

    KEPT = "kept"
    """Committed: go on."""
    STOPPED = "stopped"
    """Committed, but it is held back by now: end here."""
    LOST = "lost"
    """Not stored: the attempt is no longer this node's."""


def save_progress(
    session: Session, saves: Mapping[int, Mapping[str, Any]], *, now: datetime, node: str
) -> dict[int, Saved]:
    """Store what attempts must remember, by delivery, and say of each whether it may go on.

    A stop ends it here. A window does not: half a thread is worse than one that ends a minute late.
    """
    if not saves:
        return {}
    stored = session.connection().execute(
        _remember(), [{"_id": one, "_node": node, "_progress": dict(facts)} for one, facts in saves.items()]
    )
    stops = tuple(hold for hold in present(session, now) if hold.code == "stopped")
    if not stops and stored.rowcount == len(saves):
        return dict.fromkeys(saves, Saved.KEPT)
    mine = session.execute(
        select(deliveries.c.id, holding.held(stops).label("held")).where(
            deliveries.c.id.in_(list(saves)), deliveries.c.node == node, in_state(State.SENDING)
        )
    )
    told = {row.id: Saved.STOPPED if row.held else Saved.KEPT for row in mine}
    return {one: told.get(one, Saved.LOST) for one in saves}


@cache
def _remember() -> Update:
    return (
        update(deliveries)
        .where(
            deliveries.c.id == bindparam("_id"),
            deliveries.c.node == bindparam("_node"),
            in_state(State.SENDING),
        )
        .values(progress=bindparam("_progress"))
    )


def pause_account(session: Session, account_id: str, until: datetime, reason: str = "") -> None:
    """Let no delivery of the account be claimed before ``until``, nor before the end of a longer pause."""
    longer = exists().where(accounts.c.account_id == account_id, accounts.c.not_before >= until)
    if not session.execute(select(longer)).scalar():
        _account(session, account_id, not_before=until, pause_reason=reason)


def rest(session: Session, until: Mapping[str, datetime]) -> None:
    """Keep the distance: let no post of these accounts go out before the moment given for each."""
    if not until:
        return
    connection = session.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(accounts)
    blank = {"code": "", "reason": "", "identity": ""}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["account_id"], set_={"resting_until": statement.excluded.resting_until}
        ),
        # In one order, since another node may be about the same accounts.
        [{"account_id": name, "resting_until": until[name], **blank} for name in sorted(until)],
    )


def disable_account(session: Session, account_id: str, *, now: datetime, code: str, reason: str) -> None:
    """Let no delivery of the account be claimed until a person has checked it."""
    _account(session, account_id, disabled_at=now, code=code, reason=reason)


def enable_account(session: Session, account_id: str, *, now: datetime, identity: str) -> None:
    """The account works: somebody or something has just asked the platform."""
    _account(session, account_id, disabled_at=None, code="", reason="", verified_at=now, identity=identity)


def _account(session: Session, account_id: str, **values: Any) -> None:
    changed = session.connection().execute(
        update(accounts).where(accounts.c.account_id == account_id).values(**values)
    )
    if not changed.rowcount:
        blank = {"code": "", "reason": "", "identity": ""}
        session.connection().execute(accounts.insert().values(account_id=account_id, **{**blank, **values}))


def next_due(session: Session, now: datetime) -> datetime | None:
    """The next instant at which something may have to be done, later than ``now``; None if nothing waits."""
    found = session.execute(_next_due(), {"now": now}).one()._mapping
    moments = [moment + _PAST[name] if name in _PAST else moment for name, moment in found.items() if moment]
    return min(moments, default=None)


#: At the very instant at which a post expires it may still go out; it is overdue just after.
_PAST = {"expiring": timedelta(milliseconds=1)}


@cache
def _next_due() -> Select[Any]:
    begun = (in_state(State.PLANNED), deliveries.c.allowed_at <= NOW)
    moments = {
        "waiting": _earliest(deliveries.c.allowed_at, in_state(State.PLANNED)),
        "retrying": _earliest(deliveries.c.due_at, *begun),
        "expiring": _earliest(deliveries.c.expires_at, *begun, or_now=True),
        "looking": _earliest(deliveries.c.due_at, in_state(State.UNSURE), deliveries.c.asks.is_(False)),
        "pausing": _earliest(accounts.c.not_before),
        "resting": _earliest(accounts.c.resting_until),
        "measuring": _earliest(deliveries.c.reach_at, deliveries.c.reach_at.is_not(None)),
    }
    return select(*(moment.label(name) for name, moment in moments.items()))


def _earliest(
    column: ColumnElement[Any], *conditions: ColumnElement[bool], or_now: bool = False
) -> ScalarSelect[Any]:
    later = column >= NOW if or_now else column > NOW
    return select(func.min(column)).where(later, *conditions).scalar_subquery()
