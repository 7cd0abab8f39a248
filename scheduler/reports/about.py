"""What every report says of itself: of what it speaks, what is known, from whom, since when, what words mean.

``lines`` is for people, in the language spoken; ``facts`` is for programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from importlib.metadata import version
from typing import Any

from babel.dates import format_date

from scheduler import i18n
from scheduler.i18n import N_, _, ngettext
from scheduler.reports.columns import ALL, MEANINGS, MEASURED, Headers, heading
from scheduler.reports.report import Report
from scheduler.reports.rows import LocalTime

#: Who measured a figure, in words.
SOURCES: Mapping[str, str] = {
    "api": N_("asked of the platform"),
    "manual": N_("read off and entered by a person"),
}
SUMS = N_(
    "A sum of reach over posts is no number of people: whoever saw two posts is in it twice."
    " How many different people a campaign reached, no platform tells."
)
UNKNOWN = N_("An empty cell means unknown. Unknown is never counted as 0; a 0 was measured.")
LABELS = N_("Agencies and topics are named as they are today; the rest is as it was known at that moment.")
COVERAGE = N_("{figure} known for {known} of {published} published posts")


def day(value: date) -> str:
    """A day as an office writes it: "9 Desember 2026"."""
    return format_date(value, "d MMMM y", locale=i18n.language())


def clock(value: datetime | time) -> str:
    """The time of day: 14.05 in Indonesian, 14:05 in English."""
    return value.strftime("%H.%M" if i18n.language() == "id" else "%H:%M")


def moment(value: LocalTime) -> str:
    """An instant with its zone: "9 Desember 2026 14.05 WIB"."""
    return f"{day(value.wall.date())} {clock(value.wall)} {value.label}"


def title(report: Report) -> str:
    """What a report is called."""
    if report.scope.campaign and report.campaigns:
        return str(report.campaigns[0].title)
    return _("Report on publications")


def period(report: Report) -> str:
    """The days of which a report speaks, as wanted, else as found; "" if there are no posts."""
    days = list(report.summary.days)
    first = report.scope.first or (days[0] if days else None)
    last = report.scope.last or (days[-1] if days else None)
    if first is None or last is None:
        return ""
    return day(first) if first == last else _("{first} to {last}", first=day(first), last=day(last))


def coverage_lines(report: Report) -> list[str]:
    """Of how many posts each figure is known."""
    total = report.coverage.total
    return [
        _(COVERAGE, figure=_(ALL[name].heading), known=total.known(name), published=total.published)
        for name in MEASURED
    ]


def capture(report: Report) -> str:
    """From whom the figures are, and when the first and the last of them were measured."""
    coverage = report.coverage
    if coverage.first is None or coverage.last is None:
        return _("Nothing was measured yet.")
    sources = "; ".join(
        ngettext("{count} post: {source}", "{count} posts: {source}", count, source=_(SOURCES.get(who, who)))
        for who, count in sorted(coverage.sources.items())
    )
    first, last = (f"{day(at.date())} {clock(at)}" for at in (coverage.first, coverage.last))
    return _("{sources}. Measured between {first} and {last}.", sources=sources, first=first, last=last)


def record(report: Report) -> str:
    """The newest event of the record at the moment of the report."""
    head = report.audit_head
    if head.at is None:
        return _("Nothing had been recorded.")
    at = moment(LocalTime(head.at, report.as_of.zone))
    return _("event {number} of {at}, SHA-256 {hash}", number=head.sequence, at=at, hash=head.hash)


def lines(report: Report) -> list[tuple[str, str]]:
    """Everything that a report says of itself, as label and text."""
    scope = report.scope
    said = [
        (_("Report"), title(report)),
        (_("Office"), report.office.name),
        (_("Campaign"), scope.campaign),
        (_("Agency"), scope.agency),
        (_("Planned from"), day(scope.first) if scope.first else ""),
        (_("Planned until"), day(scope.last) if scope.last else ""),
        (_("As known on"), moment(report.as_of)),
        (_("Names"), _(LABELS)),
        *((_("Coverage"), line) for line in coverage_lines(report)),
        (_("Sources"), capture(report)),
        (_("Unknown"), _(UNKNOWN)),
        (_("Sums"), _(SUMS)),
        *((_(ALL[name].heading), _(meaning)) for name, meaning in MEANINGS.items()),
        (_("Record"), record(report)),
        (_("Made with"), f"Gaung {version('gaung')}"),
    ]
    return [(label, text) for label, text in said if text]


def facts(report: Report) -> dict[str, Any]:
    """The same for programs; keys and codes are not translated."""
    scope, coverage, head = report.scope, report.coverage, report.audit_head
    language: Headers = "id" if i18n.language() == "id" else "en"
    return {
        "title": title(report),
        "office": report.office.name,
        "campaign": scope.campaign or None,
        "agency": scope.agency or None,
        "from": scope.first,
        "to": scope.last,
        "as_of": report.scope.as_of.isoformat(),
        "group_by": report.shape.group_by,
        "posts": coverage.total.posts,
        "published": coverage.total.published,
        "known": {name: coverage.total.known(name) for name in MEASURED},
        "sources": dict(sorted(coverage.sources.items())),
        "measured_first": coverage.first,
        "measured_last": coverage.last,
        "unknown": _(UNKNOWN),
        "sums": _(SUMS),
        "labels": _(LABELS),
        "columns": {
            column.code: {"heading": heading(column, language), "kind": column.kind}
            | ({"meaning": _(MEANINGS[column.code])} if column.code in MEANINGS else {})
            for column in report.columns
        },
        "audit_head": {"id": head.sequence, "at": head.at, "hash": head.hash} if head.at else None,
        "made_with": f"gaung {version('gaung')}",
    }
