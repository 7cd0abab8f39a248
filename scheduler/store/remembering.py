"""What attempts must remember while they are under way, and what they are told when they ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any

from sqlalchemy import (
    Update,
    bindparam,
    select,
    update,
)
from sqlmodel import Session

from scheduler.states import State
from scheduler.store import holding
from scheduler.store.conditions import in_state
from scheduler.store.present import present
from scheduler.store.tables import deliveries


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
