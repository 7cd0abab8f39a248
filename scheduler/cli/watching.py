"""Showing something again and again on a terminal, until Ctrl-C."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

from scheduler.cli.output import Format, detail_lines
from scheduler.errors import GaungError
from scheduler.i18n import N_, _

#: Seconds between two looks.
PAUSE = 2.0


def watch(look: Callable[[], tuple[Mapping[str, tuple[str, Any]], int]], form: Format) -> int:
    """Show what ``look`` finds, anew every two seconds; return its last exit code after Ctrl-C.

    Raise GaungError if this is no terminal: a file would only grow.
    """
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    if form is not Format.TABLE or not sys.stdout.isatty():
        raise GaungError(
            N_("--watch needs a terminal and the format table."),
            hint=N_("For programs: gaung status --format json, as often as wanted."),
        )
    facts, code = look()
    with Live(console=Console(highlight=False), screen=True, auto_refresh=False) as live:
        try:
            while True:
                hint = _("Shown anew every two seconds. Ctrl-C ends it.")
                live.update(Text("\n".join([*detail_lines(facts), "", hint])), refresh=True)
                Event().wait(PAUSE)
                facts, code = look()
        except KeyboardInterrupt:
            pass
    return code
