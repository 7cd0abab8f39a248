"""``calendar`` and ``windows``: the month at a glance, and the rules about time."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.options import FormatOption
from scheduler.cli.output import Format, listing, say, window
from scheduler.cli.quiet import EFFECTS, KINDS, day_words, rule_words, time_words, week_words
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, language, ngettext

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table
    from rich.text import Text

    from scheduler.reports.calendar import Entry

#: Lines of a day in the terminal; what is more is only counted.
LINES = 6
#: Columns of a window below which the names of messages would be broken to pieces in a grid of seven days.
_GRID = 100
COLUMNS = (
    *("date", "time", "kind", "title", "campaign", "message", "account", "state", "approved"),
    *("effect", "estimated", "source", "permalink"),
)


def calendar(
    context: typer.Context,
    month: Annotated[str, typer.Argument(help=_("The month, like 2026-12; without it this one."))] = "",
    months: Annotated[int, typer.Option(help=_("So many months from there on."), min=1, max=24)] = 1,
    campaign: Annotated[str, typer.Option(help=_("Only this campaign."))] = "",
    ics: Annotated[
        Path | None, typer.Option(help=_("Write it to this file as iCalendar, for other calendars."))
    ] = None,
    form: FormatOption = Format.TABLE,
) -> None:
    from scheduler.reports.calendar import as_icalendar, entries

    workplace: Workplace = context.obj
    zone, now = workplace.config.zone, workplace.clock.now()
    firsts = _months(month, months, now, zone)
    last = _after(firsts[-1]) - timedelta(days=1)
    with workplace.store().read() as session:
        names = {rule.id: rule_words(rule) for rule in workplace.windows.rules}
        found = entries(session, workplace.windows, names, firsts[0], last, zone, campaign)
    if ics is not None:
        from scheduler.reports.tables import write_file

        write_file(ics, as_icalendar(found, now).decode())
        count = len(found)
        say(
            ngettext(
                "{count} entry written to {file}.", "{count} entries written to {file}.", count, file=ics
            )
        )
        return
    if form is not Format.TABLE:
        listing([_row(one) for one in found], dict.fromkeys(COLUMNS, ""), form)
        return
    for first in firsts:
        _show(first, [one for one in found if one.start.date() < _after(first)])
    say(_("✓ published  • approved  ? not approved yet"))
    for rule in workplace.windows.active:
        if rule.times and rule.start is None:
            say(_("Every week: {window}, {times}", window=rule_words(rule), times=week_words(rule)))


def _months(text: str, count: int, now: datetime, zone: str) -> list[date]:
    """The first day of each month asked for."""
    from campaigns.timetable import to_local

    if not text:
        first = to_local(now, zone).date().replace(day=1)
    elif found := re.fullmatch(r"(\d{4})-(0?[1-9]|1[0-2])", text):
        first = date(int(found[1]), int(found[2]), 1)
    else:
        raise GaungError(N_("{month} is not a month."), hint=N_("Write it like 2026-12."), month=text)
    firsts = [first]
    while len(firsts) < count:
        firsts.append(_after(firsts[-1]))
    return firsts


def _after(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "date": entry.start.date(),
        "time": None if entry.whole_days else f"{entry.start:%H:%M}",
        **{name: getattr(entry, name) for name in COLUMNS if name not in {"date", "time"}},
    }


def _show(first: date, found: Sequence[Entry]) -> None:
    """One month: weeks from Monday, as offices count them; in a narrow window day by day."""
    from rich.console import Console

    width = window()
    console = Console(width=width or 140, highlight=False)
    if width and width < _GRID:
        for line in agenda(first, found):
            console.print(line)
    else:
        console.print(_grid(first, found))
    estimated = any(entry.estimated for entry in found if _after(first) > entry.start.date() >= first)
    if estimated:
        say(_("(?) The date is not official yet."))


def agenda(first: date, found: Sequence[Entry]) -> Iterator[Text]:
    """The days of a month on which there is something, each with its lines below."""
    from babel.dates import format_date
    from rich.text import Text

    yield Text(format_date(first, "MMMM y", language()), style="italic")
    day = first
    while day < _after(first):
        (_number, style), *lines = _cell(day, found)
        if lines:
            yield Text(format_date(day, "EEEE, d MMMM", language()), style=style)
            yield from (Text(f"  {line}", style=look) for line, look in lines)
        day += timedelta(days=1)


def _grid(first: date, found: Sequence[Entry]) -> Table:
    from babel.dates import format_date, get_day_names
    from rich.box import SQUARE
    from rich.table import Table
    from rich.text import Text

    names = get_day_names("abbreviated", context="stand-alone", locale=language())
    table = Table(box=SQUARE, show_lines=True, expand=True, title=format_date(first, "MMMM y", language()))
    for number in range(7):
        table.add_column(names[number], ratio=1, overflow="fold")
    day = first - timedelta(days=first.weekday())
    while day < _after(first):
        week = [day + timedelta(days=offset) for offset in range(7)]
        cells = [_cell(one, found) if one.month == first.month else [] for one in week]
        table.add_row(*(Text("\n").join(Text.assemble(line) for line in cell) for cell in cells))
        day += timedelta(days=7)
    return table


def _cell(day: date, found: Sequence[Entry]) -> list[tuple[str, str]]:
    """The lines of a day: its number, what is off, posts by time and message, windows."""
    here = [entry for entry in found if entry.on(day)]
    off = any(entry.kind in {"holiday", "joint-leave"} for entry in here)
    lines = [(str(day.day), "bold red" if off or day.weekday() == 6 else "bold")]
    lines += [
        (f"{entry.title}{' (?)' if entry.estimated else ''}", "red")
        for entry in here
        if entry.kind in {"holiday", "joint-leave"}
    ]
    posts: dict[tuple[str, str], list[Entry]] = {}
    for entry in here:
        if entry.kind == "post":
            posts.setdefault((f"{entry.start:%H.%M}", entry.message), []).append(entry)
    shown = [(_post_line(clock, message, some), "") for (clock, message), some in posts.items()]
    lines += shown[:LINES]
    if len(shown) > LINES:
        lines.append((_("and {count} more", count=len(shown) - LINES), "dim"))
    lines += [
        (_window_line(entry, day), "dim") for entry in here if entry.kind == "window" and not entry.recurring
    ]
    return lines


def _post_line(clock: str, message: str, some: Sequence[Entry]) -> str:
    """The time, the message, and on how many accounts; a mark for what is out or not approved yet."""
    marks = {entry.state for entry in some}
    mark = "✓" if marks == {"sent"} else "?" if not all(entry.approved for entry in some) else "•"
    accounts = f" ×{len(some)}" if len(some) > 1 else ""
    return f"{mark} {clock} {message}{accounts}"


def _window_line(entry: Entry, day: date) -> str:
    if entry.whole_days:
        return entry.title
    start = f"{entry.start:%H.%M}" if entry.start.date() == day else "00.00"
    end = f"{entry.end:%H.%M}" if entry.end.date() == day else "24.00"
    return f"{start}–{end} {entry.title}"


def windows(context: typer.Context, form: FormatOption = Format.TABLE) -> None:
    from scheduler.store import windowing

    workplace: Workplace = context.obj
    rules = workplace.windows.rules
    with workplace.store().read() as session:
        in_force = {rule.id: rule for rule in windowing.current(session).rules}
    headings = {
        "id": _("id"),
        "kind": _("kind"),
        "title": _("name"),
        "effect": _("effect"),
        "days": _("days"),
        "times": _("times"),
        "start": _("first day"),
        "end": _("last day"),
        "scope": _("scope"),
        "source": _("source"),
        "signed_off_by": _("signed off by"),
        "signed_off_on": _("on"),
        "in_force": _("in force"),
    }
    rows: list[dict[str, Any]] = [
        {
            **{name: getattr(rule, name) for name in headings if name not in {"scope", "in_force"}},
            "title": rule_words(rule) if form is Format.TABLE else rule.title,
            "days": ", ".join(rule.days),
            "times": ", ".join(rule.times),
            "scope": ", ".join(
                [
                    *(name for field in _SCOPES for name in getattr(rule, field)),
                    *(["candidate"] if rule.candidates else []),
                ]
            ),
            "in_force": in_force.get(rule.id) == rule,
        }
        for rule in rules
    ]
    if form is Format.TABLE:
        for row, rule in zip(rows, rules, strict=True):
            row |= {"days": day_words(rule), "times": time_words(rule)}
            row |= {"kind": _(KINDS[str(row["kind"])]), "effect": _(EFFECTS[str(row["effect"])])}
        for key in ("scope", "source", "signed_off_by", "signed_off_on", "start", "end"):
            if not any(row[key] for row in rows):
                headings.pop(key)
    listing(rows, headings, form)
    if form is Format.TABLE and (gone := in_force.keys() - {rule.id for rule in rules}):
        say(_("Still in force, but no longer in the configuration: {ids}", ids=", ".join(sorted(gone))))
    if form is Format.TABLE and not all(row["in_force"] for row in rows):
        say(_("Not all of them are in force as the configuration says them. To apply them: gaung apply"))


_SCOPES = ("campaigns", "accounts", "agencies", "regions", "platforms")
