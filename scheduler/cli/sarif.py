"""Problems as SARIF 2.1.0 (OASIS, 27 March 2020), which code forges and editors show beside the lines.

Files are named from the folder of the configuration, and lines as far as they are known.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from campaigns.problems import Problem
from scheduler.cli.problems import lines_of, sentence
from scheduler.i18n import _, language

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(problems: Sequence[Problem], folder: Path, root: Path) -> str:
    """Given problems of the campaign files in ``folder``, return a log with one run."""
    from importlib.metadata import version

    rules = list(dict.fromkeys(problem.code for problem in problems))
    lines = lines_of(problems, folder)
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "gaung",
                        "version": version("gaung"),
                        "language": language(),
                        "rules": [{"id": code} for code in rules],
                    }
                },
                "results": [
                    _result(problem, rules.index(problem.code), line, folder, root)
                    for problem, line in zip(problems, lines, strict=True)
                ],
            }
        ],
    }
    return json.dumps(log, ensure_ascii=False, indent=2)


def _result(problem: Problem, rule: int, line: int | None, folder: Path, root: Path) -> dict[str, Any]:
    text = " › ".join(part for part in (problem.item, problem.field) if part)
    said = f"{text}: {sentence(problem)}" if text else sentence(problem)
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": f"{said} {_(problem.hint, **problem.values)}" if problem.hint else said},
    }
    if problem.file:
        place: dict[str, Any] = {"artifactLocation": {"uri": _uri(folder / problem.file, root)}}
        if line:
            place["region"] = {"startLine": line}
        result["locations"] = [{"physicalLocation": place}]
    return result


def _uri(file: Path, root: Path) -> str:
    from urllib.parse import quote

    try:
        return quote(file.resolve().relative_to(root.resolve()).as_posix())
    except ValueError:
        return file.resolve().as_uri()
