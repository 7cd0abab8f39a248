"""Daemons killed at random moments, again and again: each post stands on the platform exactly once.

``make test`` kills a few times; ``make soak`` kills ``CHAOS_KILLS`` times (200) on each database.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos.installation import Installation, Reaper
from chaos.proof import RUDE, SEED, prove
from kit.postgres import own_server
from servers.ledger_platform import Ledger, keeping

KILLS = int(os.environ.get("CHAOS_KILLS", "200"))


def survive(folder: Path, kills: int, *, nodes: int, accounts: int = 16, database: str = "") -> str:
    """Kill the nodes so many times, let them finish, and compare; return what happened, in a line."""
    with keeping(Ledger(RUDE, random.Random(SEED))) as ledger:
        installation = Installation(folder, ledger, nodes=nodes, accounts=accounts, database=database)
        installation.plan(messages=kills * 2)
        reaper = Reaper(installation, SEED)
        with installation.running():
            for _ in range(kills):
                reaper.reap()
            installation.settle(patience=120 + kills * 4)
        return prove(installation, reaper)


def test_a_daemon_killed_a_few_times_publishes_each_post_once(tmp_path: Path) -> None:
    """Given kill -9 in mid call and lost answers, the database and the ledger agree in the end."""
    assert "0 twice, 0 lost" in survive(tmp_path, 2, nodes=1, accounts=6)


def test_three_daemons_killed_in_turn_publish_each_post_once(tmp_path: Path, postgres: str) -> None:
    """Given three nodes on PostgreSQL, the others take over what a killed one had in flight."""
    assert "0 twice, 0 lost" in survive(tmp_path, 1, nodes=3, accounts=8, database=postgres)


@pytest.mark.soak
def test_many_kills_on_sqlite(tmp_path: Path, told: Callable[[str], None]) -> None:
    """Given two daemons on one SQLite file, one of them a mistake, and kills without end."""
    told(f"SQLite: {survive(tmp_path, KILLS, nodes=2)}")


@pytest.mark.soak
def test_many_kills_on_postgresql(tmp_path: Path, told: Callable[[str], None]) -> None:
    """Given three nodes on PostgreSQL that waits for its disk, and kills without end."""
    with own_server(durable=True) as server:
        told(f"PostgreSQL: {survive(tmp_path, KILLS, nodes=3, database=server.url(server.create()))}")
