"""The windows in force: every applied set is kept with who applied it; the newest one counts.

Here they become holds of a claim: which hard rules are in force at a moment, in which zones, and whom
they concern. Rules change rarely and begin and end at full minutes, so most turns find the answer ready.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session

from campaigns import timetable
from campaigns.windows import NONE, Rule, Windows
from scheduler.errors import StoreError
from scheduler.i18n import N_
from scheduler.store import holding
from scheduler.store.holding import Hold, Holds
from scheduler.store.tables import WindowSet, versions, window_sets
from scheduler.store.transitions import record


def current(session: Session) -> Windows:
    """The windows that were applied last; raise StoreError if this version of Gaung cannot read them."""
    text = _text(session)
    return _parsed(text) if text else NONE


def _text(session: Session) -> str:
    if holding.WINDOWS not in session.info:
        session.info[holding.WINDOWS] = session.connection().execute(_newest()).scalar() or ""
    text: str = session.info[holding.WINDOWS]
    return text


@cache
def _newest() -> Select[Any]:
    return select(window_sets.c.definition).order_by(window_sets.c.id.desc()).limit(1)


@lru_cache(maxsize=4)
def _parsed(text: str) -> Windows:
    try:
        return Windows.model_validate_json(text)
    except ValueError:  # then nobody knows what may go out now: nothing does
        raise StoreError(
            N_("This version of Gaung cannot read the windows in force; nothing is sent."),
            hint=N_("Install the version by which they were applied."),
        ) from None


def put(session: Session, windows: Windows, *, actor: str, at: datetime) -> bool:
    """Put windows into force, for claims from this transaction on; False if they are in force already."""
    before = current(session)
    if before == windows:
        return False
    session.add(WindowSet(definition=windows.model_dump_json(), applied_at=at, applied_by=actor))
    session.flush()
    holding.changed(session)
    old, new = ({rule.id: rule for rule in one.rules} for one in (before, windows))
    detail = {
        "new": sorted(new.keys() - old.keys()),
        "gone": sorted(old.keys() - new.keys()),
        "changed": sorted(one for one in new.keys() & old.keys() if new[one] != old[one]),
    }
    record(
        session,
        "windows_applied",
        actor=actor,
        at=at,
        detail={name: ids for name, ids in detail.items() if ids},
    )
    return True


def holds(session: Session, now: datetime) -> Holds:
    """What the hard windows in force hold back at this moment."""
    text = _text(session)
    return _holds(text, _zones(session), now.replace(second=0, microsecond=0)) if text else ()


def _zones(session: Session) -> tuple[str, ...]:
    if holding.ZONES not in session.info:
        session.info[holding.ZONES] = tuple(session.connection().execute(_all_zones()).scalars())
    zones: tuple[str, ...] = session.info[holding.ZONES]
    return zones


@cache
def _all_zones() -> Select[Any]:
    return select(versions.c.zone).distinct().order_by(versions.c.zone)


@lru_cache(maxsize=8)
def _holds(text: str, zones: tuple[str, ...], minute: datetime) -> Holds:
    windows = _parsed(text)
    hard = tuple(rule for rule in windows.active if rule.hard)
    found: dict[str, tuple[Rule, list[str]]] = {}
    for zone in zones:
        local = timetable.to_local(minute, zone).replace(tzinfo=None)
        for rule in windows.at(local, hard):
            found.setdefault(rule.id, (rule, []))[1].append(zone)
    return tuple(_hold(rule, inside) for rule, inside in found.values())


def _hold(rule: Rule, zones: Sequence[str]) -> Hold:
    return Hold(
        "window",
        accounts=rule.accounts,
        agencies=rule.agencies,
        campaigns=rule.campaigns,
        platforms=rule.platforms,
        regions=rule.regions,
        zones=tuple(zones),
        but_urgent=rule.except_urgent,
        candidates=rule.candidates,
    )


def next_change(session: Session, now: datetime) -> datetime | None:
    """When the first of the hard windows in force ends, so that what it held back can go out."""
    text = _text(session)
    return _next_change(text, _zones(session), now.replace(second=0, microsecond=0)) if text else None


@lru_cache(maxsize=8)
def _next_change(text: str, zones: tuple[str, ...], minute: datetime) -> datetime | None:
    windows = _parsed(text)
    hard = tuple(rule for rule in windows.active if rule.hard)
    ends: list[datetime] = []
    for zone in zones:
        local = timetable.to_local(minute, zone).replace(tzinfo=None)
        spans = [rule.around(local) for rule in windows.at(local, hard)]
        ends += [timetable.to_utc(span[1], zone) for span in spans if span]
    return min((end for end in ends if end > minute), default=None)
