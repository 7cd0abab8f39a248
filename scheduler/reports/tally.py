"""Adding up rows: a tally for any group of posts, and a summary of all that a report shows at a glance.

A sum never stands alone: beside it stands of how many posts the figure is known. Nothing known is None.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from scheduler.reports.columns import COUNTED, GroupBy
from scheduler.reports.rows import PUBLISHED, Row

#: How many of the best and of the weakest posts are kept.
SHOWN = 5
#: What posts are ranked by: the first that is known of most posts.
RANKED = ("reach", "views", "engagement")


class Tally:
    """Posts and figures of one group."""

    __slots__ = ("_known", "_sums", "_waited", "posts", "published")

    def __init__(self) -> None:
        self.posts = 0
        self.published = 0
        self._sums = dict.fromkeys(COUNTED, 0)
        self._known = dict.fromkeys(COUNTED, 0)
        self._waited = 0
        """Minutes until an answer, over all answered comments."""

    def add(self, row: Row) -> None:
        """Count one row."""
        self.posts += 1
        if row["state"] in PUBLISHED:
            self.published += 1
        sums, known = self._sums, self._known
        for name in COUNTED:
            value = row[name]
            if value is not None:
                sums[name] += value
                known[name] += 1
        if (minutes := row["response_minutes"]) is not None:
            self._waited += minutes * row["answered"]

    def merge(self, other: Tally) -> None:
        """Count everything of another tally."""
        self.posts += other.posts
        self.published += other.published
        for name in COUNTED:
            self._sums[name] += other._sums[name]
            self._known[name] += other._known[name]
        self._waited += other._waited

    def sum(self, name: str) -> int | None:
        """The figure added over the posts that know it; None if no post does."""
        return self._sums[name] if self._known[name] else None

    def known(self, name: str) -> int:
        """How many posts know the figure."""
        return self._known[name]

    @property
    def response_minutes(self) -> int | None:
        """The mean time until an answer, over all comments that were answered; None if none was."""
        answered = self.sum("answered")
        return round(self._waited / answered) if answered else None

    def row(self) -> dict[str, Any]:
        """As the cells of a grouped report."""
        cells: dict[str, Any] = {"posts": self.posts, "published": self.published}
        for name in COUNTED:
            cells[f"{name}_sum"] = self.sum(name)
            cells[f"{name}_known"] = self._known[name]
        cells["response_minutes"] = self.response_minutes
        return cells


def key_of(row: Row, by: GroupBy) -> Any:
    """The group to which a row belongs; a day is that of publishing, else of the plan."""
    if by == "day":
        return (row["published_at"] or row["planned_at"]).date()
    return row[by]


def grouped(rows: Iterable[Row], by: GroupBy) -> Iterator[Row]:
    """One row for each group, in the order of their names (or days)."""
    groups: dict[Any, Tally] = {}
    for row in rows:
        key = key_of(row, by)
        if key not in groups:
            groups[key] = Tally()
        groups[key].add(row)
    for key in sorted(groups):
        yield {by: key, **groups[key].row()}


@dataclass(slots=True)
class Coverage:
    """What every report says of itself: of how many posts what is known, from whom, measured when.

    ``first`` and ``last`` are wall-clock times, each in the zone of its own post.
    """

    total: Tally = field(default_factory=Tally)
    sources: dict[str, int] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None

    def add(self, row: Row) -> None:
        """Count one row."""
        self.total.add(row)
        at = row["measured_at"]
        if at is not None:
            self.sources[row["source"]] = self.sources.get(row["source"], 0) + 1
            if self.first is None or at < self.first:
                self.first = at
            if self.last is None or at > self.last:
                self.last = at


class Summary(Coverage):
    """Everything that is shown at a glance; memory grows with groups and days, not with posts."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: dict[tuple[Any, ...], Tally] = {}
        self._best: dict[str, list[tuple[int, int, Row]]] = {name: [] for name in RANKED}
        self._weakest: dict[str, list[tuple[int, int, Row]]] = {name: [] for name in RANKED}
        self.states: dict[str, int] = {}

    def add(self, row: Row) -> None:
        """Count one row."""
        super().add(row)
        self.states[row["state"]] = self.states.get(row["state"], 0) + 1
        when = row["published_at"] or row["planned_at"]
        key = (row["platform"], row["topic"], row["agency"], when.date(), when.hour, row["account"])
        if key not in self._parts:
            self._parts[key] = Tally()
        self._parts[key].add(row)
        if row["state"] in PUBLISHED:
            for name in RANKED:
                if (value := row[name]) is not None:
                    order = -self.total.posts
                    _keep(self._best[name], (value, order, row))
                    _keep(self._weakest[name], (-value, order, row))

    def by(self, place: int) -> dict[Any, Tally]:
        """The tallies by one part of the key, in the order of their names."""
        groups: dict[Any, Tally] = {}
        for key, tally in self._parts.items():
            groups.setdefault(key[place], Tally()).merge(tally)
        return dict(sorted(groups.items()))

    @property
    def platforms(self) -> Mapping[str, Tally]:
        """By platform."""
        return self.by(0)

    @property
    def topics(self) -> Mapping[str, Tally]:
        """By topic."""
        return self.by(1)

    @property
    def agencies(self) -> Mapping[str, Tally]:
        """By agency."""
        return self.by(2)

    @property
    def accounts(self) -> Mapping[str, Tally]:
        """By account."""
        return self.by(5)

    @property
    def days(self) -> Mapping[date, Tally]:
        """By day."""
        return self.by(3)

    @property
    def hours(self) -> Mapping[tuple[int, int], Tally]:
        """By weekday (Monday is 0, as offices count) and hour."""
        groups: dict[tuple[int, int], Tally] = {}
        for key, tally in self._parts.items():
            groups.setdefault((key[3].weekday(), key[4]), Tally()).merge(tally)
        return groups

    @property
    def months(self) -> Mapping[tuple[str, str], Tally]:
        """By month ("2026-12") and agency."""
        groups: dict[tuple[str, str], Tally] = {}
        for key, tally in self._parts.items():
            groups.setdefault((f"{key[3]:%Y-%m}", key[2]), Tally()).merge(tally)
        return dict(sorted(groups.items()))

    @property
    def ranked_by(self) -> str:
        """The figure by which posts are ranked: the one that most posts know; "" if none does."""
        best = max(RANKED, key=self.total.known)
        return best if self.total.known(best) else ""

    def best_by(self, name: str) -> list[Row]:
        """The posts with the highest ``name``, highest first."""
        return _ranking(self._best.get(name, []))

    def best(self) -> list[Row]:
        """The posts with the highest figures, highest first."""
        return self.best_by(self.ranked_by)

    def weakest(self) -> list[Row]:
        """The posts with the lowest figures, lowest first, none of which is among the best."""
        best = {id(row) for row in self.best()}
        return [row for row in _ranking(self._weakest.get(self.ranked_by, [])) if id(row) not in best]


def _keep(heap: list[tuple[int, int, Row]], entry: tuple[int, int, Row]) -> None:
    (heapq.heappush if len(heap) < SHOWN else heapq.heappushpop)(heap, entry)


def _ranking(heap: list[tuple[int, int, Row]]) -> list[Row]:
    return [row for _value, _order, row in sorted(heap, key=lambda entry: entry[:2], reverse=True)]
