"""Databases that go away in the middle of it: a full disk, a server restarted, killed or frozen.

Nothing is sent while the database is out of reach, and what was in flight is neither lost nor sent twice.
``MISHAPS`` says how many of each the long versions go through (10).
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from chaos.disk import small_disk
from chaos.installation import Installation, Reaper
from chaos.proof import RUDE, SEED, prove
from kit.postgres import Server, own_server
from servers.ledger_platform import Ledger, keeping

MISHAPS = int(os.environ.get("MISHAPS", "10"))


def fill_the_disk(folder: Path, times: int, *, accounts: int = 16) -> str:
    """Two daemons on SQLite whose disk is full again and again; one is killed each time."""
    chance = random.Random(SEED)
    with keeping(Ledger(RUDE, random.Random(SEED))) as ledger:
        installation = Installation(folder, ledger, nodes=2, accounts=accounts)
        with small_disk(installation.office.state, lambda: installation.nodes) as disk:
            installation.plan(messages=times * 6)
            reaper = Reaper(installation, SEED)
            with installation.running():
                installation.steps.wait("taken", "node-1", 20)
                for _ in range(times):
                    before = installation.logged("database_lost")
                    disk.fill()
                    _wait_until(partial(_noticed_again, installation, before))
                    time.sleep(chance.uniform(0, 1.0))
                    disk.free()
                    reaper.reap()
                installation.settle(patience=60 + times * 10)
            lost = installation.logged("database_lost")
            return f"{times} times a full disk, noticed {lost} times, {prove(installation, reaper)}"


def _noticed_again(installation: Installation, before: int) -> bool:
    return installation.logged("database_lost") > before


def _wait_until(come: Callable[[], bool]) -> None:
    """Wait for something; a daemon writes at the latest with its heartbeat, every 15 seconds."""
    end = time.monotonic() + 60
    while not come():
        assert time.monotonic() < end, "no daemon noticed that the disk was full"
        time.sleep(0.1)


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """Given no room for a commit, the daemons wait and send nothing; with room they go on."""
    assert "0 twice, 0 lost" in fill_the_disk(tmp_path, 1, accounts=4)


@pytest.mark.soak
def test_a_disk_that_is_full_again_and_again(tmp_path: Path, told: Callable[[str], None]) -> None:
    """Given a full disk and a kill in turn, each post stands on the platform once."""
    told(fill_the_disk(tmp_path, MISHAPS))


def _freeze(server: Server, chance: random.Random) -> None:
    server.pause()
    time.sleep(chance.uniform(0.5, 5.0))  # leases are two seconds: some run out meanwhile
    server.resume()


@pytest.mark.soak
def test_a_postgresql_that_is_restarted_killed_and_frozen(
    tmp_path: Path, told: Callable[[str], None]
) -> None:
    """Given three nodes whose server goes away under them, nothing is sent on what it has forgotten."""
    chance = random.Random(SEED)
    with own_server(durable=True) as server, keeping(Ledger(RUDE, random.Random(SEED))) as ledger:
        mishaps: dict[str, Callable[[], None]] = {
            "restart": server.restart,
            "crash": lambda: server.restart("immediate"),
            "freeze": lambda: _freeze(server, chance),
        }
        installation = Installation(tmp_path, ledger, nodes=3, database=server.url(server.create()))
        installation.plan(messages=MISHAPS * 12)
        reaper = Reaper(installation, SEED)
        with installation.running():
            for number in range(MISHAPS * len(mishaps)):
                time.sleep(chance.uniform(0, 1.0))
                mishaps[list(mishaps)[number % len(mishaps)]]()
                reaper.reap()
            installation.settle(patience=120 + MISHAPS * 10)
        kinds, lost = ", ".join(mishaps), installation.logged("database_lost")
        told(f"PostgreSQL: {MISHAPS} each of {kinds}, noticed {lost} times, {prove(installation, reaper)}")
