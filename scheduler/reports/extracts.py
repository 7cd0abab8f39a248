"""Rows of the audit as files for others: JSON lines that can be verified without Gaung, or CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from scheduler.reports import tables
from scheduler.store.chain import COVERED, canonical

COLUMNS = ("id", *COVERED, "hash")


def as_json_lines(rows: Iterable[Mapping[str, Any]]) -> str:
    """One row a line. Without its ``hash``, and without spaces, a line is the text that was hashed."""
    return "".join(
        json.dumps({**json.loads(canonical(row)), "hash": row["hash"]}, sort_keys=True, separators=(",", ":"))
        + "\n"
        for row in rows
    )


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """RFC 4180, times in UTC."""
    return tables.as_csv(COLUMNS, [_plain(row) for row in rows])


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return {**row, "at": at, "detail": json.dumps(row["detail"], sort_keys=True, ensure_ascii=False)}
