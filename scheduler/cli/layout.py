"""Rows laid out for a window of a given width: as a table while no word must be broken, else one by one.

An office has windows of 80 columns, and telephones of 40; a table of nine columns there is a heap of
syllables. What the values are, and in which language, is settled before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

#: Between two columns, and at both edges of the table.
_GAP, _EDGES = 3, 2
#: A column of sentences may be as narrow as this; below, it is no pleasure to read.
_SENTENCE = 20
#: For what is unknown.
DASH = "–"


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and its values, as people read them."""

    heading: str
    values: Sequence[str]
    numbers: bool = False
    phrases: bool = False
    """The values are times: they are broken before the clock only."""

    @property
    def natural(self) -> int:
        """The width at which nothing is wrapped."""
        from rich.cells import cell_len

        lines = [line for value in self.values for line in value.splitlines()]
        return max(cell_len(line) for line in [self.heading, *lines])

    @property
    def least(self) -> int:
        """The width at which it can still be read."""
        from rich.cells import cell_len

        longest = max(
            cell_len(word) for text in [self.heading, *self.values] for word in text.split() or [""]
        )
        if self.phrases:
            halves = [" ".join(value.split()[:-2]) for value in self.values]
            return max(longest, *(cell_len(half) for half in halves))
        return max(longest, min(max((cell_len(value) for value in self.values), default=0), _SENTENCE))


def widths(columns: Sequence[Column], width: int) -> list[int] | None:
    """How wide each column is in a window of this width; None if words would be broken."""
    room = width - _EDGES - _GAP * (len(columns) - 1)
    found, least = [one.natural for one in columns], [one.least for one in columns]
    if sum(least) > room:
        return None
    while sum(found) > room:
        spare = [now - lowest for now, lowest in zip(found, least, strict=True)]
        found[spare.index(max(spare))] -= 1
    return found


def table(columns: Sequence[Column], sizes: Sequence[int] | None) -> Table:
    """The rows as a table; ``sizes`` from ``widths``, None where there is room for anything."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for position, one in enumerate(columns):
        made.add_column(
            one.heading,
            justify="right" if one.numbers else "left",
            overflow="fold",
            width=sizes[position] if sizes else None,
        )
    for row in zip(*(one.values for one in columns), strict=True):
        made.add_row(*(Text(value) for value in row))
    return made


def entries(columns: Sequence[Column], width: int) -> Text:
    """The rows one under the other: the first value, then "heading value" side by side as far as they fit."""
    from textwrap import wrap

    from rich.cells import cell_len
    from rich.text import Text

    text = Text()
    for row in zip(*(one.values for one in columns), strict=True):
        told = [
            (one.heading, value) for one, value in zip(columns, row, strict=True) if value not in ("", DASH)
        ]
        for position, (heading, value) in enumerate(told):
            if position == 0:
                text.append(value, style="bold")
                used = cell_len(value)
                continue
            needed = cell_len(heading) + 1 + cell_len(value)
            if used + _GAP + needed > width:
                text.append("\n  ")
                used = 2 + needed
            else:
                text.append(" · ")
                used += _GAP + needed
            text.append(heading, style="dim")
            lines = wrap(f"{heading} {value}", max(width - 2, 20), break_on_hyphens=False)
            text.append("\n    ".join(lines).removeprefix(heading))
        text.append("\n")
    return text


def wrapped(text: str, width: int | None, first: str = "", rest: str = "") -> list[str]:
    """A line of text in a window of this width, each piece behind its margin; None leaves it whole."""
    from textwrap import wrap

    if width is None:
        return [first + text]
    room = max(width - len(rest), 20)
    pieces = wrap(text, room, break_on_hyphens=False, replace_whitespace=False) or [""]
    return [(rest if position else first) + piece for position, piece in enumerate(pieces)]


def pairs(told: Sequence[tuple[str, str]], width: int | None) -> list[str]:
    """Headings and values as two columns; in a window too narrow for that, each value below its heading."""
    from rich.cells import cell_len

    margin = max((cell_len(heading) for heading, _value in told), default=0) + 2
    below = width is not None and width - margin < _SENTENCE
    lines = []
    for heading, value in told:
        if below and cell_len(heading) + 2 + cell_len(value) <= (width or 0) and "\n" not in value:
            lines.append(f"{heading}: {value}")
            continue
        space = "  " if below else " " * margin
        first = space if below else heading.ljust(margin)
        lines += [heading] if below else []
        for line in value.splitlines() or [""]:
            lines += wrapped(line, width, first, space)
            first = space
    return lines
