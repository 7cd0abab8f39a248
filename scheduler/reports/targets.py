"""What each agency was to publish, and what it did publish.

A campaign file may name a number of posts for the whole campaign; the configuration names posts a
month. A target that nobody set is unknown, and so is every share of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduler.reports.report import Report
    from scheduler.reports.tally import Tally

#: In place of an agency's name: every agency that is not named.
OTHERS = "*"


@dataclass(frozen=True, slots=True)
class Standing:
    """One agency: target and actual number of published posts."""

    agency: str
    target: int | None
    actual: int

    @property
    def share(self) -> float | None:
        """Actual divided by target; None without a target."""
        return self.actual / self.target if self.target else None


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets for the whole of a report: by campaign where a campaign sets them, else by month."""

    campaign: Mapping[str, int]
    monthly: Mapping[str, int]
    months: int
    agencies: Sequence[str]

    @classmethod
    def of(cls, report: Report) -> Targets:
        """The targets of a report."""
        days = list(report.summary.days)
        first = report.scope.first or (days[0] if days else None)
        last = report.scope.last or (days[-1] if days else None)
        own = report.campaigns[0].definition["campaign"] if report.scope.campaign and report.campaigns else {}
        given = own.get("targets", {})
        named = [*report.office.agencies, *report.office.targets, *given]
        wanted = report.scope.agency
        agencies = {name for name in named if name != OTHERS and wanted in {"", name}}
        return cls(given, report.office.targets, months_between(first, last), sorted(agencies))

    def target(self, agency: str) -> int | None:
        """How many posts an agency was to publish; None if nobody said."""
        if self.campaign:
            return self.campaign.get(agency, self.campaign.get(OTHERS))
        each = self.monthly.get(agency, self.monthly.get(OTHERS))
        return each * self.months if each is not None and self.months else None

    def standings(self, tallies: Mapping[str, Tally]) -> list[Standing]:
        """Every agency with an account, a target or a post, by name; what nobody published counts 0."""
        names = sorted({*self.agencies, *tallies} - {""})
        return [
            Standing(name, self.target(name), tallies[name].published if name in tallies else 0)
            for name in names
        ]


def months_between(first: date | None, last: date | None) -> int:
    """How many calendar months a period touches; 0 if there is none."""
    if first is None or last is None:
        return 0
    return (last.year - first.year) * 12 + last.month - first.month + 1
