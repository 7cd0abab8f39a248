"""``csv``: for programs. RFC 4180, UTF-8, values exactly as they are; unknown is an empty cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from scheduler.reports import tables
from scheduler.reports.report import Report
from scheduler.reports.rows import Row


def write(report: Report, stream: BinaryIO) -> None:
    """Write the table alone; what the report says of itself goes into a file beside it (``beside``)."""
    free = [place for place, column in enumerate(report.columns) if column.free]
    tables.write_plain(stream, report.headings, _watched(report), free)


def _watched(report: Report) -> Iterator[Row]:
    free = [column.code for column in report.columns if column.free]
    for row in report.rows():
        for code in free:
            text = row[code]
            if text and text[0] in tables.FORMULA and tables.is_risky(text):
                report.risky += 1
        yield row
