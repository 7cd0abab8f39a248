"""``gaung --help`` answers at once: it imports neither an SDK nor the database nor anything else heavy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.office import ROOT, Office, soon, wait_for

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
#: What is of use to a daemon.
WORKED_WITH = {"apscheduler", "pydantic", "requests", "sqlalchemy", "sqlmodel"}
#: What a command of the day needs; the rest must still stay out.
SDKS = {"alembic", "facebook", "flask", "tweepy", "waitress", "apscheduler"}

RUNNER = """
import sys
from scheduler.cli import main
try:
    main()
finally:
    sys.stderr.write("\\nIMPORTED " + " ".join(name for name, module in sys.modules.items() if module))
"""
#: Nothing that a daemon of practice accounts asks for, on the database that it does not have or on any.
NEVER = {
    "charset_normalizer",
    "cryptography",
    "holidays",
    "jinja2",
    "openpyxl",
    "scheduler.governance.verification",
    "xlsxwriter",
}
OTHER_DATABASE = {
    "sqlite": {"psycopg", "sqlalchemy.dialects.postgresql"},
    "postgresql": {"sqlite3", "sqlalchemy.dialects.sqlite"},
}


def imported(*arguments: str | Path, lang: str = "id") -> set[str]:
    """The modules that a command has imported by its end."""
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, *map(str, arguments)],
        env={**os.environ, "GAUNG_LANG": lang, "PYTHONPATH": str(ROOT)},
        cwd=ROOT.anchor,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode in {0, 1}, done.stderr  # 1: of a pass in which a post failed
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


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Office:
    database = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    return Office(tmp_path / "kantor", head=f'database = "{database}"' if database else "")


def test_a_daemon_imports_what_it_works_with_and_nothing_else(office: Office) -> None:
    """A pass in which a post is tried, so that this is no matter of what is merely put off."""
    at = office.due_soon("rapat", "satu")
    office.must("approve", "rapat", "--yes")
    wait_for(at)
    modules = imported("--config", office.config, "run", "--once")
    kind = "postgresql" if "postgresql" in office.config.read_text() else "sqlite"
    assert "adapters.practice.adapter" in modules
    assert modules & (NEVER | OTHER_DATABASE[kind] | HEAVY - WORKED_WITH) == set()
