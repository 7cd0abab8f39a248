"""How things are shown: listings as table, JSON or CSV on stdout; narration on stderr; local times."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import typer

from scheduler import i18n
from scheduler.i18n import _

Row = Mapping[str, Any]


class Format(StrEnum):
    """How a listing is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def say(text: str = "") -> None:
    """Narrate: to stderr, so that data on stdout stays clean."""
    typer.echo(text, err=True)


def emit(text: str) -> None:
    """Write data to stdout."""
    typer.echo(text)


def listing(rows: Sequence[Row], columns: Mapping[str, str], form: Format, *, empty: str = "") -> None:
    """Write rows; ``columns`` maps keys, which stay English in JSON and CSV, to translated headings."""
    if form is Format.JSON:
        import json

        emit(json.dumps([_plain_row(row, columns) for row in rows], ensure_ascii=False, indent=2))
    elif form is Format.CSV:
        from scheduler.reports.tables import as_csv

        sys.stdout.write(as_csv(list(columns), [_plain_row(row, columns) for row in rows]))
    elif not rows:
        say(empty or _("Nothing to list."))
    else:
        _table(rows, columns)


def details(facts: Mapping[str, tuple[str, Any]], form: Format) -> None:
    """Write one thing: key -> (heading, value)."""
    if form is Format.TABLE:
        for line in detail_lines(facts):
            emit(line)
        return
    listing([{key: value for key, (_heading, value) in facts.items()}], dict.fromkeys(facts, ""), form)


def detail_lines(facts: Mapping[str, tuple[str, Any]]) -> list[str]:
    """One thing as lines: heading and value; what is unknown is left out."""
    from scheduler.cli.layout import pairs

    told = [(heading, human(value)) for heading, value in facts.values() if value not in (None, "")]
    return pairs(told, window())


def window() -> int | None:
    """How many columns the window has; None if this goes into a pipe or a file, where nothing is wrapped."""
    from shutil import get_terminal_size

    return get_terminal_size().columns if sys.stdout.isatty() else None


def _plain_row(row: Row, columns: Mapping[str, str]) -> dict[str, Any]:
    return {key: plain(row.get(key)) for key in columns}


def plain(value: Any) -> Any:
    """A value for programs: instants in ISO 8601 with their local offset."""
    from scheduler.reports.rows import LocalTime

    if isinstance(value, LocalTime):
        from campaigns.timetable import to_local

        return to_local(value.instant, value.zone).isoformat(timespec="seconds")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Decimal):
        return f"{value:f}"  # as text: a number of JSON would become a float on the other side
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return value


def human(value: Any) -> str:
    """A value for people: local times with day and zone, states in words, unknown as a dash."""
    from scheduler.cli.layout import DASH
    from scheduler.reports.rows import LocalTime
    from scheduler.states import State

    if value is None:
        return DASH
    if isinstance(value, LocalTime):
        return local_time(value.instant, value.zone)
    if isinstance(value, State):
        from scheduler.cli.words import state_word

        return state_word(value)
    if isinstance(value, Decimal):
        return amount(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)


def amount(value: Decimal, currency: str = "") -> str:
    """An amount of money as an office writes it: "USD 12,40"; no decimal place is rounded away."""
    from babel.numbers import format_decimal

    shown = format_decimal(value, "#,##0.00####", locale=i18n.language())
    return f"{currency} {shown}" if currency else shown


def local_time(instant: datetime, zone: str) -> str:
    """An instant as an office writes it: "Rab, 9 Des 2026 07.30 WIB"."""
    from babel.dates import format_datetime

    from campaigns.timetable import to_local, zone_label

    local = to_local(instant, zone).replace(tzinfo=None)
    colon = "." if i18n.language() == "id" else ":"
    clock = f"HH'{colon}'mm" + (f"'{colon}'ss" if local.second else "")
    shown = format_datetime(local, f"EEE, d MMM yyyy {clock}", locale=i18n.language())
    return f"{shown} {zone_label(instant, zone)}"


def _table(rows: Sequence[Row], columns: Mapping[str, str]) -> None:
    from rich.console import Console

    from scheduler.cli import layout
    from scheduler.reports.rows import LocalTime

    # Into a pipe or a file nothing is cut off; in a window it is laid out for its width.
    width = window()
    console = Console(width=width or 250, highlight=False)
    made = []
    for key, heading in columns.items():
        values = [row.get(key) for row in rows]
        made.append(
            layout.Column(
                heading,
                [human(value) for value in values],
                numbers=_numbers(values),
                phrases=any(isinstance(value, LocalTime) for value in values),
            )
        )
    sizes = layout.widths(made, width) if width else None
    if width and sizes is None:  # perhaps it fits without what nobody knows
        made = [one for one in made if set(one.values) - {"", layout.DASH}]
        sizes = layout.widths(made, width)
    if width and sizes is None:
        console.print(layout.entries(made, width), end="")
    else:
        console.print(layout.table(made, sizes))


def _numbers(values: Sequence[Any]) -> bool:
    """Whether a column is one of numbers; what nobody knows is none."""
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, int | Decimal) for value in known)
