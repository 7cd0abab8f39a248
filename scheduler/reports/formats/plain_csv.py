"""``csv``: for programs. RFC 4180, UTF-8, values exactly as they are; unknown is an empty cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from scheduler.reports import tables
from scheduler.reports.report import Report
from scheduler.reports.rows import Row

#: Columns whose texts come from people; the others hold codes and numbers of ours.
_FREE = ("agency", "topic", "title", "drafter", "approver", "note")


def write(report: Report, stream: BinaryIO) -> None:
    """Write the table alone; what the report says of itself goes into a file beside it (``beside``)."""
    tables.write_csv(stream, report.headings, report.codes, _watched(report), tables.PLAIN)


def _watched(report: Report) -> Iterator[Row]:
    free = [code for code in _FREE if code in report.codes]
    for row in report.rows():
        for code in free:
            if tables.is_risky(row[code]):
                report.risky += 1
        yield row
