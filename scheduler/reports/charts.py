"""Charts as SVG: a curve over days, bars, a heat map of weekday and hour, a target met.

Each has a title and a description for those who cannot see it. Colours stand twice: as attributes for
programs that know no style sheet, as classes for those that do (light and dark). Text sizes fit the
width that a chart is drawn for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from math import ceil, floor, log10

#: Colours of series in light print; the style sheet has others for the dark.
COLOURS = ("#0f6f86", "#c8791d")
INK = "#44535f"
RULE = "#d8e0e5"
PALE = "#e9eff2"
_SHADES = ("#d3e7ea", "#a5d0d6", "#6db1bb", "#35909f", "#0f6f86")


@dataclass(frozen=True, slots=True)
class Series:
    """One curve: its name, and its value at the end of days."""

    name: str
    points: Sequence[tuple[date, int]]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it stands for, how long it is (None: unknown), and what is written at its end."""

    name: str
    value: int | None
    text: str


def curve(
    series: Sequence[Series],
    *,
    width: int,
    title: str,
    description: str,
    number: Callable[[int], str],
    day: Callable[[date], str],
) -> str:
    """Curves over days, the first filled."""
    points = [point for one in series for point in one.points]
    if not points:
        return ""
    first, last = min(at for at, _value in points), max(at for at, _value in points)
    days = max((last - first).days, 1)
    top = _round_up(max(value for _at, value in points))
    height = 300 if width > 500 else 230
    left, right, foot = 12 + 7 * len(number(top)), width - 14, height - 30

    def x(at: date) -> float:
        return left + (right - left) * (at - first).days / days

    def y(value: float) -> float:
        return foot - (foot - 14) * value / top

    parts = []
    for step in range(5):
        value = top * step // 4
        parts.append(_line(left, y(value), right, y(value), RULE, "rule"))
        parts.append(_text(left - 6, y(value) + 4, number(value), anchor="end"))
    several = min(6 if width > 500 else 3, (last - first).days)  # no day is written twice
    for step in range(several + 1):
        at = first + timedelta(days=round(days * step / max(several, 1)))
        anchor = "start" if step == 0 else "end" if step == several else "middle"
        parts.append(_text(x(at), height - 8, day(at), anchor=anchor))
    for place, one in enumerate(series):
        colour, name = COLOURS[place % 2], f"c{place + 1}"
        path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in one.points)
        if place == 0 and len(one.points) > 1:
            begin, end = x(one.points[0][0]), x(one.points[-1][0])
            area = f"{begin:.1f},{foot} {path} {end:.1f},{foot}"
            parts.append(f'<polygon points="{area}" fill="{colour}" fill-opacity="0.12" class="f-{name}"/>')
        dashes = ' stroke-dasharray="6 4"' if place else ""
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"'
            f' stroke-linejoin="round" stroke-linecap="round" class="s-{name}"{dashes}/>'
        )
        end_at, end_value = one.points[-1]
        parts.append(
            f'<circle cx="{x(end_at):.1f}" cy="{y(end_value):.1f}" r="4" fill="{colour}" class="f-{name}"/>'
        )
    return _svg(width, height, title, description, parts)


def bars(bars_: Sequence[Bar], *, width: int, title: str, description: str) -> str:
    """Horizontal bars, one below the other; a name stands above its bar, so long ones have room."""
    top = max((bar.value for bar in bars_ if bar.value), default=1)
    step, parts = 44, []
    for place, bar in enumerate(bars_):
        y = place * step
        parts.append(_text(0, y + 15, bar.name, size=13, kind="ink"))
        parts.append(_text(width, y + 15, bar.text, anchor="end", size=13, kind="ink", bold=True))
        parts.append(_box(0, y + 22, width, 10, PALE, "pale", 5))
        if bar.value:
            parts.append(_box(0, y + 22, max(width * bar.value / top, 4), 10, COLOURS[0], "f-c1", 5))
    return _svg(width, step * len(bars_), title, description, parts)


def share(value: float | None, *, title: str) -> str:
    """How much of a target is met, as a bar that ends at the target."""
    parts = [_box(0, 0, 120, 10, PALE, "pale", 5)]
    if value:
        met = value >= 1
        parts.append(
            _box(0, 0, 120 * min(value, 1), 10, COLOURS[0 if met else 1], "f-c1" if met else "f-c2", 5)
        )
    return _svg(120, 10, title, title, parts)


def heat(
    cells: Mapping[tuple[int, int], tuple[int | None, str]],
    *,
    days: Sequence[str],
    hour: Callable[[int], str],
    across: bool,
    title: str,
    description: str,
) -> str:
    """A heat map: ``cells`` has a figure (None: unknown) and a text by weekday (Monday is 0) and hour.

    ``across``: hours run from left to right; else they run downwards, for narrow screens.
    """
    hours = range(min(at for _day, at in cells), max(at for _day, at in cells) + 1) if cells else range(0)
    top = max((value for value, _text in cells.values() if value), default=1)
    side, gap, margin = (34, 3, 62) if across else (38, 3, 52)
    parts = []
    for place, name in enumerate(days):
        if across:
            parts.append(_text(0, 22 + place * (side + gap) + 22, name, size=12))
        else:
            parts.append(_text(margin + place * (side + gap) + side / 2, 14, name[:3], anchor="middle"))
    for place, at in enumerate(hours):
        if across:
            parts.append(
                _text(margin + place * (side + gap) + side / 2, 14, hour(at), anchor="middle", size=11)
            )
        else:
            parts.append(_text(0, 22 + place * (side + gap) + 23, hour(at)))
        for day in range(7):
            column, row = (place, day) if across else (day, place)
            x, y = margin + column * (side + gap), 22 + row * (side + gap)
            parts.append(_cell(x, y, side, cells.get((day, at)), top))
    columns, rows = (len(hours), 7) if across else (7, len(hours))
    return _svg(margin + columns * (side + gap), 24 + rows * (side + gap), title, description, parts)


def _cell(x: float, y: float, side: int, cell: tuple[int | None, str] | None, top: int) -> str:
    if cell is None:
        return _box(x, y, side, side, "#f4f7f8", "none", 4)
    value, text = cell
    told = f"<title>{escape(text)}</title>"
    if value is None:
        box = _box(x, y, side, side, PALE, "pale", 4)
        return f"<g>{told}{box}{_text(x + side / 2, y + side / 2 + 4, '?', anchor='middle')}</g>"
    shade = min(int(len(_SHADES) * value / top), len(_SHADES) - 1)
    return f"<g>{told}{_box(x, y, side, side, _SHADES[shade], f'h{shade}', 4)}</g>"


def _svg(width: float, height: float, title: str, description: str, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:g} {height:g}"'
        f' width="{width:g}" height="{height:g}" font-family="system-ui, Helvetica, Arial, sans-serif"'
        f' aria-label="{escape(title)}"><title>{escape(title)}</title><desc>{escape(description)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, kind: str = "soft",
    bold: bool = False,
) -> str:  # fmt: skip
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{INK}"'
        f' class="{kind}"{weight}>{escape(text)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" class="{kind}"/>'


def _box(x: float, y: float, width: float, height: float, colour: str, kind: str, radius: int) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" rx="{radius}" fill="{colour}"'
        f' class="{kind}"/>'
    )


def _round_up(value: int) -> int:
    """The next number that reads well at the top of an axis, and that four divides."""
    if value <= 4:
        return 4
    unit: int = 10 ** floor(log10(value))
    top = next(unit * factor for factor in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if unit * factor >= value)
    return ceil(top / 4) * 4
