"""``gaung --help`` answers at once: it imports neither an SDK nor the database nor anything else heavy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.office import ROOT, Office, soon

HEAVY = {
    "alembic",
    "apscheduler",
    "babel",
    "cryptography",
    "facebook",
    "flask",
    "holidays",
    "PIL",
    "pydantic",
    "requests",
    "rich",
    "sqlalchemy",
    "sqlmodel",
    "tweepy",
    "waitress",
}
#: What a command of the day needs; the rest must still stay out.
SDKS = {"alembic", "facebook", "flask", "tweepy", "waitress", "apscheduler"}

RUNNER = """
import sys
from scheduler.cli import main
try:
    main()
finally:
    sys.stderr.write("\\nIMPORTED " + " ".join({name.partition(".")[0] for name in sys.modules}))
"""


def imported(*arguments: str | Path, lang: str = "id") -> set[str]:
    """The top-level packages that a command has imported by its end."""
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, *map(str, arguments)],
        env={**os.environ, "GAUNG_LANG": lang, "PYTHONPATH": str(ROOT)},
        cwd=ROOT.anchor,
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    assert done.stdout
    return set(done.stderr.rpartition("IMPORTED ")[2].split())


@pytest.mark.parametrize("lang", ["id", "en"])
def test_the_help_imports_nothing_heavy(lang: str) -> None:
    assert imported("--help", lang=lang) & HEAVY == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["posts", "--help"],
        ["plan", "--help"],
        ["run", "--help"],
        ["accounts", "check", "--help"],
        ["--version"],
    ],
    ids=" ".join,
)
def test_the_help_of_one_command_imports_nothing_heavy(arguments: list[str]) -> None:
    # Typer itself imports pydantic for a command that has parameters, from 0.28 on.
    assert imported(*arguments) & (HEAVY - {"pydantic"}) == set()


def test_looking_at_posts_imports_no_sdk_and_no_migrations(tmp_path: Path) -> None:
    office = Office(tmp_path / "kantor")
    office.campaign("rapat", {"satu": soon(86_400)})
    office.must("apply")
    assert imported("--config", office.config, "posts", "--format", "json") & SDKS == set()
