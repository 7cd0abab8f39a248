"""``json``: what the report says of itself, and its rows. Keys and codes are the same in every language."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from typing import Any, BinaryIO

from scheduler.reports import about
from scheduler.reports.report import Report


def write(report: Report, stream: BinaryIO) -> None:
    """Write one object: ``rows`` first, one a line, streamed; then ``about``."""
    stream.write(b'{"rows": [')
    stream.writelines((b",\n" if number else b"\n") + _text(row) for number, row in enumerate(report.rows()))
    stream.write(b'\n],\n"about": ' + _text(about.facts(report), indent=1) + b"}\n")


def _text(value: Any, indent: int | None = None) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=plain, indent=indent).encode()


def plain(value: Any) -> str:
    """Times in ISO 8601; what else JSON does not have, as text."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)
