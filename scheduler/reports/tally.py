"""Adding up rows: a tally for any group of posts, and a summary of all that a report shows at a glance.

A sum never stands alone: beside it stands of how many posts the figure is known. Nothing known is None.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from scheduler.reports.columns import COUNTED, GroupBy
from scheduler.reports.rows import PUBLISHED, Row
from scheduler.states import State

#: How many of the best and of the weakest posts are kept.
SHOWN = 5
#: What posts are ranked by: the first that is known of most posts.
RANKED = ("reach", "views", "engagement")


#: Name of a figure -> its place in the lists of a tally.
_PLACES = {name: place for place, name in enumerate(COUNTED)}
_figures_of = itemgetter(*COUNTED)

#: What a row adds to tallies: whether it was published, its known figures by place, minutes until answers.
_Told = tuple[bool, list[tuple[int, int]], int]


def _told(row: Row) -> _Told:
    told = [one for one in enumerate(_figures_of(row)) if one[1] is not None]
    minutes = row["response_minutes"]
    return row["state"] in PUBLISHED, told, minutes * row["answered"] if minutes else 0


class Tally:
    """Posts and figures of one group."""

    __slots__ = ("_known", "_sums", "_waited", "posts", "published")

    def __init__(self) -> None:
        self.posts = 0
        self.published = 0
        self._sums = [0] * len(COUNTED)
        self._known = [0] * len(COUNTED)
        self._waited = 0
        """Minutes until an answer, over all answered comments."""

    def add(self, row: Row) -> None:
        """Count one row."""
        self.count(_told(row))

    def count(self, told: _Told) -> None:
        """Count one row by what it tells."""
        published, figures, waited = told
        self.posts += 1
        self.published += published
        self._waited += waited
        sums, known = self._sums, self._known
        for place, value in figures:
            sums[place] += value
            known[place] += 1

    def merge(self, other: Tally) -> None:
        """Count everything of another tally."""
        self.posts += other.posts
        self.published += other.published
        self._waited += other._waited
        for place in range(len(COUNTED)):
            self._sums[place] += other._sums[place]
            self._known[place] += other._known[place]

    def sum(self, name: str) -> int | None:
        """The figure added over the posts that know it; None if no post does."""
        place = _PLACES[name]
        return self._sums[place] if self._known[place] else None

    def known(self, name: str) -> int:
        """How many posts know the figure."""
        return self._known[_PLACES[name]]

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
            cells[f"{name}_known"] = self.known(name)
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
        # Apart from each other: together they would be almost as many as posts.
        self._kinds: dict[tuple[str, ...], Tally] = {}
        self._days: dict[date, Tally] = {}
        self._hours: dict[tuple[int, int], Tally] = {}
        self._months: dict[tuple[str, str], Tally] = {}
        self._best: dict[str, list[tuple[int, int, Row]]] = {name: [] for name in RANKED}
        self._weakest: dict[str, list[tuple[int, int, Row]]] = {name: [] for name in RANKED}
        self.states: dict[str, int] = {}

    def add(self, row: Row) -> None:
        """Count one row."""
        super().add(row)
        self.states[row["state"]] = self.states.get(row["state"], 0) + 1
        when, told = row["published_at"] or row["planned_at"], _told(row)
        day = when.date()
        _in(self._kinds, (row["platform"], row["topic"], row["agency"], row["account"])).count(told)
        _in(self._days, day).count(told)
        _in(self._hours, (day.weekday(), when.hour)).count(told)
        _in(self._months, (f"{day:%Y-%m}", row["agency"])).count(told)
        if row["state"] in PUBLISHED:
            for name in RANKED:
                if (value := row[name]) is not None:
                    order = -self.total.posts
                    _keep(self._best[name], (value, order, row))
                    _keep(self._weakest[name], (-value, order, row))

    @property
    def planned(self) -> int:
        """How many posts were to go out; what was withdrawn was not, in the end."""
        return self.total.posts - self.states.get(State.WITHDRAWN, 0)

    def _by(self, place: int) -> dict[Any, Tally]:
        """The tallies by one part of what a post is, in the order of their names."""
        groups: dict[Any, Tally] = {}
        for kind, tally in self._kinds.items():
            _in(groups, kind[place]).merge(tally)
        return dict(sorted(groups.items()))

    @property
    def platforms(self) -> Mapping[str, Tally]:
        """By platform."""
        return self._by(0)

    @property
    def topics(self) -> Mapping[str, Tally]:
        """By topic."""
        return self._by(1)

    @property
    def agencies(self) -> Mapping[str, Tally]:
        """By agency."""
        return self._by(2)

    @property
    def accounts(self) -> Mapping[str, Tally]:
        """By account."""
        return self._by(3)

    @property
    def days(self) -> Mapping[date, Tally]:
        """By day."""
        return dict(sorted(self._days.items()))

    @property
    def hours(self) -> Mapping[tuple[int, int], Tally]:
        """By weekday (Monday is 0, as offices count) and hour."""
        return self._hours

    @property
    def months(self) -> Mapping[tuple[str, str], Tally]:
        """By month ("2026-12") and agency."""
        return dict(sorted(self._months.items()))

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


def _in(groups: dict[Any, Tally], key: Any) -> Tally:
    """The tally of a group, made when it is first met."""
    found = groups.get(key)
    if found is None:
        found = groups[key] = Tally()
    return found


def _keep(heap: list[tuple[int, int, Row]], entry: tuple[int, int, Row]) -> None:
    (heapq.heappush if len(heap) < SHOWN else heapq.heappushpop)(heap, entry)


def _ranking(heap: list[tuple[int, int, Row]]) -> list[Row]:
    return [row for _value, _order, row in sorted(heap, key=lambda entry: entry[:2], reverse=True)]
