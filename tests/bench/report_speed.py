"""What a report costs: time beside the sqlite3 shell that dumps the same joined rows, and memory.

Both read the same file in turns. Ours makes local times, sums and texts of what it reads; the shell
only prints. Memory is the peak of a process of its own that writes one report.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from bench.big_store import AS_OF, big_store
from bench.figure import Figure, ratio
from sqlalchemy.dialects import sqlite

from scheduler.reports import formats
from scheduler.reports.report import Office, Report, Shape
from scheduler.reports.rows import Words
from scheduler.store.database import open_store
from scheduler.store.reporting import Scope, posts_statement

#: With every sixth of the posts, and with all of them.
FEW, ALL = date(2026, 3, 1), None
OFFICE = Office("Bench", "WIB", Words({"budi": "Budi", "siti": "Siti"}, lambda code, _text: code), str)


def write(file: Path, form: str, last: date | None = ALL) -> None:
    """Write a report beside its database."""
    store = open_store(f"sqlite:///{file}")
    people = form in formats.FOR_PEOPLE
    shape = Shape(columns="office" if people else "data", headers="en" if people else "codes")
    with store.read() as session, (file.parent / f"report.{form}").open("w+b") as stream:
        formats.writer(form).write(Report(session, Scope(AS_OF, "bench", last=last), OFFICE, shape), stream)
    store.close()


def figures() -> Iterator[Figure]:
    """Measure everything."""
    file = big_store()
    if shell := shutil.which("sqlite3"):
        yield ratio(
            "csv of 100,000 posts / sqlite3 shell",
            lambda: _ours(file),
            lambda: _shell(shell, file),
            3,
            runs=5,
        )
    few, many = _peak(file, "csv", FEW), _peak(file, "csv", ALL)
    yield Figure(
        "csv: memory with 100,000 / with 17,000 posts", [many / few], "x", 1.1,
        detail=f"({many:.0f} MB / {few:.0f} MB)",
    )  # fmt: skip
    yield Figure("xlsx of 100,000 posts: memory", [_peak(file, "xlsx", ALL)], "MB", 300)


def _ours(file: Path) -> float:
    start = time.perf_counter()
    write(file, "csv")
    return time.perf_counter() - start


def _shell(shell: str, file: Path) -> float:
    store = open_store(f"sqlite:///{file}")
    with store.read() as session:
        statement = posts_statement(session, Scope(AS_OF, "bench"))
    store.close()
    query = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    start = time.perf_counter()
    with (file.parent / "shell.csv").open("wb") as target:
        subprocess.run(
            [shell, "-csv", "-header", file], input=f"{query};".encode(), stdout=target, check=True
        )
    return time.perf_counter() - start


def _peak(file: Path, form: str, last: date | None) -> float:
    """The most memory, in MB, that a process needs which writes one report."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.report_speed", str(file), form, last.isoformat() if last else ""],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(done.stdout) / 1024


if __name__ == "__main__":
    _file, _form, _last = sys.argv[1:]
    write(Path(_file), _form, date.fromisoformat(_last) if _last else ALL)
    sys.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
