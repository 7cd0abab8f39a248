"""Showing something again and again on a terminal, until Ctrl-C."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from threading import Event
from typing import Any, Protocol

from scheduler.cli.output import Format, detail_lines
from scheduler.errors import GaungError
from scheduler.i18n import N_, _

#: Seconds between two looks.
PAUSE = 2.0


class Look(Protocol):
    """How everything stands at a moment."""

    @property
    def answer(self) -> Sequence[str]: ...
    @property
    def facts(self) -> Mapping[str, tuple[str, Any]]: ...
    @property
    def code(self) -> int: ...


def watch(look: Callable[[], Look], form: Format) -> int:
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
    found = look()
    with Live(console=Console(highlight=False), screen=True, auto_refresh=False) as live:
        try:
            while True:
                hint = _("Shown anew every two seconds. Ctrl-C ends it.")
                shown = [*found.answer, "", *detail_lines(found.facts), "", hint]
                live.update(Text("\n".join(shown)), refresh=True)
                Event().wait(PAUSE)
                found = look()
        except KeyboardInterrupt:
            pass
    return found.code
