"""The daemons and their heartbeats: who is there, who is silent, who has gone in good order."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from sqlalchemy import Delete, Insert, Update, bindparam, delete, func, select, update
from sqlmodel import Session

from scheduler.states import State
from scheduler.store.conditions import in_state
from scheduler.store.tables import Node, deliveries, nodes

#: A daemon that was not seen for so long is history.
FORGET = timedelta(days=7)
#: A daemon that was not heard of for so long is silent; it reports every 15 seconds.
SILENT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Presence:
    """A daemon: its name, which no other has, and where it runs (:class:`Node`)."""

    name: str
    host: str
    pid: int
    place: str
    version: str


def beat(session: Session, node: Presence, *, started_at: datetime, now: datetime) -> None:
    """Record that a daemon lives."""
    connection = session.connection()
    if not connection.execute(_seen(), {"_name": node.name, "_now": now}).rowcount:
        # A daemon comes with a row of its own, and takes along the rows nobody will ask for again.
        connection.execute(_forget(), {"_before": now - FORGET})
        connection.execute(_come(), {**asdict(node), "started_at": started_at, "seen_at": now})


@cache
def _seen() -> Update:
    mine = nodes.c.name == bindparam("_name")
    return update(nodes).where(mine).values(seen_at=bindparam("_now"), stopped_at=None)


@cache
def _forget() -> Delete:
    return delete(nodes).where(nodes.c.seen_at < bindparam("_before"))


@cache
def _come() -> Insert:
    return nodes.insert()


def leave(session: Session, node: str, now: datetime) -> None:
    """Record that a daemon stopped in good order."""
    session.execute(update(nodes).where(nodes.c.name == node).values(seen_at=now, stopped_at=now))


class Health(StrEnum):
    """What is known of a daemon."""

    ALIVE = "alive"
    SILENT = "silent"
    """Not heard of: its machine sleeps or is off, it lost the database, or it was ended by force."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a daemon stands."""

    node: Node
    health: Health
    in_flight: int
    """Posts that it has claimed and of which no answer is recorded."""


def every(session: Session, now: datetime) -> list[Standing]:
    """All daemons of the last days, the one heard of last first; ``now`` by the database's clock."""
    counts = session.execute(
        select(deliveries.c.node, func.count()).where(in_state(State.SENDING)).group_by(deliveries.c.node)
    )
    in_flight = {row[0]: row[1] for row in counts}
    rows = session.execute(select(Node).order_by(nodes.c.seen_at.desc(), nodes.c.name)).scalars()
    return [Standing(one, _health(one, now), in_flight.get(one.name, 0)) for one in rows]


def _health(node: Node, now: datetime) -> Health:
    if node.stopped_at is not None:
        return Health.STOPPED
    return Health.ALIVE if now - node.seen_at < SILENT else Health.SILENT
