"""``bundle``: the evidence of a campaign as one ZIP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scheduler.cli.output import say
from scheduler.cli.workplace import Workplace
from scheduler.i18n import _, language, ngettext


def bundle(
    context: typer.Context,
    campaign: Annotated[str, typer.Argument(help=_("Id of the campaign."))],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help=_("The ZIP to write; without it CAMPAIGN-bundle.zip here."), readable=False
        ),
    ] = None,
    as_of: Annotated[
        str,
        typer.Option(help=_("Only what was known then: a day (its end) or a time like 2026-12-31T17:00.")),
    ] = "",
    layout: Annotated[
        Path | None,
        typer.Option(help=_("A layout of the office's own instead of the configured one."), readable=False),
    ] = None,
) -> int:
    from scheduler.cli.reports import moment, must_exist, office
    from scheduler.reports import tables
    from scheduler.reports.bundle import bundle as bundles
    from scheduler.reports.bundle import layout as layouts
    from scheduler.store.reporting import Scope

    workplace: Workplace = context.obj
    config = workplace.config
    chosen = layout or (config.path(config.report.layout) if config.report.layout else None)
    sound = layouts.load(chosen)
    scope = Scope(moment(as_of, config.zone, workplace.clock.now()), campaign)
    target = output or Path(f"{campaign}-bundle.zip")
    with workplace.store().read() as session:
        must_exist(session, campaign)
        with tables.report_file(target) as stream:
            made = bundles.write(
                session, scope, office(workplace), sound, stream, "id" if language() == "id" else "en"
            )
    say(
        ngettext(
            "{count} file in {file}, with pictures of {posts} posts.",
            "{count} files in {file}, with pictures of {posts} posts.",
            len(made.hashes),
            file=target,
            posts=made.posts,
        )
    )
    if made.missing:
        say(
            ngettext(
                "{count} approved picture is not at hand; its alt text stands in its place."
                " Is state/media whole?",
                "{count} approved pictures are not at hand; their alt texts stand in their place."
                " Is state/media whole?",
                made.missing,
            )
        )
    return 1 if made.missing else 0
