"""The list of commands, in the order of the day's work; each module of ``commands`` adds its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scheduler.cli.commands import (
    accounts,
    approving,
    demo,
    planning,
    posts,
    practice,
    reporting,
    running,
    setup,
)
from scheduler.cli.output import emit
from scheduler.cli.workplace import Workplace
from scheduler.i18n import _


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        emit(f"gaung {version('gaung')}")
        raise typer.Exit


def build() -> typer.Typer:
    """Make the command line, in the language chosen before."""
    app = typer.Typer(
        name="gaung",
        help=_(
            "Publishes an agency's campaigns on social media: checked, planned, approved, published"
            " exactly once, measured."
        ),
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_global_options)
    for module in (setup, planning, approving, running, posts, reporting, accounts, practice, demo):
        module.add_to(app)
    return app


def _global_options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(help=_("The configuration file; without it config.toml here or in a folder above.")),
    ] = None,
    lang: Annotated[str | None, typer.Option(help=_("Language: id or en."))] = None,  # noqa: ARG001
    version: Annotated[  # noqa: ARG001 -- its callback does it
        bool,
        typer.Option(
            "--version", help=_("Show the version and leave."), is_eager=True, callback=_show_version
        ),
    ] = False,
) -> None:
    context.obj = Workplace(config)
