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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast

from scheduler.errors import GaungError
from scheduler.i18n import N_
from scheduler.store.media import whole_file

#: Lines that are written at once.
_LINES = 100
#: What a spreadsheet takes for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NAME = re.compile(r"@\w[\w.]*(@[\w.-]+)?", re.ASCII)
_TELEPHONE = re.compile(r"\+\d[\d ().-]*")
#: More digits than these and Excel silently rounds a number (IEEE 754 double).
_EXCEL_DIGITS = 15

_QUOTED = re.compile(r'[",\r\n]')
_QUOTE = '"'


def _for_excel(value: Any) -> Any:
    if isinstance(value, float):
        return str(value).replace(".", ",")
    if not isinstance(value, str):
        return value
    if _TELEPHONE.fullmatch(value) or (value.isdigit() and len(value) > _EXCEL_DIGITS):
        return f'="{value}"'
    if value.startswith(FORMULA) and not _NAME.fullmatch(value):
        return f"'{value}"
    return value


def write_plain(
    stream: BinaryIO, headings: Sequence[str], rows: Iterable[Mapping[str, Any]], free: Sequence[int] = ()
) -> int:
    """Stream rows, whose cells are in the order of ``headings``: RFC 4180, values raw, unknown empty.

    Return how many cells a spreadsheet would take for a formula. ``free`` are the places of texts that
    may hold anything; all others need no quotes, and are no formulas. It writes what
    the csv module would (a test compares them): that one looks at every character of 100,000 rows, and
    takes longer than the database.
    """
    day_and_time = lru_cache(4096)(str)
    text = _as_text(stream)
    text.write(",".join(map(_quote, headings)) + "\r\n")
    risky = 0
    lines: list[str] = []
    for row in rows:
        cells = list(row.values())
        for place in free:
            value = cells[place]
            if not value or value.__class__ is not str:
                continue
            if value[0] in FORMULA and is_risky(value):
                risky += 1
            if "," in value or '"' in value or "\n" in value or "\r" in value:
                cells[place] = f'"{value.replace(_QUOTE, _QUOTE * 2)}"'
        lines.append(
            ",".join(
                [
                    value
                    if value.__class__ is str
                    else ""
                    if value is None
                    else day_and_time(value)
                    if value.__class__ is datetime
                    else str(value)
                    for value in cells
                ]
            )
        )
        if len(lines) == _LINES:
            text.write("\r\n".join([*lines, ""]))
            lines.clear()
    text.write("\r\n".join([*lines, ""]))
    text.flush()
    text.detach()
    return risky


def write_excel(stream: BinaryIO, headings: Sequence[str] | None, rows: Iterable[Mapping[str, Any]]) -> None:
    """Stream rows as Excel takes them, without the byte order mark that a file begins with."""
    text = _as_text(stream)
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    if headings is not None:
        writer.writerow([_for_excel(one) for one in headings])
    writer.writerows([_for_excel(value) for value in row.values()] for row in rows)
    text.flush()
    text.detach()


def _as_text(stream: BinaryIO) -> io.TextIOWrapper:
    return io.TextIOWrapper(cast("Any", stream), encoding="utf-8", newline="")


def _quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """RFC 4180 as a text: comma, CRLF, values raw, unknown empty."""
    stream = io.BytesIO()
    write_plain(stream, columns, _only(columns, rows), range(len(columns)))
    return stream.getvalue().decode()


def as_excel_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """For Excel with Indonesian settings as a text; begins with a byte order mark."""
    stream = io.BytesIO()
    write_excel(stream, columns, _only(columns, rows))
    return "\ufeff" + stream.getvalue().decode()


def _only(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return ({code: row.get(code) for code in columns} for row in rows)


def is_risky(value: Any) -> bool:
    """Whether a spreadsheet program would take a cell of a plain CSV for a formula."""
    return isinstance(value, str) and value.startswith(FORMULA) and not _NAME.fullmatch(value)


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
