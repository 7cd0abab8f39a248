"""Rows as CSV: ``csv`` for programs (RFC 4180), ``csv-excel`` for a double click in Indonesian Excel.

``csv`` writes values as they are. ``csv-excel`` uses semicolons, a byte order mark and decimal
commas, and puts an apostrophe before what Excel would take for a formula (DOMAIN.md section 1).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from scheduler.errors import GaungError
from scheduler.i18n import N_
from scheduler.store.media import write_whole

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: More digits than these and Excel silently rounds a number (IEEE 754 double).
_EXCEL_DIGITS = 15


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """RFC 4180: comma, CRLF, values raw, unknown empty."""
    return _write(columns, rows, ",", _plain)


def as_excel_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """For Excel with Indonesian settings; begins with a byte order mark."""
    return "\ufeff" + _write(columns, rows, ";", _for_excel)


def risky_cells(rows: Iterable[Mapping[str, Any]]) -> int:
    """How many cells a spreadsheet program would take for a formula when it opens a plain CSV."""
    return sum(
        isinstance(value, str) and value.startswith(_FORMULA) for row in rows for value in row.values()
    )


def write_file(target: Path, text: str) -> None:
    """Write a report whole or not at all; raise GaungError if the place cannot be written."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, text.encode())
    except OSError as error:
        raise GaungError(
            N_("The report {file} cannot be written: {why}"),
            hint=N_("Close the file if Excel has it open, or give another place with --output."),
            file=target,
            why=error.strerror or error,
        ) from None


def _write(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], delimiter: str, cell: Any) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([cell(row.get(column)) for column in columns] for row in rows)
    return stream.getvalue()


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return str(value)


def _for_excel(value: Any) -> str:
    if isinstance(value, float):
        return str(value).replace(".", ",")
    text = _plain(value)
    digits = isinstance(value, str) and text.isdigit() and len(text) > _EXCEL_DIGITS
    return f"'{text}" if isinstance(value, str) and (text.startswith(_FORMULA) or digits) else text
