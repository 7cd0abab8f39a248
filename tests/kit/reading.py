"""Reading reports back with other people's programs: csv, json, openpyxl, and LibreOffice where it is."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from scheduler import i18n
from scheduler.reports import formats
from scheduler.reports.report import Office, Report, Shape
from scheduler.reports.rows import Words
from scheduler.store.database import Store
from scheduler.store.reporting import Scope

LATER = datetime.fromisoformat("2026-12-31T16:59:59+00:00")
OFFICE = Office("Diskominfo Contoh", "WIB", Words({}, lambda code, _text: code), str)


def write(
    store: Store,
    form: str,
    *,
    office: Office = OFFICE,
    shape: Shape | None = None,
    lang: str = "id",
    **scope: Any,
) -> bytes:
    """A report as bytes, in a language."""
    stream, before = io.BytesIO(), i18n.language()
    people = form in formats.FOR_PEOPLE
    i18n.use_language(lang)
    try:
        with store.read() as session:
            wanted = shape or Shape(columns="office" if people else "data", headers="codes")
            report = Report(session, Scope(**{"as_of": LATER, **scope}), office, wanted)
            formats.writer(form).write(report, stream)
    finally:
        i18n.use_language(before)
    return stream.getvalue()


def sheet(content: bytes, place: int) -> list[dict[str, Any]]:
    """A sheet of a workbook, by place, as rows under their headings."""
    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    rows = list(book.worksheets[place].iter_rows(values_only=True))
    return [dict(zip(map(str, rows[0]), row, strict=True)) for row in rows[1:]]


#: The sheets of a workbook.
COVER, RECAP, PLATFORMS, TOPICS, ACCOUNTS, TIMELINE, POSTS, NOTES = range(8)


def read(form: str, content: bytes) -> list[dict[str, Any]]:
    """The rows of a report that was written with codes as headings; unknown is "" or None."""
    if form == "xlsx":
        return sheet(content, POSTS)
    if form == "json":
        found: list[dict[str, Any]] = json.loads(content)["rows"]
        return found
    if form == "csv-excel":
        table = content.decode("utf-8-sig").partition("\r\n\r\n")[0]
        return list(csv.DictReader(io.StringIO(table, newline=""), delimiter=";"))
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def libreoffice(file: Path, *options: str) -> list[Sequence[Any]]:
    """What LibreOffice Calc makes of a file: the rows of its sheet of posts."""
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice Calc is not installed (Debian: libreoffice-calc-nogui)")
    target = file.with_suffix(".read.xlsx")
    profile = file.parent / "profile"
    made = file.parent / "made"
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation={profile.as_uri()}",
            "--headless",
            *options,
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
            "--outdir",
            str(made),
            str(file),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    (made / f"{file.stem}.xlsx").replace(target)
    book = openpyxl.load_workbook(target, data_only=True, read_only=True)  # it need not understand charts
    return list(book.worksheets[POSTS if len(book.worksheets) > 1 else 0].iter_rows(values_only=True))
