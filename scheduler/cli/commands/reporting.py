"""``report``: handing in what was published and measured, as a file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli.output import say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, language, ngettext

if TYPE_CHECKING:
    from scheduler.reports.columns import Headers
    from scheduler.reports.report import Report

CampaignArgument = Annotated[
    str, typer.Argument(help=_("Id of the campaign; without it everything that was ever planned."))
]


class ReportFormat(StrEnum):
    """How a report file is written."""

    CSV = "csv"
    CSV_EXCEL = "csv-excel"
    JSON = "json"
    XLSX = "xlsx"
    HTML = "html"
    PDF = "pdf"


class Group(StrEnum):
    """What a row of a report stands for."""

    POST = "post"
    MESSAGE = "message"
    TOPIC = "topic"
    PLATFORM = "platform"
    ACCOUNT = "account"
    AGENCY = "agency"
    DAY = "day"


class Columns(StrEnum):
    """Which columns a report has."""

    DATA = "data"
    OFFICE = "office"


class Headings(StrEnum):
    """What stands above the columns."""

    ID = "id"
    EN = "en"
    CODES = "codes"


def report(
    context: typer.Context,
    campaign: CampaignArgument = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help=_("The file to write, - for the screen; without it CAMPAIGN.csv (or the format's) here."),
            readable=False,
        ),
    ] = None,
    form: Annotated[
        ReportFormat | None,
        typer.Option(
            "--format",
            "-f",
            help=_("csv for programs, csv-excel for a double click in Excel; else what --output ends with."),
        ),
    ] = None,
    first: Annotated[str, typer.Option("--from", help=_("First day, by the planned time."))] = "",
    last: Annotated[str, typer.Option("--to", help=_("Last day, included."))] = "",
    month: Annotated[str, typer.Option(help=_("A whole month, like 2026-12."))] = "",
    agency: Annotated[str, typer.Option(help=_("Only the accounts of this agency."))] = "",
    group_by: Annotated[Group, typer.Option(help=_("What a row stands for."))] = Group.POST,
    as_of: Annotated[
        str,
        typer.Option(help=_("Only what was known then: a day (its end) or a time like 2026-12-31T17:00.")),
    ] = "",
    columns: Annotated[
        Columns | None,
        typer.Option(help=_("data: as programs know them; office: as a monthly recap has them.")),
    ] = None,
    headers: Annotated[
        Headings | None, typer.Option(help=_("Headings in Indonesian, in English, or as codes."))
    ] = None,
) -> None:
    from scheduler.cli.reports import days, moment, must_exist, office
    from scheduler.reports.formats import FOR_PEOPLE
    from scheduler.reports.report import Report, Shape
    from scheduler.store.reporting import Scope

    workplace: Workplace = context.obj
    chosen = _format(form, output)
    since, until = days(month, first, last)
    scope = Scope(
        as_of=moment(as_of, workplace.config.zone, workplace.clock.now()),
        campaign=campaign,
        agency=agency,
        first=since,
        last=until,
    )
    people = chosen in FOR_PEOPLE or columns is Columns.OFFICE
    wanted = columns or (Columns.OFFICE if people else Columns.DATA)
    shape = Shape(
        group_by=group_by.value,
        columns=wanted.value,
        headers=_headers(headers, people),
    )
    with workplace.store().read() as session:
        if campaign:
            must_exist(session, campaign)
        _write(Report(session, scope, office(workplace), shape), chosen, output)


def _headers(asked: Headings | None, people: bool) -> Headers:
    if asked is Headings.ID or (asked is None and people and language() == "id"):
        return "id"
    return "en" if asked is Headings.EN or (asked is None and people) else "codes"


def _format(chosen: ReportFormat | None, output: Path | None) -> str:
    """The format that is asked for: by name, else by the ending of the file, else csv."""
    from scheduler.reports import formats

    if chosen:
        return chosen.value
    if output is None or not output.suffix:
        return "csv"
    if (form := formats.by_suffix(output.suffix)) is None:
        raise GaungError(
            N_("Reports are not written as {ending}; nothing was written."),
            hint=N_("Let --output end with .csv, .json, .xlsx, .html or .pdf, or choose with --format."),
            ending=output.suffix,
        )
    return form


def _write(report: Report, form: str, output: Path | None) -> None:
    """Write the report to its place, and say what was written."""
    import sys

    from scheduler.reports import beside, formats, tables

    writer = formats.writer(form)
    if output == Path("-"):
        writer.write(report, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    name = report.scope.campaign or _("report")
    target = output or Path(f"{name}{formats.suffix(form)}")
    with tables.report_file(target) as stream:
        writer.write(report, stream)
    if form == "csv":
        tables.write_file(beside.name(target), beside.describe(report, target))
    count = report.written
    say(ngettext("{count} row written to {file}.", "{count} rows written to {file}.", count, file=target))
    if report.risky:
        say(
            ngettext(
                "{count} cell begins like a formula. For Excel use --format csv-excel.",
                "{count} cells begin like a formula. For Excel use --format csv-excel.",
                report.risky,
            )
        )
