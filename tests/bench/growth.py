"""Whether a claim takes longer the more is stored: half of it sent long ago, half waiting for its time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

from bench import databases, rows, stage
from bench.figure import Figure

from scheduler.clock import SystemClock
from scheduler.states import State
from scheduler.store import claiming
from scheduler.store.database import Store

SIZES = (1_000, 100_000, 1_000_000)
#: As many as there are workers in the peak.
DUE = 64
ROUNDS = 30


class _BackError(Exception):
    """Ends a transaction that is to leave nothing."""


def figures() -> Iterator[Figure]:
    """The time of a claim with each size, beside that of the smallest."""
    for kind in databases.KINDS:
        with ExitStack() as stack:
            stores = {}
            for size in SIZES:
                place = stack.enter_context(databases.fresh(kind))
                stores[size] = stack.enter_context(place.store())
                _fill(stores[size], size)
                stage.analyze(place)
            taken: dict[int, list[float]] = {size: [] for size in SIZES}
            for _ in range(ROUNDS + 1):  # in turns; the first pays for cold caches
                for size, store in stores.items():
                    taken[size].append(_claim(store))
            medians = {size: statistics.median(times[1:]) for size, times in taken.items()}
            for size in SIZES[1:]:
                yield Figure(
                    f"growth, {kind}: claim with {size:,} / {SIZES[0]:,}",
                    [medians[size] / medians[SIZES[0]]],
                    "x",
                    1.3,
                    detail=f"({medians[size] * 1000:.1f} ms / {medians[SIZES[0]] * 1000:.1f} ms)",
                )


def _fill(store: Store, size: int) -> None:
    now, half = stage.in_seconds(0), size // 2
    steps = min(half // 100, 180)
    batches = [rows.Batch(DUE, now - timedelta(seconds=1))]
    for day in range(1, steps + 1):
        batches.append(rows.Batch(half // steps, now - timedelta(days=day), State.SENT, mass=True))
        batches.append(rows.Batch(half // steps, now + timedelta(days=day), mass=True))
    rows.fill(store, batches)


def _claim(store: Store) -> float:
    """Seconds of claiming what is due; it is taken back, so that the next finds the same."""
    now = SystemClock().now()
    seconds = 0.0
    try:
        with store.write() as session:
            begin = time.perf_counter()
            claims = claiming.claim(session, now=now, lease_until=now + rows.HOUR, node="bench", limit=DUE)
            seconds = time.perf_counter() - begin
            if len(claims) != DUE:
                raise RuntimeError(f"only {len(claims)} claims")
            raise _BackError
    except _BackError:
        return seconds
