"""How commands are added to the command line, and the options that several of them share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from scheduler.cli.output import Format
from scheduler.i18n import _

FormatOption = Annotated[Format, typer.Option("--format", "-f", help=_("How the listing is written."))]
ReasonOption = Annotated[str, typer.Option(help=_("Why; it is kept in the record."))]


def add(app: typer.Typer, function: Callable[..., Any], text: str, name: str | None = None) -> None:
    """Add a command; ``text`` stands whole in the list of commands, where Typer would cut it off."""
    app.command(name, help=text, short_help=text)(function)


def group_of_commands(text: str) -> typer.Typer:
    """A command that has commands of its own."""
    return typer.Typer(help=text, short_help=text, no_args_is_help=True, rich_markup_mode=None)
