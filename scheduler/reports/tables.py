"""Rows as CSV: plain (RFC 4180) for programs, and as Indonesian Excel takes it at a double click.

``csv`` writes values as they are. ``csv-excel`` uses semicolons, a byte order mark and decimal commas,
and this rule for texts that a spreadsheet would take for something else (DOMAIN.md section 1):

- a name like ``@diskominfo`` stays as it is: alone it is no formula;
- a number that must keep every character, like ``+62 811-959-575`` or the 18 digits of a NIP, is written
  as the constant ``="+62 811-959-575"``, which every spreadsheet shows as that text;
- whatever else begins with ``=``, ``+``, ``-``, ``@``, a tab or a return gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from scheduler.errors import GaungError
from scheduler.i18n import N_
from scheduler.store.media import whole_file

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NAME = re.compile(r"@\w[\w.]*(@[\w.-]+)?", re.ASCII)
_TELEPHONE = re.compile(r"\+\d[\d ().-]*")
#: More digits than these and Excel silently rounds a number (IEEE 754 double).
_EXCEL_DIGITS = 15

Cell = Callable[[Any], Any]


def _plain(value: Any) -> Any:
    return value  # the csv module writes None as nothing, and times in ISO format


def _for_excel(value: Any) -> Any:
    if isinstance(value, float):
        return str(value).replace(".", ",")
    if not isinstance(value, str):
        return value
    if _TELEPHONE.fullmatch(value) or (value.isdigit() and len(value) > _EXCEL_DIGITS):
        return f'="{value}"'
    if value.startswith(_FORMULA) and not _NAME.fullmatch(value):
        return f"'{value}"
    return value


#: Delimiter, and how a value is written.
PLAIN: tuple[str, Cell] = (",", _plain)
EXCEL: tuple[str, Cell] = (";", _for_excel)


def write_csv(
    stream: BinaryIO,
    headings: Sequence[str] | None,
    codes: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
    style: tuple[str, Cell],
) -> None:
    """Stream rows into a file; unknown is an empty cell. Without ``headings`` there is no first line."""
    delimiter, cell = style
    text = io.TextIOWrapper(cast("Any", stream), encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    if headings is not None:
        writer.writerow([cell(one) for one in headings])
    if cell is _plain:
        writer.writerows([row.get(code) for code in codes] for row in rows)
    else:
        writer.writerows([cell(row.get(code)) for code in codes] for row in rows)
    text.flush()
    text.detach()


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """RFC 4180 as a text: comma, CRLF, values raw, unknown empty."""
    return _text(columns, rows, PLAIN)


def as_excel_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """For Excel with Indonesian settings as a text; begins with a byte order mark."""
    return "\ufeff" + _text(columns, rows, EXCEL)


def _text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], style: tuple[str, Cell]) -> str:
    stream = io.BytesIO()
    write_csv(stream, columns, columns, rows, style)
    return stream.getvalue().decode()


def is_risky(value: Any) -> bool:
    """Whether a spreadsheet program would take a cell of a plain CSV for a formula."""
    return isinstance(value, str) and value.startswith(_FORMULA) and not _NAME.fullmatch(value)


def risky_cells(rows: Iterable[Mapping[str, Any]]) -> int:
    """How many cells a spreadsheet program would take for a formula when it opens a plain CSV."""
    return sum(is_risky(value) for row in rows for value in row.values())


@contextmanager
def report_file(target: Path) -> Iterator[BinaryIO]:
    """A file that is written whole or not at all; raise GaungError if the place cannot be written."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(target) as stream:
            yield stream
    except OSError as error:
        raise GaungError(
            N_("The report {file} cannot be written: {why}"),
            hint=N_("Close the file if Excel has it open, or give another place with --output."),
            file=target,
            why=error.strerror or error,
        ) from None


def write_file(target: Path, text: str) -> None:
    """Write a text whole or not at all; raise GaungError if the place cannot be written."""
    with report_file(target) as stream:
        stream.write(text.encode())
