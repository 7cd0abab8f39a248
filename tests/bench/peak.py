"""The worst minute of the year: one post of each of 3,312 accounts is due at the same moment."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench import databases, rows, stage
from bench.figure import Figure
from sqlalchemy import func, select

from scheduler.states import State
from scheduler.store.database import Store
from scheduler.store.tables import audit

WORKERS = 64
DELAY = 0.3
RUNS = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """What publishing them all took: seconds on the clock, and of a processor."""

    wall: float
    cpu: float


def bare(config: Path) -> Cost:
    """The same calls by a bare thread pool."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.bare", config, str(WORKERS), str(rows.ACCOUNTS)],
        env=stage.ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    wall, cpu = done.stdout.split()
    return Cost(float(wall), float(cpu))


def gaung(place: databases.Place, platform: stage.Platform) -> Cost:
    """The daemon: from the moment at which all are due until the last is settled."""
    config = stage.configure(place.folder, platform.url, database=place.url, workers=WORKERS)
    with place.store() as store, stage.daemon(config) as process:
        at = stage.in_seconds(4)
        rows.fill(store, [rows.Batch(rows.ACCOUNTS, at)])
        stage.wait_for(at, early=0.2)
        before = process.cpu()
        stage.wait_for(at, late=rows.ACCOUNTS / WORKERS * DELAY)  # asking would cost the daemon time
        wall = stage.until(lambda: settled(store, rows.ACCOUNTS, at))
        cpu = process.cpu() - before
    ledger = [entry["account"] for entry in platform.ledger()]
    if not len(set(ledger)) == len(ledger) == rows.ACCOUNTS:
        raise RuntimeError("the platform's ledger does not hold each post once")
    return Cost(wall, cpu)


def settled(store: Store, posts: int, since: datetime) -> float:
    """Seconds from ``since`` until the last of so many posts was settled; 0 if some are not yet."""
    with store.read() as session:
        sent = select(func.count(), func.max(audit.c.at)).where(audit.c.after == State.SENT)
        count, last = session.execute(sent).one()
    return (last - since).total_seconds() if count == posts else 0.0


def figures() -> Iterator[Figure]:
    """Wall time and processor time beside the bare pool, for each database."""
    with tempfile.TemporaryDirectory() as folder, stage.platform(DELAY) as platform:
        plain = stage.configure(Path(folder) / "bare", platform.url)
        for kind in databases.KINDS:
            costs = []
            for _ in range(RUNS):
                with databases.fresh(kind) as place:
                    platform.forget()
                    reference = bare(plain)
                    platform.forget()
                    costs.append((gaung(place, platform), reference))
            yield from _told(kind, costs)


def _told(kind: str, costs: list[tuple[Cost, Cost]]) -> Iterator[Figure]:
    ours, theirs = (
        Cost(statistics.median(one.wall for one in side), statistics.median(one.cpu for one in side))
        for side in zip(*costs, strict=True)
    )
    yield Figure(
        f"peak, {kind}: wall time / bare pool",
        [own.wall / bare.wall for own, bare in costs],
        "x",
        1.10,
        detail=f"({ours.wall:.1f} s / {theirs.wall:.1f} s)",
    )
    yield Figure(
        f"peak, {kind}: processor time over bare pool",
        [(own.cpu - bare.cpu) / rows.ACCOUNTS * 1000 for own, bare in costs],
        "ms a post",
        1.0,
        detail=f"({ours.cpu:.1f} s / {theirs.cpu:.1f} s)",
    )
