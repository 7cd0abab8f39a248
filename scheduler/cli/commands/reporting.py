"""``reach`` and ``report``: what was measured, and handing it in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.options import FormatOption
from scheduler.cli.output import Format, listing, say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from scheduler.store.database import Store

CampaignArgument = Annotated[str, typer.Argument(help=_("Id of the campaign."))]


class ReportFormat(StrEnum):
    """How a report file is written."""

    CSV = "csv"
    CSV_EXCEL = "csv-excel"


def reach(
    context: typer.Context,
    campaign: CampaignArgument,
    now: Annotated[
        bool, typer.Option("--now", help=_("Ask the platforms now and keep the figures."))
    ] = False,
    form: FormatOption = Format.TABLE,
) -> int:
    from scheduler.cli.words import figure_headings
    from scheduler.reports.rows import LocalTime, figures
    from scheduler.states import State
    from scheduler.store import listings

    workplace: Workplace = context.obj
    store = workplace.store()
    _require(store, campaign)
    if now:
        from scheduler.governance import roles

        roles.may("reach --now", workplace.actor)
    failed = _measure(workplace, store, campaign) if now else 0
    with store.read() as session:
        sent = listings.posts(session, listings.PostFilter(campaign=campaign, states=[State.SENT]))
        snapshots = listings.latest_snapshots(session, campaign)
    rows: list[dict[str, Any]] = []
    for post in sent:
        snapshot = snapshots.get(post.id)
        rows.append(
            {
                "message": post.message_id,
                "account": post.account_id,
                "published_at": LocalTime(post.published_at, post.zone),
                **figures(snapshot),
                "source": snapshot.source if snapshot else None,
                "measured_at": LocalTime(snapshot.taken_at, post.zone) if snapshot else None,
            }
        )
    listing(
        rows,
        {
            "message": _("message"),
            "account": _("account"),
            **figure_headings(),
            "source": _("source"),
            "published_at": _("published"),
            "measured_at": _("measured"),
        },
        form,
        empty=_("Nothing is published yet."),
    )
    return 1 if failed else 0


def report(
    context: typer.Context,
    campaign: CampaignArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help=_("The file to write; without it CAMPAIGN.csv here."), readable=False
        ),
    ] = None,
    form: Annotated[
        ReportFormat,
        typer.Option("--format", "-f", help=_("csv for programs, csv-excel for a double click in Excel.")),
    ] = ReportFormat.CSV,
) -> None:
    from scheduler.reports import tables
    from scheduler.reports.rows import COLUMNS, report_rows

    workplace: Workplace = context.obj
    store = workplace.store()
    _require(store, campaign)
    names = {key: person.name for key, person in workplace.config.people.items()}
    with store.read() as session:
        rows = report_rows(session, campaign, names)
    target = output or Path(f"{campaign}.csv")
    write = tables.as_excel_csv if form is ReportFormat.CSV_EXCEL else tables.as_csv
    tables.write_file(target, write(COLUMNS, rows))
    say(ngettext("{count} row written to {file}.", "{count} rows written to {file}.", len(rows), file=target))
    if form is ReportFormat.CSV and (risky := tables.risky_cells(rows)):
        say(
            ngettext(
                "{count} cell begins like a formula. For Excel use --format csv-excel.",
                "{count} cells begin like a formula. For Excel use --format csv-excel.",
                risky,
            )
        )


def _require(store: Store, campaign: str) -> None:
    from scheduler.store import campaigns as stored

    with store.read() as session:
        if stored.current(session, campaign) is None:
            raise GaungError(
                N_("The campaign {id} was never applied."), hint=N_("First: gaung apply"), id=campaign
            )


def _measure(workplace: Workplace, store: Store, campaign: str) -> int:
    import sys

    from rich.console import Console
    from rich.progress import Progress

    from scheduler.engine.measuring import measure_now
    from scheduler.states import State
    from scheduler.store import operations

    with store.read() as session:
        total = len(operations.of_campaign(session, campaign, [State.SENT]))
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(_("Asking the platforms"), total=total)
        failed = measure_now(
            store, workplace.clock, workplace.calls, campaign, lambda done: progress.advance(task, done)
        )
    for account_id, error in failed:
        say(_("{account} gave no figures: {why}", account=account_id, why=_(error.reason)))
    return len(failed)
