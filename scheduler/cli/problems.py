"""Problems of files, told to a person or to a program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from campaigns.problems import Problem
from scheduler.cli.output import Format, listing, say
from scheduler.i18n import _, ngettext


def sentence(problem: Problem) -> str:
    """What is wrong, in one sentence."""
    from scheduler.cli.quiet import KINDS

    values = dict(problem.values)
    if (rule := str(values.get("rule", ""))) in KINDS:  # a window that comes with Gaung has no title
        values["rule"] = _(KINDS[rule])
    return _(problem.message, **values)


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


def lines_of(problems: Sequence[Problem], folder: Path) -> list[int | None]:
    """The line of each problem in its file, None where it is not known."""
    from campaigns.places import line_of

    texts: dict[str, list[str]] = {}
    for name in {problem.file for problem in problems} - {""}:
        try:
            texts[name] = (folder / name).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError):
            texts[name] = []
    return [line_of(texts.get(problem.file, []), problem.item, problem.field) for problem in problems]


def list_problems(problems: Sequence[Problem], form: Format, folder: Path) -> None:
    """Write problems as data."""
    rows: list[dict[str, Any]] = [
        {
            "severity": problem.severity,
            "code": problem.code,
            "file": problem.file,
            "message": problem.item,
            "field": problem.field,
            "line": line,
            "text": sentence(problem),
            "hint": _(problem.hint, **problem.values) if problem.hint else "",
        }
        for problem, line in zip(problems, lines_of(problems, folder), strict=True)
    ]
    columns = ("severity", "code", "file", "message", "field", "line", "text", "hint")
    listing(rows, dict.fromkeys(columns, ""), form)
