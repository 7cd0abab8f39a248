"""The options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from scheduler.cli.output import Format
from scheduler.i18n import _

FormatOption = Annotated[Format, typer.Option("--format", "-f", help=_("How the listing is written."))]
ReasonOption = Annotated[str, typer.Option(help=_("Why; it is kept in the record."))]
PostArgument = Annotated[list[str], typer.Argument(help=_("Ids of posts, as “gaung posts” lists them."))]
