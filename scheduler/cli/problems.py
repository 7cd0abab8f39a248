"""Problems of files, told to a person or to a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from campaigns.problems import Problem
from scheduler.cli.output import Format, listing, say
from scheduler.i18n import _, ngettext


def sentence(problem: Problem) -> str:
    """What is wrong, in one sentence."""
    return _(problem.message, **problem.values)


def tell_problems(problems: Sequence[Problem]) -> None:
    """Tell every problem with its place and what would be right."""
    for problem in problems:
        mark = _("error") if problem.severity == "error" else _("warning")
        place = " › ".join(part for part in (problem.file, problem.item, problem.field) if part)
        say(f"{mark}: {place}: {sentence(problem)}")
        if problem.hint:
            say(f"  {_(problem.hint, **problem.values)}")
    errors = sum(problem.severity == "error" for problem in problems)
    if errors:
        say(ngettext("{count} error. Nothing was changed.", "{count} errors. Nothing was changed.", errors))


def list_problems(problems: Sequence[Problem], form: Format) -> None:
    """Write problems as data."""
    rows: list[dict[str, Any]] = [
        {
            "severity": problem.severity,
            "code": problem.code,
            "file": problem.file,
            "message": problem.item,
            "field": problem.field,
            "text": sentence(problem),
            "hint": _(problem.hint, **problem.values) if problem.hint else "",
        }
        for problem in problems
    ]
    columns = ("severity", "code", "file", "message", "field", "text", "hint")
    listing(rows, dict.fromkeys(columns, ""), form)
