"""Sheets of a workbook as reports use them: tables with typed cells, charts, and pages of A4.

Knows XlsxWriter and columns, nothing of what a report says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any, BinaryIO

import xlsxwriter

from scheduler import i18n
from scheduler.reports.columns import Column, Kind

Cells = Sequence[Any]

INK = "#1f2a37"
ACCENT = "#0f5c6e"
SECOND = "#c8791d"
PALE = "#e6f0f2"
LINE = "#c9d3da"
FONT = "Calibri"
#: What Excel takes for one sheet; further addresses stay readable as text.
_LINKS = 65_000
_A4 = 9


class Book:
    """A workbook that is streamed into a file."""

    def __init__(self, stream: BinaryIO, *, created: datetime, title: str, author: str) -> None:
        self.file = xlsxwriter.Workbook(
            stream,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_numbers": False,
                "strings_to_urls": False,
            },
        )
        self.file.set_properties({"title": title, "author": author, "company": author, "created": created})
        # Indonesian or English names of months, whatever the language of Excel ([MS-LCID]).
        self.lcid = "421" if i18n.language() == "id" else "409"
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def style(self, **what: Any) -> Any:
        """A cell format, made once."""
        key = tuple(sorted(what.items()))
        if key not in self._made:
            self._made[key] = self.file.add_format(
                {"font_name": FONT, "font_size": 10, "font_color": INK, "valign": "top", **what}
            )
        return self._made[key]

    def kind(self, kind: Kind, **more: Any) -> Any:
        """The format of a kind of cell."""
        point = '"."' if i18n.language() == "id" else ":"
        return self.style(
            **{
                "text": {"num_format": "@"},
                "code": {"num_format": "@"},
                "count": {"num_format": "#,##0"},
                "rate": {"num_format": "0.0%"},
                "time": {"num_format": f"[$-{self.lcid}]d mmm yyyy hh{point}mm", "align": "left"},
                "day": {"num_format": f"[$-{self.lcid}]d mmmm yyyy", "align": "left"},
                "clock": {"num_format": f"hh{point}mm", "align": "left"},
            }[kind],
            **more,
        )

    def sheet(self, name: str) -> Sheet:
        """A further sheet, of A4."""
        return Sheet(self, self.file.add_worksheet(name[:31]))

    def close(self) -> None:
        """Finish the file."""
        self.file.close()


class Sheet:
    """One sheet; its rows are written from top to bottom."""

    def __init__(self, book: Book, sheet: Any) -> None:
        self.book = book
        self.sheet = sheet
        self.last_row = 0
        self._links = 0
        sheet.set_paper(_A4)
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        sheet.set_footer("&L&8&F · &A&R&8&P / &N")
        sheet.hide_gridlines(2)
        sheet.fit_to_pages(1, 0)

    def table(
        self,
        columns: Sequence[Column],
        headings: Sequence[str],
        rows: Iterable[Cells],
        *,
        total: Cells | None = None,
        wrap: bool = False,
    ) -> None:
        """Write a table from the first row: heading, rows, and a last line that adds up."""
        if len(columns) > 2:
            self.sheet.set_landscape()
        if len(columns) > 20:  # on one page nobody could read it
            self.sheet.fit_to_pages(3, 0)
            self.sheet.repeat_columns(0)
        self.sheet.freeze_panes(1, 0)
        self.sheet.repeat_rows(0)
        self.sheet.set_row(0, 66)
        heads = {
            number: self.book.style(
                bold=True, font_color="#ffffff", bg_color=ACCENT, text_wrap=True, valign="vcenter", border=1,
                border_color=ACCENT, align="right" if number else "left",
            )
            for number in (True, False)
        }  # fmt: skip
        for place, (column, heading) in enumerate(zip(columns, headings, strict=True)):
            self.sheet.set_column(place, place, column.width)
            self.sheet.write_string(0, place, heading, heads[column.kind in {"count", "rate"}])
        line = {"bottom": 1, "bottom_color": LINE, **({"text_wrap": True} if wrap else {})}
        formats = [self.book.kind(column.kind, **line) for column in columns]
        for cells in rows:
            self.last_row += 1
            if wrap:
                self.sheet.set_row(self.last_row, 14 * (1 + len(str(cells[-1])) // columns[-1].width))
            self._row(cells, formats)
        self.sheet.autofilter(0, 0, max(self.last_row, 1), len(columns) - 1)
        if total is not None:
            self.last_row += 1
            bold = [
                self.book.kind(one.kind, bold=True, bg_color=PALE, top=1, top_color=ACCENT) for one in columns
            ]
            self._row(total, bold)

    def _row(self, cells: Cells, formats: Sequence[Any]) -> None:
        for place, value in enumerate(cells):
            self._cell(self.last_row, place, value, formats[place])

    def _cell(self, row: int, place: int, value: Any, style: Any) -> None:
        """Unknown is an empty cell; a text is a text whatever it begins with."""
        if value is None:
            self.sheet.write_blank(row, place, None, style)
        elif isinstance(value, str):
            if value.startswith(("https://", "http://")) and self._links < _LINKS:
                self._links += 1
                self.sheet.write_url(row, place, value, style, value)
            else:
                self.sheet.write_string(row, place, value, style)
        elif isinstance(value, datetime | date | time):
            self.sheet.write_datetime(row, place, value, style)
        else:
            self.sheet.write_number(row, place, value, style)

    def chart(
        self,
        kind: str,
        series: Sequence[tuple[str, int]],
        rows: int,
        *,
        at: int = 1,
        beside: int = 0,
    ) -> None:
        """Draw columns of the table by its first column, below it (row ``at``) or beside it."""
        chart = self.book.file.add_chart({"type": kind})
        name = self.sheet.get_name()
        for (title, place), colour in zip(series, (ACCENT, SECOND), strict=False):
            chart.add_series(
                {
                    "name": title,
                    "categories": [name, 1, 0, rows, 0],
                    "values": [name, 1, place, rows, place],
                    "fill": {"color": colour},
                    "line": {"color": colour, "width": 2.25 if kind == "line" else 0.75},
                    "gap": 60,
                }
            )
        font = {"name": FONT, "size": 9, "color": INK}
        quiet = {"num_font": font, "line": {"color": LINE}, "major_gridlines": {"visible": False}}
        ruled = {**quiet, "major_gridlines": {"visible": True, "line": {"color": LINE, "width": 0.5}}}
        if kind == "bar":  # the first agency on top, as in the table
            chart.set_x_axis(quiet | {"major_gridlines": {"visible": True, "line": {"color": LINE}}})
            chart.set_y_axis(quiet | {"reverse": True})
        else:
            chart.set_x_axis(quiet | {"date_axis": True, "num_format": f"[$-{self.book.lcid}]d mmm"})
            chart.set_y_axis(ruled | {"num_format": "#,##0"})
        chart.set_legend({"position": "top", "font": font})
        chart.set_chartarea({"border": {"none": True}})
        height = 300 if kind == "line" else max(180, 34 * rows + 90)
        chart.set_size({"width": 760, "height": height})
        chart.show_blanks_as("gap")
        self.sheet.fit_to_pages(1, 1)
        self.sheet.insert_chart(1 if beside else at, beside + 1 if beside else 0, chart)
