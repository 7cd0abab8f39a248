"""The file beside a plain CSV that says what the CSV holds: CSV on the Web (W3C, tabular-metadata, 2015).

It has the name of the CSV with ``-metadata.json`` at its end, where programs look for it.
"""

from __future__ import annotations

import json
from pathlib import Path

from scheduler.reports import about
from scheduler.reports.columns import Kind
from scheduler.reports.formats.json_file import plain
from scheduler.reports.report import Report

_DATATYPES: dict[Kind, object] = {
    "text": "string",
    "code": "string",
    "count": "integer",
    "rate": "decimal",
    "time": {"base": "datetime", "format": "yyyy-MM-dd HH:mm:ss"},
    "day": {"base": "date", "format": "yyyy-MM-dd"},
    "clock": {"base": "time", "format": "HH:mm:ss"},
}


def name(target: Path) -> Path:
    """Where the description of a CSV lies."""
    return target.with_name(f"{target.name}-metadata.json")


def describe(report: Report, target: Path) -> str:
    """The description of a CSV that has just been written to ``target``."""
    facts = about.facts(report)
    document = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "und"}],
        "url": target.name,
        "dc:title": facts["title"],
        "tableSchema": {
            "columns": [
                {
                    "name": column.code,
                    "titles": title,
                    "datatype": _DATATYPES[column.kind],
                    **(
                        {"dc:description": facts["columns"][column.code].get("meaning")}
                        if facts["columns"][column.code].get("meaning")
                        else {}
                    ),
                }
                for column, title in zip(report.columns, report.headings, strict=True)
            ]
        },
        "gaung:about": {key: value for key, value in facts.items() if key != "columns"},
    }
    return json.dumps(document, ensure_ascii=False, indent=1, default=plain) + "\n"
