"""Reading a small table that a person filled in: CSV (comma or semicolon) or XLSX, row by row.

What the columns mean is not known here. Cells come as the file has them: texts, or what a spreadsheet
holds instead (numbers, dates).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from scheduler.errors import GaungError
from scheduler.i18n import N_

#: Rows beyond this are no table that somebody filled in by hand.
MOST_ROWS = 20_000

Numbered = tuple[int, Mapping[str, Any]]


def rows(file: Path) -> list[Numbered]:
    """Every row that is not empty, by heading (lower case), with its number in the file.

    Raise GaungError if the file cannot be read, has no headings, or the same heading twice.
    """
    try:
        lines = list(_xlsx(file) if file.suffix.lower() == ".xlsx" else _csv(file))
    except (OSError, UnicodeDecodeError, BadZipFile, KeyError, ValueError, csv.Error) as error:
        raise GaungError(
            N_("The file {file} cannot be read: {why}"),
            hint=N_("Give a CSV in UTF-8, or an XLSX."),
            file=file.name,
            why=error,
        ) from None
    filled = [(number, cells) for number, cells in lines if any(cell not in {None, ""} for cell in cells)]
    if not filled:
        raise GaungError(N_("The file {file} is empty."), file=file.name)
    if len(filled) > MOST_ROWS:
        raise GaungError(
            N_("The file {file} has more than {most} rows. Split it."), file=file.name, most=MOST_ROWS
        )
    (_first, top), *rest = filled
    headings = [str(cell or "").strip().lower() for cell in top]
    named = [heading for heading in headings if heading]
    if twice := sorted({heading for heading in named if named.count(heading) > 1}):
        raise GaungError(
            N_("The file {file} has the column {name} twice."), file=file.name, name=", ".join(twice)
        )
    return [
        (number, {heading: cell for heading, cell in zip(headings, cells, strict=False) if heading})
        for number, cells in rest
    ]


def _csv(file: Path) -> Iterator[tuple[int, list[Any]]]:
    text = file.read_text(encoding="utf-8-sig")
    first = text.lstrip("\r\n").partition("\n")[0]
    mark = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    for cells in reader:
        yield reader.line_num, [cell.strip() for cell in cells]


def _xlsx(file: Path) -> Iterator[tuple[int, list[Any]]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(file, read_only=True, data_only=True)
    except InvalidFileException as error:
        raise ValueError(str(error)) from None
    try:
        for number, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), 1):
            yield number, [cell.strip() if isinstance(cell, str) else cell for cell in cells]
    finally:
        book.close()
