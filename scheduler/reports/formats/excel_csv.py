"""``csv-excel``: for a double click in Excel with Indonesian settings; the notes follow the table."""

from __future__ import annotations

from typing import BinaryIO

from scheduler.reports import about, tables
from scheduler.reports.report import Report


def write(report: Report, stream: BinaryIO) -> None:
    """Write the table, an empty line, and what the report says of itself in two columns."""
    stream.write("\ufeff".encode())
    tables.write_excel(stream, report.headings, report.rows())
    stream.write(b"\r\n")
    notes = [{"what": what, "says": says} for what, says in about.lines(report)]
    tables.write_excel(stream, None, notes)
