"""``practice serve``: the practice network, for trying everything without an account."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scheduler import i18n
from scheduler.cli.output import emit, say
from scheduler.cli.workplace import Workplace
from scheduler.i18n import _


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help=_("Address; this computer only."))] = "127.0.0.1",
    port: Annotated[int, typer.Option(help=_("Port; 0 for any that is free."), min=0, max=65535)] = 8010,
    file: Annotated[
        Path | None,
        typer.Option(help=_("Where everything is kept; without it practice.db in the state folder.")),
    ] = None,
    delay: Annotated[
        float,
        typer.Option(help=_("Seconds that every answer to a post takes, like a poor connection."), min=0),
    ] = 0.0,
    lose_answer_every: Annotated[
        int,
        typer.Option(
            help=_("Lose every Nth answer after the post was stored, to see what “outcome unknown” means."),
            min=0,
        ),
    ] = 0,
) -> None:
    from adapters.practice.site.server import serve as run_network

    workplace: Workplace = context.obj
    zone = "WIB"
    if file is None or workplace.config_file.exists():
        zone = workplace.config.zone
    kept = file or workplace.config.path(workplace.config.state) / "practice.db"
    kept.parent.mkdir(parents=True, exist_ok=True)

    def ready(url: str) -> None:
        emit(url)
        say(_("The practice network runs at {url}. Stop it with Ctrl-C.", url=url))

    run_network(
        kept,
        host=host,
        port=port,
        translate=_,
        language=i18n.language(),
        zone=zone,
        delay=delay,
        lose_answer_every=lose_answer_every,
        on_ready=ready,
    )
