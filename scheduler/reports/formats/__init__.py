"""The formats of reports, each a module with ``write(report, stream)``.

A new one is a module here and a line in :data:`FORMATS`.
"""

from __future__ import annotations

from importlib import import_module
from typing import BinaryIO, Protocol, cast

from scheduler.reports.report import Report

#: Name of the format -> module, and how its files end that nobody has named.
FORMATS = {
    "csv": ("plain_csv", ".csv"),
    "csv-excel": ("excel_csv", "-excel.csv"),  # beside the other, not over it
    "json": ("json_file", ".json"),
    "xlsx": ("xlsx", ".xlsx"),
    "html": ("html", ".html"),
    "pdf": ("pdf", ".pdf"),
}
#: Formats that people read: columns and headings are an office's unless asked otherwise.
FOR_PEOPLE = frozenset({"xlsx", "html", "pdf"})


class Writer(Protocol):
    """What a module of a format holds."""

    def write(self, report: Report, stream: BinaryIO) -> None:
        """Write a report; the same report gives the same bytes."""


def writer(name: str) -> Writer:
    """The writer of a format, loaded now."""
    return cast("Writer", import_module(f"scheduler.reports.formats.{FORMATS[name][0]}"))


def suffix(name: str) -> str:
    """How files of a format end that nobody has named."""
    return FORMATS[name][1]


def by_suffix(ending: str) -> str | None:
    """The first format whose files end so."""
    return next((name for name, (_module, own) in FORMATS.items() if own == ending.lower()), None)
