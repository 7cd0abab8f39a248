"""Lets tests import their shared parts: ``kit`` and ``servers`` are folders of this one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from kit.house import House

if (here := str(Path(__file__).parent)) not in sys.path:
    sys.path.insert(0, here)

from kit.engine import engine
from kit.postgres import postgres, postgres_server, postgres_store

__all__ = ["engine", "postgres", "postgres_server", "postgres_store"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Make houses; in the end, no secret of theirs is in any database file."""
    from kit import house  # not above: it needs every platform's server

    made: list[House] = []
    with ExitStack() as stack:

        def make(*platforms: str) -> House:
            made.append(house.House(tmp_path, stack, *platforms))
            return made[-1]

        yield make
        for one in made:
            for side in one.sides.values():
                side.loopback.released.set()
            content = b"".join(path.read_bytes() for path in tmp_path.glob("gaung.db*"))
            secrets = [secret for side in one.sides.values() for secret in side.secrets.values()]
            assert len(content) > 0
            assert not [secret for secret in secrets if secret.encode() in content], "stored in clear text"


def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores: many tests wait, for a platform, a daemon, or a database."""
    return (os.cpu_count() or 1) + 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """At the end of a test run: what the simulated worlds of all its processes have covered."""
    from simulation.covering import PROPERTY, WHOLE, total  # not above: few test runs need it

    found: dict[str, list[str]] = {PROPERTY: [], WHOLE: []}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "call":
                for name, value in report.user_properties:
                    if name in found:
                        found[name].append(str(value))
    for name, several in found.items():
        if several:
            covered = total(several)
            terminalreporter.write_line(f"simulation: {covered}")
            if name == WHOLE:
                terminalreporter.write_line(covered.table())
