"""``xlsx``: a workbook to hand in. Cells are typed, identifiers are texts, charts are Excel's own.

Rows are streamed to disk (XlsxWriter's constant memory), so 100,000 posts need no more memory than ten.
Every date in the file is that of the report, so the same report gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO

from scheduler.i18n import _
from scheduler.reports import about
from scheduler.reports.columns import ALL, FOLLOWING, Column
from scheduler.reports.formats import xlsx_cover
from scheduler.reports.formats.xlsx_sheet import Book, Cells, Sheet
from scheduler.reports.report import Report
from scheduler.reports.tally import Summary, Tally

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Rows of an Excel sheet (1,048,576) without the heading.
_ROWS = 1_048_575
#: Figures of the sheets by platform and topic.
_SHOWN = ("views", "reach", "engagement")


def write(report: Report, stream: BinaryIO) -> None:
    """Write the workbook; rows that do not fit on one sheet go on on the next."""
    book = Book(stream, created=report.as_of.wall, title=about.title(report), author=report.office.name)
    cover = book.sheet(_("Cover"))
    recap = book.sheet(_("Recap"))
    platforms = book.sheet(_("Platforms"))
    topics = book.sheet(_("Topics"))
    accounts = book.sheet(_("Accounts"))
    timeline = book.sheet(_("Timeline"))
    _table(report, book)
    notes = book.sheet(_("Notes"))
    _recap(report, recap)
    _groups(platforms, ALL["platform"], report.summary.platforms, "bar")
    _groups(topics, ALL["topic"], report.summary.topics, "bar")
    _accounts(report, accounts)
    _timeline(report, timeline)
    _notes(report, notes)
    xlsx_cover.fill(report, cover)
    book.close()


def _table(report: Report, book: Book) -> None:
    """The rows of the report; with them the summary becomes known."""
    rows = report.rows(Summary())
    names = {"post": _("Posts"), "day": _("Days")}
    name = names.get(report.shape.group_by) or _(ALL[_column(report)].heading)
    for number in range(1, 1000):
        first = next(rows, None)
        if first is None and number > 1:
            return
        sheet = book.sheet(name if number == 1 else f"{name} {number}")
        part = islice(chain([first] if first else [], rows), _ROWS)
        sheet.table(report.columns, report.headings, (list(row.values()) for row in part))
        if sheet.last_row < _ROWS:
            return


def _column(report: Report) -> str:
    return report.shape.group_by if report.shape.group_by in ALL else "no"


def _recap(report: Report, sheet: Sheet) -> None:
    """Every agency: target and actual, then the figures, each with the number of posts that know it."""
    tallies = report.summary.agencies
    columns = [
        Column("agency", "", width=34),
        Column("target", "", "count", 10),
        Column("actual", "", "count", 10),
        Column("share", "", "rate", 12),
        *_figure_columns(),
    ]
    headings = [_("Agency"), _("Target"), _("Actual"), _("Share of target"), *_figure_headings()]
    standings = report.targets.standings(tallies)
    rows: list[Cells] = [
        [one.agency, one.target, one.actual, one.share, *_figures(tallies.get(one.agency))]
        for one in standings
    ]
    sheet.table(columns, headings, rows, total=_total(report))
    if rows:
        sheet.chart("bar", [(_("Target"), 1), (_("Actual"), 2)], len(rows), at=len(rows) + 4)


def _groups(sheet: Sheet, column: Column, tallies: Mapping[str, Tally], kind: str) -> None:
    """One row for each platform or topic."""
    columns = [
        Column(column.code, "", width=24),
        Column("posts", "", "count", 10),
        Column("published", "", "count", 10),
        *_figure_columns(),
    ]
    headings = [_(column.heading), _("Posts"), _("Posts published"), *_figure_headings()]
    rows: list[Cells] = [
        [name or _("(none)"), one.posts, one.published, *_figures(one)] for name, one in tallies.items()
    ]
    sheet.table(columns, headings, rows)
    if rows:
        sheet.chart(kind, [(_("Views"), 3), (_("Reach added over posts"), 5)], len(rows), at=len(rows) + 3)


def _accounts(report: Report, sheet: Sheet) -> None:
    """One row for each account: posts and figures, how it answers, who follows it."""
    codes = ("received", "answered", "response_minutes", *FOLLOWING)
    columns = [
        Column("account", "", "code", 24),
        Column("posts", "", "count", 10),
        Column("published", "", "count", 10),
        *_figure_columns(),
        *(ALL[code] for code in codes),
    ]
    headings = [
        *(_(ALL["account"].heading), _("Posts"), _("Posts published")),
        *_figure_headings(),
        *(_(ALL[code].heading) for code in codes),
    ]
    rows: list[Cells] = []
    for name, one in report.summary.accounts.items():
        answers = (one.sum("received"), one.sum("answered"), one.response_minutes)
        follow = report.followers.row(name)
        rows.append(
            [name, one.posts, one.published, *_figures(one), *answers, *(follow[code] for code in FOLLOWING)]
        )
    sheet.table(columns, headings, rows)


def _timeline(report: Report, sheet: Sheet) -> None:
    """Day by day: posts published on it, and what all posts together had reached at its end."""
    columns = [
        Column("day", "", "day", 20),
        Column("published", "", "count", 16),
        *(Column(name, "", "count", 20) for name in _SHOWN),
    ]
    headings = [
        _("Day"),
        _("Posts published"),
        _("Views by the end of the day"),
        _("Reach added over posts by the end of the day (not people)"),
        _("Engagement by the end of the day"),
    ]
    days = report.summary.days
    curves = {name: dict(points) for name, points in report.growth.items()}
    today = report.as_of.wall.date()
    # Of days to come nobody knows anything, although posts are planned on them.
    known = sorted(day for day in {*days, *(day for one in curves.values() for day in one)} if day <= today)
    rows: list[Cells] = [
        [
            day,
            days[day].published if day in days else 0,
            *(_at(curves.get(name, {}), day) for name in _SHOWN),
        ]
        for day in known
    ]
    sheet.table(columns, headings, rows)
    if rows:
        sheet.chart(
            "line", [(_("Views"), 2), (_("Reach added over posts"), 3)], len(rows), beside=len(columns)
        )


def _at(curve: Mapping[date, int], day: date) -> int | None:
    """The curve at the end of a day: before it begins unknown, after it ends its last value."""
    if day in curve:
        return curve[day]
    return curve[max(curve)] if curve and day > max(curve) else None


def _notes(report: Report, sheet: Sheet) -> None:
    """Everything that the report says of itself."""
    columns = [Column("what", "", width=26), Column("says", "", width=100)]
    sheet.table(
        columns, [_("What"), _("Explanation")], (list(line) for line in about.lines(report)), wrap=True
    )


def _figure_columns() -> Iterator[Column]:
    for name in _SHOWN:
        yield Column(name, "", "count", 16)
        yield Column(f"{name}_known", "", "count", 14)


def _figure_headings() -> list[str]:
    return [
        _("Views, sum"),
        _("Views: known for posts"),
        _("Reach added over posts (not people)"),
        _("Reach: known for posts"),
        _("Engagement, sum"),
        _("Engagement: known for posts"),
    ]


def _figures(tally: Tally | None) -> list[int | None]:
    if tally is None:
        return [None, 0] * len(_SHOWN)
    return [cell for name in _SHOWN for cell in (tally.sum(name), tally.known(name))]


def _total(report: Report) -> Cells:
    """The last line; the sum of targets is known only if every agency has one."""
    total = report.summary.total
    standings = report.targets.standings(report.summary.agencies)
    targets = [one.target for one in standings if one.target is not None]
    target = sum(targets) if targets and len(targets) == len(standings) else None
    actual = sum(one.actual for one in standings)
    return [_("Total"), target, actual, actual / target if target else None, *_figures(total)]
