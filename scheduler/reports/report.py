"""A report as a writer is given it: its table, what it says of itself, and what is shown at a glance.

Rows are streamed from an open transaction, so every part of one report sees the same moment. A writer
asks for what it prints and knows no database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from scheduler.reports import growth, tally
from scheduler.reports.accounts import Followers
from scheduler.reports.columns import ALL, DATA, OFFICE, Column, GroupBy, Headers, grouped, heading
from scheduler.reports.rows import PUBLISHED, LocalTime, Row, Words, office_rows, report_rows
from scheduler.reports.tally import Coverage, Summary
from scheduler.reports.targets import Targets
from scheduler.states import State
from scheduler.store import auditing, reporting
from scheduler.store.auditing import Head
from scheduler.store.database import Session
from scheduler.store.media import MediaFolder
from scheduler.store.reporting import Scope


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs a report, as it is printed under it."""

    heading: str
    position: str
    name: str
    employee_number: str
    place: str


@dataclass(frozen=True, slots=True)
class Office:
    """What a report takes from the configuration."""

    name: str
    zone: str
    words: Words
    state_word: Callable[[State], str]
    signatures: Sequence[Signature] = ()
    targets: Mapping[str, int] = field(default_factory=dict)
    """Posts a month, by agency; ``*`` for every other one."""
    agencies: Sequence[str] = ()
    """Every agency that has an account."""
    media: MediaFolder | None = None
    """Where the approved pictures are, for formats that show them."""

    def picture(self, media: Mapping[str, Any]) -> bytes | None:
        """An approved picture, exactly as it was approved; None if it is not at hand."""
        if self.media is None or not self.media.intact(media["sha256"], media["name"]):
            return None
        return self.media.path(media["sha256"], media["name"]).read_bytes()


@dataclass(frozen=True, slots=True)
class Shape:
    """How the table of a report is wanted."""

    group_by: GroupBy = "post"
    columns: str = "data"
    """``data`` for programs, ``office`` for people."""
    headers: Headers = "codes"


class Report:
    """One report; made for one writer, within one reading transaction."""

    def __init__(self, session: Session, scope: Scope, office: Office, shape: Shape) -> None:
        self._session = session
        self.scope = scope
        self.office = office
        self.shape = shape
        self.risky = 0
        """Cells that a spreadsheet would take for formulas, where a writer leaves texts as they are."""
        self.evidence: Callable[[int, Row], str | None] | None = None
        """Where the evidence of a row lies, by its number, if it lies beside the report."""
        self._groups = 0
        self._coverage: Coverage | None = None

    # The table.

    @cached_property
    def columns(self) -> Sequence[Column]:
        """The columns of the table."""
        if self.shape.group_by != "post":
            return grouped(self.shape.group_by)
        return [ALL[code] for code in (OFFICE if self.shape.columns == "office" else DATA)]

    @property
    def codes(self) -> list[str]:
        """The keys of the cells, in order."""
        return [column.code for column in self.columns]

    @property
    def headings(self) -> list[str]:
        """What stands above the columns."""
        return [heading(column, self.shape.headers) for column in self.columns]

    def rows(self, into: Coverage | None = None) -> Iterator[Row]:
        """Stream the rows of the table; the coverage (or the summary) is known when they are through."""
        posts = self._counted(into if into is not None else Coverage())
        if self.shape.group_by != "post":
            groups: list[Row] = list(tally.grouped(posts, self.shape.group_by))
            if self.shape.group_by == "account":
                groups = [{**row, **self.followers.row(row["account"])} for row in groups]
            self._groups = len(groups)
            return iter(groups)
        if self.shape.columns == "office":
            return office_rows(posts, self.office.state_word)
        return posts

    def _counted(self, into: Coverage) -> Iterator[Row]:
        add, evidence = into.add, self.evidence
        for row in report_rows(self._session, self.scope, self.office.words):
            add(row)
            yield row if evidence is None else self._with_evidence(into.total.posts, row)
        if not isinstance(self._coverage, Summary):
            self._coverage = into

    def _with_evidence(self, number: int, row: Row) -> Row:
        published = self.evidence and row["state"] in PUBLISHED
        return {**row, "evidence": self.evidence(number, row) if self.evidence and published else None}

    @property
    def written(self) -> int:
        """How many rows the table had."""
        return self.coverage.total.posts if self.shape.group_by == "post" else self._groups

    # What it says of itself.

    @property
    def coverage(self) -> Coverage:
        """Of how many posts what is known; the rows are counted if they have not been yet."""
        if self._coverage is None:
            for _row in self._counted(Coverage()):
                pass
        if self._coverage is None:
            raise RuntimeError("the rows were not counted")
        return self._coverage

    @property
    def summary(self) -> Summary:
        """Everything that is shown at a glance."""
        if not isinstance(self._coverage, Summary):
            for _row in self._counted(Summary()):
                pass
        if not isinstance(self._coverage, Summary):
            raise RuntimeError("the rows were not counted")
        return self._coverage

    @cached_property
    def campaigns(self) -> Sequence[Any]:
        """The campaigns in force of which the report speaks."""
        return reporting.campaigns(self._session, self.scope.as_of, self.scope.campaign)

    @cached_property
    def audit_head(self) -> Head:
        """The newest event of the record at the moment of the report: with it, all before it is fixed."""
        return auditing.head(self._session, self.scope.as_of)

    @property
    def as_of(self) -> LocalTime:
        """The moment of the report in the zone of its campaign, or of the office."""
        zone = self.campaigns[0].zone if self.scope.campaign and self.campaigns else self.office.zone
        return LocalTime(self.scope.as_of, zone)

    @cached_property
    def targets(self) -> Targets:
        """What the agencies had to publish."""
        return Targets.of(self)

    @cached_property
    def followers(self) -> Followers:
        """How many people follow the accounts, in the time of the report."""
        return Followers.of(self._session, self)

    @cached_property
    def growth(self) -> Mapping[str, Sequence[tuple[date, int]]]:
        """Figures added up over all posts, at the end of each day."""
        return growth.by_day(reporting.growth(self._session, self.scope))

    def contents(self, digests: Sequence[str]) -> Mapping[str, Any]:
        """The whole contents of some posts, by digest."""
        return reporting.contents_of(self._session, digests)
