"""``gaung demo`` as a newcomer sees it: the whole walk, by itself, with figures that somebody caused."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path


def test_the_demo_walks_from_file_to_csv_and_ends_by_itself(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    done = subprocess.run(
        [sys.executable, "-m", "scheduler.cli", "demo", str(place)],
        env={**os.environ, "GAUNG_LANG": "id"},
        capture_output=True,
        encoding="utf-8",
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "masing-masing terbit satu kali" in done.stderr
    (report,) = place.glob("*.csv")
    with report.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    assert {row["state"] for row in rows} == {"sent"}
    assert len({row["permalink"] for row in rows}) == 24
    # Three people, one of whom opened the pages of both accounts: two saw each.
    assert {(row["views"], row["reach"]) for row in rows} == {("2", "2")}
    assert {row["shares"] for row in rows} == {""}  # the practice network has no shares: unknown, not 0
    assert {row["source"] for row in rows} == {"api"}
