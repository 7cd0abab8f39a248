"""Asking the person at the keyboard for a clear yes or no."""

from __future__ import annotations

import typer

from scheduler.cli.output import say
from scheduler.i18n import _


class Stop(Exception):
    """The answer is to ask no further."""


def agrees(question: str, *, may_stop: bool = False) -> bool:
    """Ask until the answer is a clear yes or no, in Indonesian or English; enter alone is no.

    Raise Stop if the answer is to stop here, where that may be said.
    """
    while True:
        answer = str(typer.prompt(question, default="", show_default=False, err=True))
        if answer.strip().lower() in {"y", "ya", "yes"}:
            return True
        if answer.strip().lower() in {"", "n", "t", "no", "tidak"}:
            return False
        if may_stop and answer.strip().lower() in {"s", "b", "stop", "berhenti"}:
            raise Stop
        say(_("Please answer y (yes) or n (no)."))
