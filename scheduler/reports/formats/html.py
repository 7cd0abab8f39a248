"""``html``: one file that opens without a network, on a telephone, in the dark, and on paper."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, BinaryIO

from babel.dates import format_date, get_day_names
from babel.numbers import format_decimal, format_percent
from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup
from PIL import Image, ImageOps

from scheduler import i18n
from scheduler.reports import about, charts
from scheduler.reports.columns import ALL, MEANINGS, Column
from scheduler.reports.report import Report
from scheduler.reports.rows import Row
from scheduler.reports.tally import Tally
from scheduler.states import State

#: A longer table belongs into a workbook.
_ROWS = 200
#: Pixels of a picture's longer side.
_SIDE = 640
#: Columns of the table of posts, and of a table of groups beside their names: what a page is wide enough for.
_TABLE = ("date", "time", "account", "platform", "title", "views", "reach", "engagement", "state")
_GROUPS = (
    *("published", "views_sum", "views_known", "reach_sum", "reach_known", "engagement_sum"),
    *("engagement_known", "received_sum", "answered_sum", "response_minutes", "followers"),
)
WIDE, NARROW = 900, 360


def write(report: Report, stream: BinaryIO) -> None:
    """Write the page."""
    stream.write(render(report).encode())


def render(report: Report, *, paper: bool = False) -> str:
    """The page as a text; ``paper``: for a printer alone, without what only a screen can use."""
    summary = report.summary
    return _templates().get_template("report.html").render(
        report=report,
        summary=summary,
        about=about,
        paper=paper,
        language=i18n.language(),
        title=about.title(report),
        period=about.period(report),
        widest=max((row["reach"] for row in summary.best_by("reach")), default=None),
        growth=_growth(report),
        platforms=_bars(summary.platforms, i18n._("Views by platform")),
        topics=_bars(summary.topics, i18n._("Views by topic")),
        heat=_heat(report),
        best=_posts(report, summary.best()),
        weakest=_posts(report, summary.weakest()),
        ranked_by=i18n._(ALL[summary.ranked_by].heading) if summary.ranked_by else "",
        standings=report.targets.standings(summary.agencies),
        accounts=_accounts(report),
        table=_table(report, whole=report.shape.columns != "office" and not paper),
        meanings=[(i18n._(ALL[name].heading), i18n._(text)) for name, text in MEANINGS.items()],
    )  # fmt: skip


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("scheduler.reports"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"_": i18n._, "ngettext": i18n.ngettext, "share": _share, "figure": figure}
    made.filters |= {"number": number, "percent": percent, "day": about.day, "clock": about.clock}
    return made


def number(value: int | None) -> str:
    """A figure as the language writes it; unknown is a dash."""
    return "–" if value is None else format_decimal(value, locale=i18n.language())


def percent(value: float | None) -> str:
    """A share as the language writes it; unknown is a dash."""
    return "–" if value is None else format_percent(value, format="#,##0.0%", locale=i18n.language())


def figure(name: str) -> str:
    """The heading of a figure."""
    return i18n._(ALL[name].heading)


def _short(day: date) -> str:
    return format_date(day, "d MMM", locale=i18n.language())


def _share(value: float | None, agency: str) -> Markup:
    title = i18n._("{agency}: {share} of the target", agency=agency, share=percent(value))
    return Markup(charts.share(value, title=title))  # noqa: S704 -- charts escape what they are given


def _growth(report: Report) -> Mapping[str, Any] | None:
    """Views and the sum of reach over the days: the chart (wide and narrow), and the names of its curves."""
    names = {"views": i18n._("Views"), "reach": i18n._("Reach added over posts (not people)")}
    series = [
        charts.Series(name, report.growth[code]) for code, name in names.items() if code in report.growth
    ]
    if not series:
        return None
    title = i18n._("How views and reach grew")
    told = "; ".join(
        i18n._(
            "{name}: {first} on {begin}, {last} on {end}",
            name=one.name,
            first=number(one.points[0][1]),
            begin=about.day(one.points[0][0]),
            last=number(one.points[-1][1]),
            end=about.day(one.points[-1][0]),
        )
        for one in series
    )
    drawn = [
        Markup(  # noqa: S704 -- charts escape what they are given
            charts.curve(series, width=width, title=title, description=told, number=number, day=_short)
        )
        for width in (WIDE, NARROW)
    ]
    return {"wide": drawn[0], "narrow": drawn[1], "names": [one.name for one in series], "told": told}


def _bars(tallies: Mapping[str, Tally], title: str) -> Markup:
    """Views of groups, the largest first; a group of which nobody told views stands last, as unknown."""
    ordered = sorted(tallies.items(), key=lambda item: (-(item[1].sum("views") or -1), item[0]))
    made = [
        charts.Bar(
            f"{name or i18n._('(none)')} · "
            + i18n.ngettext("{count} post published", "{count} posts published", tally.published),
            tally.sum("views"),
            number(tally.sum("views")),
        )
        for name, tally in ordered
    ]
    told = "; ".join(f"{bar.name}: {bar.text}" for bar in made)
    return Markup(charts.bars(made, width=440, title=title, description=told))  # noqa: S704


def _heat(report: Report) -> Mapping[str, Any] | None:
    """Views for each post by weekday and hour, for posts that were published."""
    cells: dict[tuple[int, int], tuple[int | None, str]] = {}
    names = [get_day_names("wide", locale=i18n.language())[day] for day in range(7)]
    for (day, hour), tally in report.summary.hours.items():
        if not tally.published:
            continue
        views, known = tally.sum("views"), tally.known("views")
        mean = round(views / known) if views is not None and known else None
        text = i18n._(
            "{day} {hour}: {mean} views a post, {count} published",
            day=names[day],
            hour=_hour(hour),
            mean=number(mean),
            count=tally.published,
        )
        cells[day, hour] = (mean, text)
    if not cells:
        return None
    title = i18n._("Views for each post by weekday and hour of publishing")
    told = "; ".join(text for _mean, text in (cells[place] for place in sorted(cells)))
    across, down = (
        Markup(  # noqa: S704
            charts.heat(cells, days=names, hour=_hour, across=wide, title=title, description=told)
        )
        for wide in (True, False)
    )
    return {"wide": across, "narrow": down}


def _hour(hour: int) -> str:
    return f"{hour:02}.00" if i18n.language() == "id" else f"{hour:02}:00"


def _posts(report: Report, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Posts with their pictures, as far as these are at hand."""
    contents = report.contents([row["digest"] for row in rows])
    shown = []
    for row in rows:
        media = [one for one in contents[row["digest"]].media if one["mime"].startswith("image/")]
        picture = _picture(report, media[0]) if media else None
        shown.append({**row, "picture": picture, "alt": media[0]["alt"] if media else ""})
    return shown


def _picture(report: Report, media: Mapping[str, Any]) -> str | None:
    """An approved picture, made smaller, as an address that holds it; None if it is not at hand."""
    content = report.office.picture(media)
    if content is None:
        return None
    small = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        upright.thumbnail((_SIDE, _SIDE))
        upright.save(small, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(small.getvalue()).decode()}"


#: Columns of the table of accounts.
_ACCOUNTS = ("published", "views", "engagement", "received", "answered", "response_minutes", "followers",
             "followers_change")  # fmt: skip


def _accounts(report: Report) -> Mapping[str, Any]:
    """How each account did: posts, figures, answers, followers."""
    names = {"published": i18n._("Posts published")}
    rows = []
    for name, tally in report.summary.accounts.items():
        cells = {
            "published": tally.published,
            "response_minutes": tally.response_minutes,
            **{code: tally.sum(code) for code in ("views", "engagement", "received", "answered")},
            **report.followers.row(name),
        }
        change = cells["followers_change"]
        shown = {code: number(cells[code]) for code in _ACCOUNTS}
        if change is not None and change > 0:
            shown["followers_change"] = f"+{shown['followers_change']}"
        rows.append((name, [shown[code] for code in _ACCOUNTS]))
    return {
        "headings": [names.get(code) or i18n._(ALL[code].heading) for code in _ACCOUNTS],
        "rows": rows,
    }


def _table(report: Report, *, whole: bool) -> Mapping[str, Any]:
    """The rows of the report as texts, no more than a page can hold; only some columns unless ``whole``."""
    some = _TABLE if report.shape.group_by == "post" else (report.codes[0], *_GROUPS)
    codes = report.codes if whole else some
    columns = [
        (column, heading)
        for column, heading in zip(report.columns, report.headings, strict=True)
        if column.code in codes
    ]
    rows: list[list[tuple[Column, str]]] = []
    for row in report.rows():
        if len(rows) == _ROWS:
            return {"columns": columns, "rows": None}
        rows.append([(column, _cell(column.kind, row[column.code])) for column, _heading in columns])
    return {"columns": columns, "rows": rows}


def _cell(kind: str, value: Any) -> str:
    if value is None:
        return "–"
    if kind == "count":
        return number(value)
    if kind == "rate":
        return percent(value)
    if kind == "day":
        return about.day(value)
    if kind == "clock":
        return about.clock(value)
    if kind == "time":
        return f"{about.day(value.date())} {about.clock(value)}"
    return str(value.value if isinstance(value, State) else value)
