"""What was applied so far, as two numbers: whether anything was since a post was claimed, they tell."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session

from scheduler.store.tables import versions, window_sets

#: The newest version of any campaign, and the newest windows.
Edition = tuple[int, int]
#: Before anything was applied: differs from every edition under which a post can have been claimed.
NONE: Edition = (0, 0)


def edition(session: Session) -> Edition:
    """What is in force at this moment."""
    campaign, windows = session.connection().execute(_newest()).one()
    return campaign or 0, windows or 0


@cache
def _newest() -> Select[Any]:
    return select(
        select(func.max(versions.c.id)).scalar_subquery(),
        select(func.max(window_sets.c.id)).scalar_subquery(),
    )
