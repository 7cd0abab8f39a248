"""``csv``: for programs. RFC 4180, UTF-8, values exactly as they are; unknown is an empty cell."""

from __future__ import annotations

from typing import BinaryIO

from scheduler.reports import tables
from scheduler.reports.report import Report


def write(report: Report, stream: BinaryIO) -> None:
    """Write the table alone; what the report says of itself goes into a file beside it (``beside``)."""
    free = [place for place, column in enumerate(report.columns) if column.free]
    report.risky = tables.write_plain(stream, report.headings, report.rows(), free)
