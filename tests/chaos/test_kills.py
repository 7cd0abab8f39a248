"""Daemons killed at random moments, again and again: each post stands on the platform exactly once.

``make test`` kills a few times; ``make soak`` kills ``CHAOS_KILLS`` times (200) on each database. The
seed is told on failure; ``CHAOS_SEED`` chooses it.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest
from chaos.agreement import Story
from chaos.installation import Installation, Reaper
from kit.postgres import own_server
from servers.ledger_platform import Ledger, Manners, keeping

from scheduler.store.tables import attempts, audit, contents, deliveries

SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
KILLS = int(os.environ.get("CHAOS_KILLS", "200"))
#: One answer in ten is lost or garbled, and one request in ten is not taken though it was heard.
RUDE = Manners(delay=(0.05, 0.5), at_once=0.5, lost=0.05, garbled=0.05, dropped=0.05, broken=0.05)


def story(installation: Installation) -> Story:
    """Both sides of an installation."""
    return Story(
        installation.ledger.entries,
        installation.rows(deliveries),
        installation.rows(attempts),
        installation.rows(audit),
        {row["digest"]: row["text"] for row in installation.rows(contents)},
    )


def survive(folder: Path, kills: int, *, nodes: int, database: str = "") -> str:
    """Kill the nodes so many times, let them finish, and compare; return what happened, in a line."""
    began = time.monotonic()
    with keeping(Ledger(RUDE, random.Random(SEED))) as ledger:
        installation = Installation(folder, ledger, nodes=nodes, database=database)
        installation.plan(messages=kills * 3)
        reaper = Reaper(installation, SEED)
        with installation.running():
            for _ in range(kills):
                reaper.reap()
            installation.settle(patience=60 + kills * 2)
        found = story(installation)
        assert found.disagreements() == [], f"seed {SEED}"
        assert Counter(row["state"] for row in found.deliveries) == {"sent": installation.planned}
    sources = Counter(row["source"] for row in found.deliveries)
    outcomes = Counter(row["outcome"] for row in found.attempts)
    return (
        f"{sum(reaper.kills.values())} kills {dict(reaper.kills)}, {installation.planned} posts"
        f" {dict(sources)}, {len(found.attempts)} attempts {dict(outcomes)}: 0 twice, 0 lost"
        f" in {time.monotonic() - began:.0f} s (seed {SEED})"
    )


def test_a_daemon_killed_a_few_times_publishes_each_post_once(tmp_path: Path) -> None:
    """Given kill -9 in mid call and lost answers, the database and the ledger agree in the end."""
    assert "0 twice, 0 lost" in survive(tmp_path, 3, nodes=1)


def test_three_daemons_killed_in_turn_publish_each_post_once(tmp_path: Path, postgres: str) -> None:
    """Given three nodes on PostgreSQL, the others take over what a killed one had in flight."""
    assert "0 twice, 0 lost" in survive(tmp_path, 3, nodes=3, database=postgres)


@pytest.mark.soak
def test_many_kills_on_sqlite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Given two daemons on one SQLite file, one of them a mistake, and kills without end."""
    told = survive(tmp_path, KILLS, nodes=2)
    with capsys.disabled():
        os.write(2, f"\nSQLite: {told}\n".encode())


@pytest.mark.soak
def test_many_kills_on_postgresql(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Given three nodes on PostgreSQL that waits for its disk, and kills without end."""
    with own_server(durable=True) as server:
        told = survive(tmp_path, KILLS, nodes=3, database=server.url(server.create()))
    with capsys.disabled():
        os.write(2, f"\nPostgreSQL: {told}\n".encode())
