"""How figures grew: of one post over its snapshots, of all posts together over the days.

A figure that a later snapshot does not tell keeps its last value; before the first it is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from campaigns.timetable import to_local
from scheduler.store.followers import Count

#: What is drawn over time.
DRAWN = ("views", "reach", "engagement")


@dataclass(frozen=True, slots=True)
class Curve:
    """One figure of one post: when it was measured, and what it was then."""

    times: Sequence[datetime]
    values: Sequence[int]


def by_post(snapshots: Iterable[Any], name: str) -> Iterator[tuple[int, Curve]]:
    """Given snapshots by post and time, yield the curve of a figure for each post that has one."""
    for delivery_id, own in groupby(snapshots, key=lambda row: int(row.delivery_id)):
        known = [(row.taken_at, value) for row in own if (value := _value(row, name)) is not None]
        if known:
            yield delivery_id, Curve([at for at, _value in known], [value for _at, value in known])


def by_day(snapshots: Iterable[Any]) -> Mapping[str, Sequence[tuple[date, int]]]:
    """Given snapshots by post and time, return the sum over all posts at the end of each day, by figure.

    A day is that of the post's zone. A figure that nobody measured has no curve at all.
    """
    steps: dict[str, dict[date, int]] = {name: {} for name in DRAWN}
    for _delivery_id, own in groupby(snapshots, key=lambda row: int(row.delivery_id)):
        last = dict.fromkeys(DRAWN, 0)
        for row in own:
            day = to_local(row.taken_at, row.zone).date()
            for name in DRAWN:
                if (value := _value(row, name)) is not None:
                    steps[name][day] = steps[name].get(day, 0) + value - last[name]
                    last[name] = value
    return {name: _added_up(own) for name, own in steps.items() if own}


def since(counts: Sequence[Count], moment: datetime | None) -> Sequence[Count]:
    """Of counts in the order of time: those after a moment, and the last one before it to begin with."""
    before = [place for place, one in enumerate(counts) if moment is not None and one.at <= moment]
    return counts[before[-1] :] if before else counts


def _added_up(steps: Mapping[date, int]) -> list[tuple[date, int]]:
    first, last = min(steps), max(steps)
    total, curve = 0, []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        total += steps.get(day, 0)
        curve.append((day, total))
    return curve


def _value(row: Any, name: str) -> int | None:
    if name == "engagement":
        from scheduler.reports.rows import figures

        return figures(row)["engagement"]
    value: int | None = getattr(row, name)
    return value
